"""Verbs of `python -m analysis`: what a person types, and nothing else.

Each verb parses its own options and imports what it needs when it is called, so that `--help`
answers at once. A mistake of the user ends as one sentence and exit code 2. Longer than 300 lines,
being a list of verbs.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError

if TYPE_CHECKING:
    from analysis.study import Study

EFFECTS_EXAMPLES = """\
examples:
  python -m analysis effects five_factor-quick-3fa2c1
  python -m analysis effects --table runs.csv --factors optimizer bn --response acc --block seed
  python -m analysis effects --table runs.csv --factors A B C --response y --order full \\
      --out effects.json
  python -m analysis effects --table runs.csv --factors A B --response loss --lower-is-better \\
      --claim "A: a < b"
"""


def parser() -> argparse.ArgumentParser:
    """All verbs and options."""
    main = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Effects, interactions and convergence of a factorial grid, with intervals.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = main.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_effects(verbs)
    _add_report(verbs)
    _add_power(verbs)
    _add_compare(verbs)
    _add_claims(verbs)
    _add_decided(verbs)
    return main


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (0 done, 2 the user's mistake, 4 no store answers)."""
    options = parser().parse_args(arguments)
    try:
        return int(options.call(options))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from runner.store import StoreError  # imports the database library: only when it matters

        if not isinstance(error, StoreError):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 4


