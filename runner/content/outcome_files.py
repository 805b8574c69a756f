"""Outcome files: what a cell process leaves, before anybody tells the store.

One JSON file an attempt, named after cell and token, written aside, synced and renamed, so that a
file that is there is whole. It names its cell and token once more inside: a file that was cut
short, renamed or left by someone else is ignored with a warning, never adopted. Knows no database.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.content.outcome import Outcome
from runner.program.files import write_whole

ENDING = ".outcome.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutcomeFile:
    """An outcome on disk that can be trusted, with what it names inside."""

    path: Path
    cell: str
    token: str
    outcome: Outcome


def outcome_path(folder: Path, cell: str, token: str) -> Path:
    """Where an attempt's outcome file lies."""
    return folder / f"{cell}-{token}{ENDING}"


def log_path(folder: Path, cell: str, attempt: int) -> Path:
    """Where an attempt writes what it prints."""
    return folder / f"{cell}-{attempt}.log"


def weights_path(study: Path, cell: str) -> Path:
    """Where a cell's weights lie in the study's folder, where they are kept."""
    return study / "weights" / f"{cell}.pt"


def write_outcome(folder: Path, cell: str, token: str, outcome: Outcome) -> Path:
    """Write an attempt's outcome so that it survives a crash of the machine once this returns.

    Raises:
        OSError: the folder is full or not writable; nothing that could be taken for an outcome is
            left behind.
    """
    path = outcome_path(folder, cell, token)
    text = json.dumps({"cell": cell, "token": token, "outcome": outcome.to_dict()})
    write_whole(path, text, synced=True)
    return path


def read_outcome(folder: Path, cell: str, token: str) -> Outcome | None:
    """The outcome an attempt left; None when it left none that can be trusted."""
    path = outcome_path(folder, cell, token)
    file = _read(path) if path.exists() else None
    return file.outcome if file and (file.cell, file.token) == (cell, token) else None


def outcome_files(folder: Path) -> Iterator[OutcomeFile]:
    """All outcome files of a folder that can be trusted, oldest name first."""
    for path in sorted(folder.glob(f"*{ENDING}")):
        file = _read(path)
        if file is None:
            continue
        if path.name != outcome_path(folder, file.cell, file.token).name:
            log.warning("ignored %s: it holds the outcome of another attempt", path)
            continue
        yield file


def forget_outcome(folder: Path, cell: str, token: str) -> None:
    """Remove an outcome file once the store holds what it says."""
    outcome_path(folder, cell, token).unlink(missing_ok=True)


def _read(path: Path) -> OutcomeFile | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        outcome = Outcome.from_dict(raw["outcome"])
        cell, token = raw["cell"], raw["token"]
        if not isinstance(cell, str) or not isinstance(token, str):
            raise TypeError("cell and token are text")
    except FileNotFoundError:
        return None  # recorded and removed by another launcher meanwhile
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("ignored %s: not a whole outcome file (%s)", path, error)
        return None
    return OutcomeFile(path, cell, token, outcome)
