"""How verbs print: tables that are cut off nowhere but in a terminal, ids at one length."""

from __future__ import annotations

from rich.console import Console

SHORT_ID = 8
"""Digits of a cell's identity that tables show; `show` takes them."""

WIDE = 100_000
"""Columns of a table whose reader is a file or a program."""


def plain_console() -> Console:
    """A console that cuts nothing off where its output is no terminal: lines stay whole."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)
