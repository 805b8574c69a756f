"""What `grid` looks at before there is a study: its images, what plugins bring."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.commands.sentences import folder_of
from runner.program.wording import printable

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

ABOUT = ("images", "networks")
"""Keys under which a study keeps what was found of its folder and plugins when it was planned."""


def read_images(spec: Spec, design: Design, storage: str | None) -> None:
    """Read, download and decode the images of a new study, so far as this machine has not.

    Raises:
        InputError: they cannot be had; the message says why, and nothing of the study is written.
    """
    from runner.data.loading import is_at_hand
    from runner.store import open_store

    wanted = {id(cell.data): cell for cell in design.cells}.values()
    missing = [cell for cell in wanted if not is_at_hand(cell.data, cell.data_identity)]
    if not missing:
        return
    try:
        with open_store(storage) as store:
            if spec.study in store.study_names():
                return  # a study that is there is not kept from saying that it is done
    except InputError:
        pass  # there is no store yet
    from runner.pool.process.launch import prepare_images, start_fork_server

    start_fork_server()
    for cell in missing:
        try:
            prepare_images(cell)
        except InputError as error:
            if error.key not in ("data.root", "data.name"):
                raise
            raise spec.refuse(error.key.split("."), error.problem) from None


def about_of(spec: Spec, design: Design, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the study keeps beside its specification, for its report: `ABOUT`.

    Says what lies in an image folder, and what is hardly meant of a plugin's network.

    Raises:
        InputError: a plugin brings what no cell can train with; a study that has run all of its
            cells is not kept from saying so.
    """
    from runner.commands.trial import to_try, try_plugins
    from runner.data.folder import folder_words
    from runner.store import open_store

    about: dict[str, Any] = {}
    if (folder := folder_of(spec)) is not None:
        about["images"] = folder
        for sentence in () if arguments.quiet else folder_words(folder):
            print(sentence)
    if not to_try(design):
        return about
    try:
        with open_store(arguments.storage) as store:
            if spec.study in store.study_names():
                known = store.load_study(spec.study)
                if _is_done(store, known, design):
                    return about | {key: known.spec[key] for key in ABOUT if key in known.spec}
    except InputError:
        pass  # there is no store yet
    tried = try_plugins(spec, design)
    for note in tried.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
    return about if tried.networks is None else about | {"networks": tried.networks}


def _is_done(store: Store, study: StudyInfo, design: Design) -> bool:
    complete = {run["cell"] for run in store.runs(study) if run["state"] == "complete"}
    return complete.issuperset(cell.id for cell in design.cells)
