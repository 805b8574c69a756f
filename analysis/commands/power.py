"""`power`: what a study, or a design that is only stated, can detect."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from analysis.commands import arguments
from runner.program.answers import add_json, print_answer
from runner.program.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study import Study
    from runner.content.response import Response

SUMMARY = "Smallest effect each term can detect, and replicates a wanted precision takes."
MISFIT = (
    "Counted is the noise of the runs. This fraction's combinations also lie off the model that "
    "predicts the others, which intervals count and more replicates do not change; more "
    "combinations do."
)
EXAMPLES = """\
examples:
  python -m analysis power five_factor-quick
  python -m analysis power five_factor-quick --outcome converged --size 20 --replicates 12
  python -m analysis power five_factor-quick --outcome epochs --between "optimizer: adam - sgd"
  python -m analysis power --table runs.csv --factors lr wd --response val_loss --block seed
  python -m analysis power --from tensorboard runs
  python -m analysis power --levels 3 3 2 2 2 --sigma 0.39 --replicates 3
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb, optional=True)
    arguments.add_table(
        verb, factors="columns of the factors, or names for --levels", outcome=False
    )
    arguments.add_outcome(verb)
    add_json(verb)
    verb.add_argument("--levels", nargs="+", type=int, metavar="L", help="levels per factor")
    verb.add_argument("--sigma", type=float, metavar="S", help="standard deviation of one run")
    verb.add_argument("--replicates", type=int, metavar="K", help="runs per cell")
    verb.add_argument("--precision", type=float, metavar="H", help="wanted half-width of intervals")
    verb.add_argument(
        "--size",
        type=float,
        metavar="D",
        help="difference looked for, of converged in points (default 20), of epochs in epochs",
    )
    verb.add_argument(
        "--between",
        metavar="TEXT",
        help="'optimizer: adam - sgd', of converged or epochs; by default the first and last level "
        "of each factor",
    )
    verb.add_argument("--power", type=float, default=0.8, metavar="P", help="default 0.8")


def run(options: argparse.Namespace) -> int:
    """Print the table of a study or of a stated design."""
    if not 0 < options.power < 1:
        raise InputError(f"--power is {options.power}; expected a share between 0 and 1")
    if options.precision is not None and not options.precision > 0:
        raise InputError(f"--precision is {options.precision}; expected a positive half-width")
    if not options.study and options.table is None and options.tool is None:
        table, questions = _stated(options)
        if options.json:
            return _as_json({"study": None}, table, options.power, questions)
        print(power_text(table, questions, options.power))
        return 0
    if options.levels:
        raise InputError("name a study, a table or runs, or give --levels, not both")
    study = arguments.read_study(options)
    if study.has_simulated_power:
        return _simulated(study, options)
    for name in ("size", "between"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} goes with --outcome converged or epochs")
    table = study.power(options.power, options.precision, options.sigma)
    if options.json:
        facts = arguments.study_facts(study)
        return _as_json(facts, table, options.power, study.judgement.count)
    print(power_text(table, study.judgement.count, options.power, study.measure))
    if any(lack.variance > 0 for lack in study.grid.completion.lacks.values()):
        print(MISFIT)
    for line in (*arguments.claim_lines(study), *arguments.note_lines(study)):
        print(line)
    return 0


def _as_json(
    facts: Mapping[str, Any], table: pd.DataFrame, power: float, questions: int | None
) -> int:
    """Print a table for a program; `terms`, or by simulated studies the differences looked for."""
    from analysis.table.records import records

    told = {"simulated": questions is None, "wanted_power": power, "questions": questions}
    print_answer("power", {**facts, **told, "rows": records(table)})
    return 0


def _simulated(study: Study, options: argparse.Namespace) -> int:
    """Print the power of convergence or of epochs to the target, by simulated studies."""
    for name in ("sigma", "precision"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} says nothing of an outcome whose power is simulated")
    size, converged = options.size, study.response == "converged"
    if size is not None and converged:
        size /= 100
    table = study.simulated_power(size, options.between, options.replicates, options.power)
    if options.json:
        return _as_json(arguments.study_facts(study), table, options.power, None)
    for line in simulated_lines(table, options.power, converged, options.between is not None):
        print(line)
    for line in arguments.note_lines(study):
        print(line)
    return 0


