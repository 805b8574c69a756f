"""Where an attempt came from: code, versions, machine. Read once a process, without torch."""

from __future__ import annotations

import hashlib
import json
import platform
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from runner.machine.cpu import cpu_name

PACKAGES = (
    "ablation-grid-runner",
    "torch",
    "torchvision",
    "numpy",
    "optuna",
    "sqlalchemy",
    "pandas",
    "scikit-learn",
)


@cache
def provenance() -> dict[str, Any]:
    """Commit and dirty flag of the code that runs, package versions, host, system."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if (changes := _git("status", "--porcelain")) is None else bool(changes),
        "versions": {"python": platform.python_version(), **_versions()},
        "host": socket.gethostname(),
        "system": platform.platform(),
        "processor": cpu_name(),
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _git(*arguments: str) -> str | None:
    """What git says of the checkout this file lies in; None outside one."""
    try:
        done = subprocess.run(  # noqa: S603  fixed arguments, no shell
            ["git", *arguments],  # noqa: S607  git is found as the user finds it
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


BULKY = ("versions", "system", "processor")
"""What is the same for thousands of attempts: kept once a study where each attempt is a trial."""


def environment(of: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The bulky part of an attempt's provenance, and eight digits that name it."""
    bulky = {key: of[key] for key in BULKY if of.get(key)}
    text = json.dumps(bulky, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8], bulky
