"""Verbs of `python -m analysis`: what a person types; one module a verb.

    effects    estimates as JSON        report   the page and all beside it
    claims     planned claims judged    decided  is it decided yet
    power      what could be found      compare  several studies
    arguments  those several verbs share

Each verb configures its own options and imports what it needs when it is called, so that `--help`
answers at once.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from analysis.commands import claims, compare, decided, effects, power, report
from runner.program.exits import exit_code_of
from runner.program.naming import program, spoken
from runner.program.version import version_words

VERBS = {
    "effects": effects,
    "report": report,
    "power": power,
    "compare": compare,
    "claims": claims,
    "decided": decided,
}


def parser() -> argparse.ArgumentParser:
    """All verbs and options."""
    main = argparse.ArgumentParser(
        prog=program("analysis"),
        description="Effects, interactions and convergence of a factorial grid, with intervals.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = main.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=spoken(module.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(verb)
        verb.set_defaults(call=module.run)
    return main


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (0 done, 2 the user's mistake, 4 no store answers)."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["--version"]:
        print(version_words())
        return 0
    options = parser().parse_args(given)
    return exit_code_of(lambda: int(options.call(options)))


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as the only thing that its process does; returns the exit code."""
    gc.disable()  # it ends soon; looking for cycles takes a tenth of a report and finds little
    code = run(arguments)
    gc.freeze()  # nor is anything looked for at the end
    return code
