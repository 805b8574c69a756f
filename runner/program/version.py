"""`--version`: what is installed, in one line that a report of a mistake can quote."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from _ablate import DISTRIBUTION


def version_words() -> str:
    """The program's version, Python's and torch's: "ablation-grid-runner 0.1.0, Python 3.11.7"."""
    parts = [f"{DISTRIBUTION} {_of(DISTRIBUTION) or 'of a checkout that is not installed'}"]
    parts.append(f"Python {platform.python_version()}")
    torch = _of("torch")
    parts.append(f"torch {torch}" if torch else "no torch")
    return ", ".join(parts)


def _of(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
