"""What a verb's arguments name: a design, a store and a study in it, folders."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from runner.program.places.storage import FILE_NAME, Beside

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec
    from runner.store import Store, StudyInfo


def named_design(arguments: argparse.Namespace) -> tuple[Spec, Design]:
    """The specification that is named, with its profile and overrides, and its design."""
    from runner.design import design_of
    from runner.machine.slots import inventory
    from runner.spec import load_spec

    cuda = any(device.kind == "cuda" for device in inventory(arguments.devices))
    spec = load_spec(arguments.file, arguments.profile, arguments.overrides, cuda_visible=cuda)
    return spec, design_of(spec)


def named_study(arguments: argparse.Namespace) -> tuple[Store, StudyInfo]:
    """The store and the study in it that are named."""
    from runner.store import open_store

    store = open_store(arguments.storage)
    return store, store.find_study(arguments.study)


def storage_for(arguments: argparse.Namespace) -> str | None:
    """The store that is named, for whoever may make it: --results makes its folder.

    Raises:
        InputError: that folder cannot be made.
    """
    storage: str | None = arguments.storage
    if isinstance(storage, Beside) and not Path(storage).exists():
        writable(Path(storage).parent)
        before = Path("results", FILE_NAME)
        if before.exists():
            print(
                f"note: a new store is made, {storage}; --storage {before} goes on with the one "
                "that is there",
                file=sys.stderr,
            )
    return storage


def stored_specification(store: Store, study: StudyInfo) -> Spec:
    """The specification that the store keeps of a study.

    Raises:
        StoreDamaged: it is none.
    """
    from runner.spec import Spec
    from runner.store.columns.checked import UNREADABLE
    from runner.store.database.damage import damaged

    try:
        return Spec.from_dict(study.spec)
    except UNREADABLE as error:
        words = f"table ablation_studies, study {study.name}, spec is no specification ({error!r})"
        raise damaged(store.address, words) from None


def study_folder(results: Path, study: str) -> Path:
    """results/STUDY, absolute."""
    return (results / study).resolve()


def writable(folder: Path) -> Path:
    """The folder, made if missing.

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
