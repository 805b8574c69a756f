"""What a verb needs that this installation or this system has not: said before anything runs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ablations.errors import TRAIN, InputError


def need_torch(what: str) -> None:
    """Refuse what cannot be done without torch.

    Args:
        what: the beginning of the sentence, such as "training the networks of this program".

    Raises:
        InputError: torch is not installed; the sentence says what installs it.
    """
    if not has("torch"):
        raise InputError(f"{what} needs PyTorch, which is not installed: {TRAIN}")


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