def simulated_lines(
    table: pd.DataFrame, power: float, converged: bool, searched: bool
) -> list[str]:
    """One sentence a row, and what it rests on."""
    from analysis.verdicts.simulated_power import MOST, STUDIES

    lines = []
    for row in table.to_dict("records"):
        size = float(row["size"])
        what = (
            f"{100 * size:g} points in convergence" if converged else f"{size:g} epochs to target"
        )
        runs = counted(int(row["replicates"]), "replicate")
        between = f"{row['factor']}: {row['second']} - {row['first']}"
        lines.append(
            f"{between}: {runs} would show a difference of {what} with {row['power']:.0%} "
            f"(± {2 * 100 * row['error']:.0f} points)."
        )
        if searched:
            needed = float(row["replicates_needed"])
            found = f"{needed:g} replicates would" if math.isfinite(needed) else f"{MOST} would not"
            lines[-1] += f" {found} show it with {power:.0%}."
    lines.append(
        f"By {STUDIES} simulated studies each, judged as a finished one is; rates and scatter are "
        "those of this study, and a few runs know them roughly."
    )
    return lines


def _stated(options: argparse.Namespace) -> tuple[pd.DataFrame, int]:
    """The table of a design that exists only in the options, and how many questions it has.

    Its runs have seeds of their own, as the cells of a file do.
    """
    from analysis.verdicts.judgement import ALPHA, questions_of
    from analysis.verdicts.power import detectable_in_plan

    if not options.levels:
        raise InputError("name a study, or a design by --levels, --sigma and --replicates")
    for name in ("sigma", "replicates"):
        if getattr(options, name) is None:
            raise InputError(f"a design without a study needs --{name}")
    if min(options.levels) < 2:
        raise InputError(f"--levels has {min(options.levels)}; a factor has two levels or more")
    names = options.factors or [chr(65 + k) for k in range(len(options.levels))]
    if len(names) != len(options.levels) or len(set(names)) < len(names):
        raise InputError(
            f"--factors names {len(names)} for {len(options.levels)} --levels; "
            "expected one name of its own for each"
        )
    factors = {n: [str(i) for i in range(k)] for n, k in zip(names, options.levels, strict=True)}
    questions = questions_of(factors)
    table = detectable_in_plan(
        factors,
        options.sigma,
        options.replicates,
        options.power,
        ALPHA / questions,
        options.precision,
    )
    return table, questions


def power_text(
    table: pd.DataFrame, questions: int, power: float = 0.8, measure: Response | None = None
) -> str:
    """The table as text a person reads, with one sentence on how to read it.

    Args:
        table: as `verdicts.power` has it.
        questions: judged together.
        power: wanted.
        measure: whose units are shown; None: those of the numbers.
    """
    import pandas as pd

    from analysis.report.words.names import readable

    scale, unit = (1.0, "") if measure is None else (measure.scale, measure.difference)
    behind = f" ({unit})" if unit else ""
    columns = {
        "term": table["term"].map(readable),
        "compares": table["compares"],
        f"found{behind}": table["detectable"] * scale,
        f"interval ±{behind}": table["half_width"] * scale,
    }
    if table["detectable_f"].notna().any():
        columns[f"found by its F test{behind}"] = table["detectable_f"] * scale
    if table["replicates_for_precision"].notna().any():
        columns["replicates for --precision"] = table["replicates_for_precision"]
    first = table.iloc[0]
    runs = "run" if first["replicates"] == 1 else "runs"
    deviation = f"{first['sigma'] * scale:.4g} {unit}".rstrip()
    head = (
        f"With {first['replicates']:g} {runs} per cell and a standard deviation of "
        f"{deviation} per run ({first['df']:g} degrees of freedom), each term finds the "
        f"difference under `found` with {power:.0%} power, "
        f"{counted(questions, 'question')} judged together at 5 %:"
    )
    shown = pd.DataFrame(columns).to_string(
        index=False, float_format=lambda v: f"{v:.3g}", na_rep="none"
    )
    return f"{head}\n\n{shown}"
