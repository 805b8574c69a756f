"""A folder of somebody who has modules of the names that this project's packages have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SCRIPT = """import sys
from _ablate import main
if __name__ == "__main__":
    sys.exit(main())
"""
"""What pip and uv install as `ablate`."""

TRAINER = """
import helper

def fit(lr, *, seed, run):
    import later
    run.report(0, accuracy=lr)
    return {"accuracy": lr + seed % 7 / 1000 + helper.NOTHING + later.NOTHING}
"""

STUDY = """
name: somebodys
trainer: train/my_train.py:fit
factors: {lr: [0.1, 0.2]}
replicates: 2
responses:
  accuracy: {unit: share, chance: 0.1}
"""

NAMES = ("analysis", "ablations", "runner", "plotly", "optuna", "matplotlib", "multiprocessing")
"""Modules that the person has in the working directory, each of which may not be imported by us."""


def foreign(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Fill a folder with a study, its trainer, and modules with clashing names."""
    (folder / "train").mkdir(parents=True)
    for name in names:
        file = folder / f"{name}.py" if name == "runner" else folder / name / "__init__.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"raise RuntimeError('{name} of somebody was imported')\n")
    (folder / "train" / "my_train.py").write_text(TRAINER)
    (folder / "helper.py").write_text("NOTHING = 0\n")  # found in the working directory
    (folder / "train" / "later.py").write_text("NOTHING = 0\n")  # and beside the trainer
    (folder / "study.yaml").write_text(STUDY)
    return folder


def ablate(
    folder: Path, *arguments: str, path: tuple[Path, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Call the installed command from a folder.

    Args:
        folder: the working directory; a script is put beside it.
        arguments: of the command.
        path: searched before this project, as PYTHONPATH says.
        environment: more of it.
    """
    script = folder.parent / "bin" / "ablate"
    script.parent.mkdir(exist_ok=True)
    script.write_text(SCRIPT)
    return called(folder, [str(script), *arguments], path, **environment)


def called(
    folder: Path, words: list[str], path: tuple[Path, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python from a folder with this project on its path."""
    known = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={
            **known,
            "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))),
            "OPENBLAS_NUM_THREADS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
