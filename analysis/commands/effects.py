"""`effects`: every estimate of a study or a table as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from analysis.commands import arguments
from runner.program.answers import add_json, print_answer

if TYPE_CHECKING:
    from analysis.study import Study

SUMMARY = "Estimate main effects, interactions, contrasts and variance shares as JSON."
EXAMPLES = """\
examples:
  python -m analysis effects five_factor-quick-3fa2c1
  python -m analysis effects --table runs.csv --factors optimizer bn --response acc --block seed
  python -m analysis effects --table runs.csv --factors A B C --response y --order full \\
      --out effects.json
  python -m analysis effects --table runs.csv --factors A B --response loss --lower-is-better \\
      --claim "A: a < b"
  python -m analysis effects --from hydra multirun/2026-01-31/23-59-59 --response acc
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb, optional=True)
    arguments.add_table(verb, outcome=False)
    arguments.add_outcome(verb)
    add_json(verb)
    verb.add_argument(
        "--order",
        type=_order,
        default=2,
        metavar="N|full",
        help="highest order of interaction in the classical fit (default 2)",
    )
    verb.add_argument(
        "--confidence",
        type=_confidence,
        default=0.95,
        metavar="C",
        help="of intervals (default 0.95)",
    )
    verb.add_argument(
        "--out", type=Path, metavar="FILE", help="where the JSON goes (default: standard output)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the document, or write it and say in words what it holds, then the tests."""
    from analysis.document.document import document, document_text, write_document

    study = arguments.read_study(options)
    content = document(study, options.order, options.confidence)
    if options.json and options.out is None:
        print_answer("effects", {"study": study.name, "document": content})
        return 0
    if options.out is None:
        print(document_text(content))
        return 0
    try:
        write_document(content, options.out)
    except OSError as error:
        raise InputError(f"cannot write {str(options.out)!r}: {error.strerror}") from None
    print(*arguments.opening(study), "", sep="\n")
    for line in study.summary(options.order, options.confidence):
        print(arguments.for_terminal(line))
    if options.nested:
        for line in _nested_tests(study, options):
            print(line)
    for line in (*arguments.claim_lines(study), *arguments.direction_lines(study)):
        print(line)
    print(f"wrote {options.out}")
    return 0


def _nested_tests(study: Study, options: argparse.Namespace) -> Iterator[str]:
    """The F tests of the nested analysis of variance, which takes one variance for all units."""
    from analysis.number_words import p_equals

    table = study.estimates(options.order, options.confidence).tests("type3")
    error = table.loc[table["term"] == "Residuals", "df"]
    for row in table.dropna(subset=["F"]).to_dict("records"):
        yield (
            f"{row['term']}: F({row['df']}, {int(error.iloc[0])}) = {row['F']:.4g}, "
            f"{p_equals(row['p'])} (nested analysis of variance, one variance for all units)"
        )


def _order(text: str) -> int | None:
    if text == "full":
        return None
    try:
        order = int(text)
    except ValueError:
        order = 0
    if order < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no order: expected 1, 2, ... or full")
    return order


def _confidence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no confidence: expected 0.5 to 0.999")
    return value
