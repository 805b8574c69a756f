"""What a verb needs that this installation or this system has not: said before anything runs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ablations.errors import OF_TRAIN, TRAIN, InputError
from runner.program.wording import listed


def need(what: str, *libraries: str, brought_by: str = TRAIN) -> None:
    """Refuse what cannot be done without libraries that the base does not install.

    Args:
        what: the beginning of the sentence, such as "training the networks of this program".
        libraries: as they are imported; by default all that the shipped trainer takes.
        brought_by: the command that installs them.

    Raises:
        InputError: one is not installed; the sentence says what installs it.
    """
    if absent := missing(*libraries):
        are = "is" if len(absent) == 1 else "are"
        raise InputError(f"{what} needs {listed(absent)}, which {are} not installed: {brought_by}")


def missing(*libraries: str) -> list[str]:
    """Which of them cannot be found; by default of all that the shipped trainer takes."""
    return [one for one in libraries or OF_TRAIN if not has(one)]


def has(library: str) -> bool:
    """Whether a library can be found; nothing of it is imported."""
    if library in sys.modules:
        return sys.modules[library] is not None
    try:
        return find_spec(library) is not None
    except (ImportError, ValueError):
        return False


def need_processes() -> None:
    """Refuse to train where no cell process can be started.

    Raises:
        InputError: this is Windows, which has no fork server.
    """
    if sys.platform == "win32":
        raise InputError(
            "cells are trained by processes that Windows cannot start (fork): train under WSL 2 "
            "or on another machine; plan, status, report and the other verbs that answer work here"
        )
