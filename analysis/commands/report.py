"""`report`: the page of a study, with figures, tables and files beside it."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands import arguments

if TYPE_CHECKING:
    from analysis.study import Study

SUMMARY = "Write report.html with figures and tables of a study."
EXAMPLES = """\
examples:
  python -m analysis report five_factor-quick --partial
  python -m analysis report --table runs.csv --factors optimizer bn --response acc --block seed
  python -m analysis report --from optuna sqlite:///study.db my_study
  python -m analysis report --from mlflow mlruns --response val_acc --claim "lr: 0.1 > 0.01"
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb, optional=True)
    arguments.add_table(verb)
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="default: STUDY in --results")
    verb.add_argument("--partial", action="store_true", help="report on what has finished so far")
    verb.add_argument("--column", action="store_true", help="figures one journal column wide")


def run(options: argparse.Namespace) -> int:
    """Write the report, say what it says first, and where it is."""
    from analysis.report.press import Press

    with Press() as press:  # first, so that its imports and these pass together
        from analysis.report import write_report

        study: Study | str = options.study
        if options.tool or options.table is not None or not options.study or options.claim:
            study = arguments.read_study(options)
        else:
            arguments.refuse_table_options(options)
        with _one_column() if options.column else nullcontext():
            page = write_report(
                study, options.out, options.partial, options.storage, press, options.results
            )
    found = page.with_name("findings.txt").read_text("utf-8").splitlines()
    claims: list[str] = []
    if not isinstance(study, str):  # a table's claims have no page where they were planned
        claims = [*arguments.claim_lines(study), *arguments.direction_lines(study)]
        claims += arguments.note_lines(study)
    print(*arguments.to_terminal(found), *claims, sep="\n")
    print(f"wrote {page}")
    return 0


def _one_column() -> AbstractContextManager[None]:
    from analysis.figures import COLUMN, at_width

    return at_width(COLUMN)
