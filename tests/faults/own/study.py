"""Specifications of a foreign trainer, and a bench that ran one for all tests of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.faults.harness import Bench

FOREIGN = Path(__file__).with_name("foreign.py")
KINDS = ("function", "command")
QUICKLY = {"ABLATIONS_GRACE_SECONDS": "1", "ABLATIONS_TERM_SECONDS": "1"}
"""An environment in which nobody waits long for whoever does not end."""

COMMAND = f"{sys.executable} {FOREIGN} {{args}} --seed {{seed}} --folder {{folder}}"


def specification(
    folder: Path, kind: str, ways: Sequence[str], file: str = "own.yaml", **changes: Any
) -> Path:
    """Write a specification of cells that last no time: a cell for each way and learning rate."""
    content: dict[str, Any] = {
        "name": "own",
        "trainer": f"{FOREIGN}:fit" if kind == "function" else {"command": COMMAND},
        "factors": {"way": list(ways), "lr": [0.1, 0.01]},
        "replicates": 1,
        "responses": {"accuracy": {"better": "higher", "unit": "share"}},
    }
    content |= changes
    path = folder / file
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def write(folder: Path, text: str, name: str = "train.py") -> Path:
    """A script of the test's own."""
    path = folder / name
    path.write_text(text)
    return path


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    """A bench that is closed in the end."""
    made = Bench(folder, f"sqlite:///{folder}/ablations.db")
    try:
        yield made
    finally:
        made.close()


def of_way(runs: Sequence[Mapping[str, Any]], way: str) -> dict[str, Any]:
    """The one run with this level of `way`."""
    (run,) = [run for run in runs if run["factor:way"] == way]
    return dict(run)
