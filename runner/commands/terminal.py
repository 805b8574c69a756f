"""How verbs print: tables that are cut off nowhere but in a terminal, ids at one length."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from runner.program.wording import printable

if TYPE_CHECKING:
    from runner.store import StoreDamaged

SHORT_ID = 8
"""Digits of a cell's identity that tables show; `show` takes them."""

WIDE = 100_000
"""Columns of a table whose reader is a file or a program."""


def plain_console() -> Console:
    """A console that cuts nothing off where its output is no terminal: lines stay whole."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)


def shown(text: str) -> str:
    """A name, a path or a message from elsewhere as a console's text: no markup, no controls."""
    return escape(printable(text))


def said_damaged(damage: Sequence[StoreDamaged]) -> int:
    """Say what of the store is damaged beside what was shown; the exit code, 0 where nothing is."""
    for sentence in dict.fromkeys(map(str, damage)):
        print(printable(f"error: {sentence}"), file=sys.stderr)
    return 4 if damage else 0
