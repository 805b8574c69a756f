"""The built wheel in an environment of its own, and its command called from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("_ablate.py", "ablations", "analysis", "runner")
"""What a wheel holds, beside its metadata."""


def build(folder: Path) -> None:
    """Build the wheel into a folder, from a copy: building leaves folders behind."""
    copy = folder / "source"
    for name in (*SOURCES, "pyproject.toml", "README.md", "LICENSE"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)
    make = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), ".")
    subprocess.run([sys.executable, "-m", *make], cwd=copy, check=True)


def install(environment: Path, wheel: Path) -> Path:
    """Make an environment that has the wheel, and the libraries of this one; returns `ablate`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    # Only the libraries: what is installed there as editable is not, its .pth files are not read.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    words = ("install", "-q", "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *words], check=True)
    return environment / "bin" / "ablate"


def clean() -> dict[str, str]:
    """This process's environment without what says where modules, stores and results are."""
    ours = ("PYTHON", "ABLATIONS_", "COV")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


def ablate(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the installed command from a folder."""
    return subprocess.run(
        [program, *arguments], cwd=folder, env=clean(), capture_output=True, text=True, timeout=600
    )
