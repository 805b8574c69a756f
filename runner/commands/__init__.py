"""The command line: one module a verb, found by name and imported only when it is asked for.

    running/   verbs that train                  looking/   verbs that only look
    beginning/ verbs that write a specification  diagnosing/ why one training fails
    tuning/    what `grid` does before its cells  moving/  verbs that take a study out
    standing/  how far a study is, in facts and words
    options    shared by verbs                   arguments  what they name
    placement  where cells train                 sentences  in the same words
    terminal   how verbs print               trial      what a plugin brings, on one batch
    own_trainer  a function or command, looked at before anything runs
    waves        replicates as many as it takes

No verb that trains nothing imports torch. Errors that are the user's to mend end here as one
sentence and an exit code, never as a traceback.
"""

from __future__ import annotations

import argparse
import gc
import importlib
from collections.abc import Collection, Sequence
from typing import Any

from ablations.errors import InputError, did_you_mean
from runner.program.exits import exit_code_of, exit_codes
from runner.program.naming import program, spoken
from runner.program.version import version_words

VERBS = {
    "init": "write a first specification of a script or a function, or a complete example",
    "grid": "run every cell of a specification that has not been run yet, then report",
    "augment": "let a fraction grow by new cells: a fold-over, more runs, the full grid",
    "doctor": "why one training does not converge: evidence, cause, a repair that was run",
    "plan": "print the cells, the design's facts, what is done, what is left and how long it takes",
    "status": "how far a study is: cells by state, reasons of failures, workers",
    "show": "one cell: levels, attempts, curve, the end of its log",
    "diff": "two cells side by side: what differs, outcomes, causes, curves",
    "retry": "put failed cells back to waiting",
    "work": "join a study as one more worker, from any machine that reaches the store",
    "copy": "take a study into another store, to go on elsewhere or to be kept",
    "export": "write a study's cells and curves as CSV or Parquet",
    "dashboard": "serve optuna-dashboard on the store",
    "schema": "print the JSON Schema of the specification file",
    "tune-device": "measure how many slots a device serves best and remember it",
}

ROOMS = {
    **dict.fromkeys(("init", "augment"), "beginning"),
    **dict.fromkeys(("grid", "work", "retry", "tune-device"), "running"),
    **dict.fromkeys(("export", "copy"), "moving"),
    "doctor": "diagnosing",
}
"""Where the modules of verbs are that do more than look; those of the others are in `looking`."""
SERVERS = ("dashboard",)
"""Verbs that look, and go on."""

EPILOG = f"""exit codes:
{exit_codes()}

examples:
  python -m runner init my_train.py:fit
  python -m runner plan ablations/five_factor.yaml
  python -m runner grid ablations/five_factor.yaml --set replicates=3
  python -m runner status five_factor
"""


def main(arguments: Sequence[str]) -> int:
    """Dispatch to a verb; returns the exit code."""
    return exit_code_of(lambda: _dispatch(list(arguments)))


def alone(arguments: Sequence[str]) -> int:
    """The same as the only thing that its process does; returns the exit code."""
    if next(iter(arguments), "") not in (*ROOMS, *SERVERS):
        gc.disable()  # it ends soon; looking for cycles takes a quarter of its time
    code = main(arguments)
    gc.freeze()  # nor is anything looked for at the end
    return code


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        print(version_words())
        return 0
    first = next((a for a in arguments if not a.startswith("-")), None)
    if first is not None and first == arguments[0] and first not in VERBS:
        raise InputError(f"unknown command {first!r}; {did_you_mean(first, VERBS)}")
    parsed = parser(() if first is None else (first,)).parse_args(arguments)
    run = module_of(parsed.verb).run
    code: int = run(parsed)
    return code


def parser(complete: Collection[str] = tuple(VERBS)) -> argparse.ArgumentParser:
    """All verbs, those of `complete` with their options."""
    whole = argparse.ArgumentParser(
        prog=program("runner"),
        description="Run a factorial ablation grid and look after it.",
        epilog=spoken(EPILOG),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = whole.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for verb, summary in VERBS.items():
        if verb not in complete:  # its options are not needed: leave its module alone
            verbs.add_parser(verb, help=summary, add_help=False)
            continue
        module = module_of(verb)
        module.configure(
            verbs.add_parser(
                verb,
                help=summary,
                description=summary[0].upper() + summary[1:] + ".",
                epilog=spoken(module.EXAMPLES),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return whole


def module_of(verb: str) -> Any:
    """The module of a verb, in the room where it is."""
    room = ROOMS.get(verb, "looking")
    return importlib.import_module(f"runner.commands.{room}.{verb.replace('-', '_')}")
