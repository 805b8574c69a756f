"""What several verbs do with a study: open the store, find it, count it, name its folder."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ablations.errors import InputError
from runner.commands import options
from runner.store import Store, StudyInfo, open_store


def find(arguments: argparse.Namespace) -> tuple[Store, StudyInfo]:
    """The store and the study a command names."""
    store = open_store(arguments.storage)
    return store, store.find_study(arguments.study)


def open_folder(results: Path, study: str) -> Path:
    """results/STUDY, made if missing.

    Raises:
        InputError: it cannot be made.
    """
    return made(options.folder(results, study))


def made(folder: Path) -> Path:
    """A folder that is there and can be written into.

    Raises:
        InputError: it cannot be made or written into.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write into the folder {str(folder)!r}: permission denied")
    return folder
