"""Options that several verbs share, what they mean, and how verbs print."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.program.places.storage import add_storage

if TYPE_CHECKING:
    from analysis.study import Study

OF_TABLES = ("factors", "response", "block", "wide", "std", "n", "nested", "lower_is_better",
             "higher_is_better")  # fmt: skip
"""Options that mean nothing without a table."""
OF_FILES = ("wide", "std", "n", "nested")
"""Of those, the ones that say in which form a table was written down."""
OF_TOOLS = ("bins", "only")
"""Options that mean nothing without runs of another tool."""


def add_study(verb: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """A study of the store, by its name or the start of it."""
    verb.add_argument(
        "study",
        nargs="?" if optional else None,
        help="a study of the store, or the start of its name",
    )
    add_storage(verb, "of the store that nobody names, and of the report")


def add_table(
    verb: argparse.ArgumentParser,
    *,
    several: bool = False,
    factors: str = "columns of the factors",
    outcome: bool = True,
) -> None:
    """A table, or runs of another tool, instead of a study.

    Args:
        verb: whose options these become.
        several: whether more than one may be named.
        factors: help of `--factors`.
        outcome: whether `--outcome` is another word for `--response`.
    """
    group = verb.add_argument_group("a table instead of a study")
    group.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        action="append" if several else "store",
        help="CSV (any delimiter), Parquet or Excel"
        + ("; may be repeated, the options below are of all" if several else ""),
    )
    group.add_argument("--factors", nargs="+", metavar="NAME", help=factors)
    group.add_argument(
        "--response",
        *(["--outcome"] if outcome else []),
        metavar="NAME",
        help="column of the outcome, or the metric",
    )
    group.add_argument("--block", metavar="NAME", help="column of the replicate shared by cells")
    group.add_argument(
        "--wide", metavar="PATTERN", help="columns of the outcome, one a seed: 'seed*'"
    )
    group.add_argument(
        "--std", metavar="NAME", help="in a table of means: column of their standard deviations"
    )
    group.add_argument(
        "--n", metavar="NAME", help="in a table of means: column of the counts, or one number"
    )
    group.add_argument(
        "--nested", metavar="INNER:OUTER", help="replicates within larger units: Run:Day"
    )
    group.add_argument(
        "--claim",
        action="append",
        default=[],
        metavar="TEXT",
        help="a planned contrast to answer, 'A: a > b by 0.5', in the unit of the response; may be "
        "repeated",
    )
    better = group.add_mutually_exclusive_group()
    better.add_argument("--lower-is-better", action="store_true", help="the outcome is a loss")
    better.add_argument(
        "--higher-is-better",
        action="store_true",
        help="the outcome is no loss, whatever its name says",
    )
    _add_tools(verb, several=several)


def _add_tools(verb: argparse.ArgumentParser, *, several: bool) -> None:
    """Runs that another tool kept, instead of a study or a table."""
    group = verb.add_argument_group(
        "runs of another tool instead of a study",
        "Factors, replicate and outcome are told from the runs; --factors, --block and --response "
        "say otherwise.",
    )
    group.add_argument(
        "--from",
        dest="tool",
        nargs="+",
        metavar=("TOOL SOURCE", "NAME"),
        action="append" if several else "store",
        help="what kept them, and where: optuna URL [STUDY], wandb FOLDER|CSV [PROJECT], "
        "mlflow FOLDER|URI [EXPERIMENT], tensorboard FOLDER, hydra MULTIRUN_FOLDER"
        + ("; may be repeated" if several else ""),
    )
    group.add_argument(
        "--bins",
        nargs="+",
        type=_bins,
        metavar="NAME=K",
        help="cut a searched number into K bins of about as many runs, or at edges: lr=0.001,0.01",
    )
    group.add_argument(
        "--only", nargs="+", type=_level, metavar="NAME=LEVEL", help="runs of this level alone"
    )


def _level(text: str) -> tuple[str, str]:
    name, equals, level = text.partition("=")
    if not (name and equals and level):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=LEVEL, such as optimizer=sgd")
    return name, level


def _bins(text: str) -> tuple[str, int | list[float]]:
    name, equals, how = text.partition("=")
    try:
        bins = int(how) if how.isdecimal() else [float(edge) for edge in how.split(",")]
    except ValueError:
        bins = 0
    if not (name and equals and bins) or (isinstance(bins, int) and bins < 2):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected NAME=K with two bins or more, or edges: lr=0.001,0.01"
        )
    return name, bins


def add_outcome(verb: argparse.ArgumentParser) -> None:
    """Which outcome of a study is looked at."""
    verb.add_argument(
        "--outcome",
        metavar="NAME",
        help="of a study: accuracy (default), converged, learned, epochs, given_converged or "
        "seconds; of a trainer of one's own a response; with --from the metric, as --response",
    )


def read_study(options: argparse.Namespace) -> Study:
    """The table or the study that was named; InputError where none or both were."""
    given = [name for name in ("study", "table", "tool") if getattr(options, name) is not None]
    if len(given) > 1:
        words = {"study": f"a study ({options.study!r})", "table": "--table", "tool": "--from"}
        raise InputError(f"give {words[given[0]]} or {words[given[1]]}, not both")
    if options.tool is not None:
        return study_of_tool(options, options.tool)
    if options.table is not None:
        return study_of_table(options, options.table)
    refuse_table_options(options)
    if not options.study:
        raise InputError("name a study, or a table with --table, --factors and --response, or "
                         "runs of another tool with --from")  # fmt: skip
    if options.claim:
        raise InputError(
            "--claim goes with --table or --from; the claims of a study stand in its file, and "
            "`python -m analysis claims STUDY --claim` answers another"
        )
    return load_study(options)


def load_study(options: argparse.Namespace) -> Study:
    """The study of the store that was named, looking at the outcome that was."""
    from analysis.loading import load

    study = load(options.study, options.storage)
    outcome = getattr(options, "outcome", None)
    return study.outcome(outcome) if outcome else study


def study_of_table(options: argparse.Namespace, path: Path) -> Study:
    """The study that the options make of a file, called by it."""
    from analysis.study import Study
    from analysis.table.forms.shape import Shape
    from analysis.table.reading import read_table

    _refuse(options, OF_TOOLS, "says something of another tool's runs: it goes with --from")
    for wanted in ("factors", "response"):
        if not getattr(options, wanted) and not (wanted == "response" and options.wide):
            raise InputError(f"--table needs --{wanted}: which columns are meant")
    table = read_table(
        path,
        options.factors,
        options.response,
        options.block,
        strict=False,
        shape=Shape(options.wide, options.std, options.n, options.nested),
    )
    study = Study.of(
        table,
        name=path.name.partition(".")[0] or "table",
        planned_claims=tuple(options.claim),
        higher_is_better=options.higher_is_better or (False if options.lower_is_better else None),
    )
    _check_claims(study)
    return study


def study_of_tool(options: argparse.Namespace, words: list[str]) -> Study:
    """The study that the options make of another tool's runs."""
    from analysis.importers.making import Said
    from analysis.importers.tools import from_tool

    _refuse(options, OF_FILES, "says how a table is written: it goes with --table FILE")
    study = from_tool(
        words,
        Said(
            factors=options.factors,
            response=options.response or getattr(options, "outcome", None),
            replicate=options.block,
            bins=dict(options.bins or ()),
            only=dict(options.only or ()),
            claims=tuple(options.claim),
            higher_is_better=options.higher_is_better
            or (False if options.lower_is_better else None),
        ),
    )
    _check_claims(study)
    return study