def _verb(verbs: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    made = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    assert isinstance(made, argparse.ArgumentParser)  # noqa: S101 - argparse is untyped here
    return made


def _add_source(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("study", nargs="?", help="a study of the store, or the start of its name")
    verb.add_argument("--storage", metavar="URL", help="database of the study (else the default)")
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
    verb.add_argument(
        "--outcome",
        metavar="NAME",
        help="of a study: accuracy (default), converged, epochs, given_converged or seconds",
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


def _add_effects(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "effects",
        "Estimate main effects, interactions, contrasts and variance shares as JSON.",
        EFFECTS_EXAMPLES,
    )
    _add_source(verb)
    verb.add_argument(
        "--order",
        type=_order,
        default=2,
        metavar="N|full",
        help="highest order of interaction in the classical fit (default 2)",
    )
    verb.add_argument(
        "--confidence", type=_confidence, default=0.95, metavar="C", help="default 0.95"
    )
    verb.add_argument(
        "--out", type=Path, metavar="FILE", help="where the JSON goes (default: standard output)"
    )
    verb.set_defaults(call=_effects)


def _add_report(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "report",
        "Write report.html with figures and tables of a study.",
        "example:\n  python -m analysis report five_factor-quick --partial\n",
    )
    verb.add_argument("study", help="a study of the store, or the start of its name")
    verb.add_argument("--storage", metavar="URL", help="database of the study")
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="default: results/STUDY")
    verb.add_argument("--partial", action="store_true", help="report on what has finished so far")
    verb.add_argument("--column", action="store_true", help="figures one journal column wide")
    verb.set_defaults(call=_report)


def _add_power(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "power",
        "Smallest effect each term can detect, and replicates a wanted precision takes.",
        "examples:\n"
        "  python -m analysis power five_factor-quick\n"
        "  python -m analysis power --levels 3 3 2 2 2 --sigma 0.39 --replicates 3\n",
    )
    verb.add_argument("study", nargs="?", help="a study of the store, or the start of its name")
    verb.add_argument("--storage", metavar="URL", help="database of the study")
    verb.add_argument("--levels", nargs="+", type=int, metavar="L", help="levels per factor")
    verb.add_argument("--factors", nargs="+", metavar="NAME", help="names for --levels")
    verb.add_argument("--sigma", type=float, metavar="S", help="standard deviation of one run")
    verb.add_argument("--replicates", type=int, metavar="K", help="runs per cell")
    verb.add_argument("--precision", type=float, metavar="H", help="wanted half-width of intervals")
    verb.add_argument("--power", type=float, default=0.8, metavar="P", help="default 0.8")
    verb.set_defaults(call=_power)


def _add_compare(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "compare",
        "Set the same effects of several studies side by side, with their differences.",
        "example:\n  python -m analysis compare cifar10-quick cifar100-quick\n",
    )
    verb.add_argument("studies", nargs="+", metavar="STUDY", help="two studies or more")
    verb.add_argument("--storage", metavar="URL", help="database of the studies")
    verb.add_argument("--out", type=Path, metavar="FILE", help="CSV instead of standard output")
    verb.set_defaults(call=_compare)


def _add_claims(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "claims",
        "Answer the claims a study was planned to test, in plain words.",
        "example:\n  python -m analysis claims five_factor-quick\n",
    )
    verb.add_argument("study", help="a study of the store, or the start of its name")
    verb.add_argument("--storage", metavar="URL", help="database of the study")
    verb.set_defaults(call=_claims)


def _add_decided(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "decided",
        "Is it decided yet? Which differences are, at the level a look so early may spend.",
        "examples:\n"
        "  python -m analysis decided five_factor-quick\n"
        "  python -m analysis decided five_factor-quick --precision 0.01\n",
    )
    verb.add_argument("study", help="a study of the store, or the start of its name")
    verb.add_argument("--storage", metavar="URL", help="database of the study")
    verb.add_argument(
        "--precision", type=float, metavar="H", help="wanted half-width of every interval"
    )
    verb.set_defaults(call=_decided)


def _table(options: argparse.Namespace) -> Study:
    from analysis.frame import read_table
    from analysis.study import Study

    for name in ("factors", "response"):
        if not getattr(options, name):
            raise InputError(f"--table needs --{name}: which columns are meant")
    if options.study:
        raise InputError(f"give a study ({options.study!r}) or --table, not both")
    table = read_table(
        options.table, options.factors, options.response, options.block, strict=False
    )
    higher = False if options.lower_is_better else None
    return Study(table, planned_claims=tuple(options.claim), higher_is_better=higher)


def _effects(options: argparse.Namespace) -> int:
    from analysis.effects_json import write_document
    from analysis.study import load

    if options.table is not None:
        study = _table(options)
    elif options.study:
        study = load(options.study, options.storage)
        if options.outcome:
            study = study.outcome(options.outcome)
    else:
        raise InputError("name a study, or a table with --table, --factors and --response")
    document = study.document(options.order, options.confidence)
    if options.out is None:
        import json

        print(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
        return 0
    try:
        write_document(document, options.out)
    except OSError as error:
        raise InputError(f"cannot write {str(options.out)!r}: {error.strerror}") from None
    for line in study.summary(options.order, options.confidence):
        print(line)
    print(f"wrote {options.out}")
    return 0


def _one_column() -> AbstractContextManager[None]:
    from analysis.figures import COLUMN, at_width

    return at_width(COLUMN)


def _report(options: argparse.Namespace) -> int:
    from analysis.press import Press

    with Press() as press:  # first, so that its imports and these pass together
        from analysis.report import write_report

        with _one_column() if options.column else nullcontext():
            page = write_report(options.study, options.out, options.partial, options.storage, press)
    print(f"wrote {page}")
    return 0


def _power(options: argparse.Namespace) -> int:
    from analysis import power

    return int(power.command(options))


def _claims(options: argparse.Namespace) -> int:
    from analysis.study import load

    study = load(options.study, options.storage)
    if not study.planned_claims:
        raise InputError(
            f"study {study.name!r} has no claims: write them under claims: in its file"
        )
    for row in study.claims().itertuples():
        print(f"{str(row.verdict).upper():13}{row.claim}")
        said = str(row.sentence).removeprefix(f"{str(row.verdict).capitalize()}: ")
        print(_wrapped(said, indent=13))
    return 0


def _decided(options: argparse.Namespace) -> int:
    from analysis.study import load

    found = load(options.study, options.storage).decided(options.precision)
    print(_wrapped(found.sentence))
    for row in found.table.to_dict("records"):
        more = float(row["replicates_to_decide"])
        state = "decided" if row["decided"] else "open"
        if not row["decided"] and not math.isnan(more):  # NaN: more than can be said
            state = f"open, about {more:.0f} replicates would decide it"
        print(
            f"  {row['factor']}: {row['level']} - {row['reference']} = {row['estimate']:+.4g} "
            f"± {row['half_width']:.3g}  {state}"
        )
    return 0


def _wrapped(text: str, indent: int = 0) -> str:
    """Text broken at words where it meets the edge of a terminal; one line for a file."""
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(text) + indent + 1
    return textwrap.fill(text, edge, initial_indent=" " * indent, subsequent_indent=" " * indent)


def _compare(options: argparse.Namespace) -> int:
    from analysis import compare

    return int(compare.command(options))
