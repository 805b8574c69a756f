"""Complete examples, which run as they are: a training file and its specification."""

from __future__ import annotations

from pathlib import Path

from ablations.errors import InputError
from runner.program.files import write_whole
from runner.program.naming import spoken
from runner.program.wording import listed

FOLDER = Path(__file__).parent / "examples"
FILES = ("train.py", "study.yaml")
KINDS = {
    "function": "a PyTorch function, continued after a kill",
    "command": "a script with argparse, metrics and --resume",
    "lightning": "a LightningModule; pip install lightning",
    "hydra": "a Hydra application; pip install hydra-core",
}


def write_example(name: str, folder: Path, *, force: bool) -> tuple[Path, ...]:
    """Write the files of an example; their paths.

    Raises:
        InputError: one of them is there already and `force` is not given, or they cannot be
            written; nothing is written then.
    """
    targets = [folder / file for file in FILES]
    there = [str(one) for one in targets if one.exists()]
    if there and not force:
        verb = "is" if len(there) == 1 else "are"
        raise InputError(f"{listed(there)} {verb} there already; --force writes over it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets:
            write_whole(target, spoken((FOLDER / name / target.name).read_text("utf-8")))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    return tuple(targets)
