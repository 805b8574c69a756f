"""Options that several verbs share, and how verbs print."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError

if TYPE_CHECKING:
    from analysis.study import Study


def add_study(verb: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """A study of the store, by its name or the start of it."""
    verb.add_argument(
        "study",
        nargs="?" if optional else None,
        help="a study of the store, or the start of its name",
    )
    verb.add_argument("--storage", metavar="URL", help="database of the study (else the default)")


def add_table(verb: argparse.ArgumentParser) -> None:
    """A table instead of a study."""
    verb.add_argument("--table", type=Path, metavar="CSV", help="a table instead of a study")
    verb.add_argument("--factors", nargs="+", metavar="NAME", help="columns of the factors")
    verb.add_argument("--response", metavar="NAME", help="column of the outcome")
    verb.add_argument("--block", metavar="NAME", help="column of the replicate shared by cells")
    verb.add_argument(
        "--claim",
        action="append",
        default=[],
        metavar="TEXT",
        help="of a table: a planned contrast to answer, 'A: a > b by 0.5'; may be repeated",
    )
    verb.add_argument(
        "--lower-is-better", action="store_true", help="of a table: the outcome is a loss"
    )


def read_study(options: argparse.Namespace) -> Study:
    """The table or the study that was named; InputError where none or both were."""
    if options.table is not None:
        return _of_table(options)
    if not options.study:
        raise InputError("name a study, or a table with --table, --factors and --response")
    from analysis.study import load

    study = load(options.study, options.storage)
    return study.outcome(options.outcome) if options.outcome else study


def _of_table(options: argparse.Namespace) -> Study:
    from analysis.study import Study
    from analysis.table.reading import read_table

    for name in ("factors", "response"):
        if not getattr(options, name):
            raise InputError(f"--table needs --{name}: which columns are meant")
    if options.study:
        raise InputError(f"give a study ({options.study!r}) or --table, not both")
    table = read_table(
        options.table, options.factors, options.response, options.block, strict=False
    )
    higher = False if options.lower_is_better else None
    return Study.of(table, planned_claims=tuple(options.claim), higher_is_better=higher)


def for_terminal(text: str, indent: int = 0) -> str:
    """Text broken at words where it meets the edge of a terminal; one line for a file."""
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(text) + indent + 1
    return textwrap.fill(text, edge, initial_indent=" " * indent, subsequent_indent=" " * indent)
