"""`report`: the page of a study, with figures, tables and files beside it."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from analysis.commands import arguments

SUMMARY = "Write report.html with figures and tables of a study."
EXAMPLES = "example:\n  python -m analysis report five_factor-quick --partial\n"


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb)
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="default: results/STUDY")
    verb.add_argument("--partial", action="store_true", help="report on what has finished so far")
    verb.add_argument("--column", action="store_true", help="figures one journal column wide")


def run(options: argparse.Namespace) -> int:
    """Write the report and say where."""
    from analysis.report.press import Press

    with Press() as press:  # first, so that its imports and these pass together
        from analysis.report import write_report

        with _one_column() if options.column else nullcontext():
            page = write_report(options.study, options.out, options.partial, options.storage, press)
    print(f"wrote {page}")
    return 0


def _one_column() -> AbstractContextManager[None]:
    from analysis.figures import COLUMN, at_width

    return at_width(COLUMN)
