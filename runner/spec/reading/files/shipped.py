"""Specifications that come with the program, found by name from any folder."""

from __future__ import annotations

from pathlib import Path

from _ablate import ROOT

FOLDER = ROOT / "ablations"


def shipped_names() -> list[str]:
    """Their names: "five_factor" and others."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def specification_file(given: str | Path) -> Path:
    """The file that is meant: the person's own where there is one, else the shipped one.

    Args:
        given: a path; of a shipped file "five_factor", or as the repository has it,
            "ablations/five_factor.yaml".
    """
    path = Path(given)
    if path.is_file() or path.is_absolute() or path.suffix not in ("", ".yaml"):
        return path
    if path.parent not in (Path(), Path(FOLDER.name)):
        return path
    shipped = FOLDER / f"{path.stem if path.suffix else path.name}.yaml"
    return shipped if shipped.is_file() else path


def is_shipped(path: Path) -> bool:
    """Whether the file is the program's own, of an installation and not of a checkout."""
    return path.resolve().parent == FOLDER and not (ROOT / "pyproject.toml").exists()
