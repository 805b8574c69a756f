"""What the program is called in what it says: as the person has called it."""

from __future__ import annotations

import re

import _ablate

_CALLS = re.compile(r"python -m (?:runner|analysis)\b")


def program(package: str) -> str:
    """`ablate`, or `python -m` with the package whose verbs are meant."""
    return _ablate.called() or f"python -m {package}"


def spoken(text: str) -> str:
    """A text that names commands as `python -m runner VERB`, in the words that this person uses."""
    return _CALLS.sub(_ablate.called(), text) if _ablate.called() else text