def _check_claims(study: Study) -> None:
    """Refuse a claim that cannot be read, before anything is written."""
    from runner.spec.claims import check_claim, parse_claim

    for claim in study.planned_claims:
        check_claim(parse_claim(claim, study.measure, study.outcomes), study.factors)


def refuse_table_options(options: argparse.Namespace) -> None:
    """Refuse what says something of a table or of another tool's runs where none was named."""
    _refuse(options, OF_TABLES, "says something of a table: name it with --table FILE")
    _refuse(options, OF_TOOLS, "says something of another tool's runs: name them with --from")


def _refuse(options: argparse.Namespace, names: Sequence[str], why: str) -> None:
    for name in names:
        if getattr(options, name, None):
            option = "response (--outcome)" if name == "response" else name.replace("_", "-")
            raise InputError(f"--{option} {why}")


def opening(study: Study) -> list[str]:
    """What the report would say first: its lines and its table; why not, where it cannot."""
    from analysis.report.words.brief.build import brief
    from analysis.report.words.brief.text import plain

    try:
        return to_terminal(plain(brief(study)))
    except InputError as error:
        return [for_terminal(f"Nothing can be estimated: {error}.")]


def to_terminal(lines: Sequence[str]) -> list[str]:
    """Sentences broken at the edge of a terminal; what follows the empty line is a table."""
    end = lines.index("") if "" in lines else len(lines)
    return [*map(for_terminal, lines[:end]), *lines[end:]]


def claim_lines(study: Study) -> Iterator[str]:
    """Each claim with its verdict and the reason."""
    if not study.planned_claims:
        return
    try:
        judged = study.claims()
    except InputError as error:
        yield for_terminal(f"No claim can be judged: {error}.")
        return
    for row in judged.itertuples():
        yield f"{str(row.verdict).upper():13}{row.claim}"
        yield for_terminal(str(row.reason), indent=13)


def study_facts(study: Study) -> dict[str, Any]:
    """What is said of a study in every answer for a program."""
    measure = study.measure
    return {
        "study": study.name,
        "outcome": measure.name,
        "runs": len(study.frame),
        "factors": {name: list(levels) for name, levels in study.factors.items()},
        "notes": [] if study.checked is None else list(study.checked.notes),
    }


def claim_facts(study: Study) -> list[dict[str, Any]]:
    """Each claim with its verdict, for a program."""
    from analysis.table.records import records

    return records(study.claims())


def note_lines(study: Study) -> Iterator[str]:
    """What was joined, made up or left out in reading a table; nothing of a study of the store."""
    if study.checked is not None:
        for note in study.checked.notes:
            yield for_terminal(f"Note: {note}.")


def direction_lines(study: Study) -> Iterator[str]:
    """That more was taken for better, where neither a name nor a person said so."""
    measure = study.measure
    if study.checked is not None and not measure.known_direction:
        yield for_terminal(
            f"Note: more {measure.name} is taken as better; --lower-is-better says otherwise."
        )


def for_terminal(text: str, indent: int = 0) -> str:
    """Text broken at words where it meets the edge of a terminal; one line for a file."""
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(text) + indent + 1
    return textwrap.fill(text, edge, initial_indent=" " * indent, subsequent_indent=" " * indent)
