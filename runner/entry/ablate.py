"""The command `ablate`: the verbs of `python -m runner` and `python -m analysis`, no two alike."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ablations.errors import InputError, did_you_mean
from runner import commands
from runner.entry import completion
from runner.program.exits import exit_code_of
from runner.program.version import version_words

ANSWERS = {
    "report": "the page of a study, or of a table of runs, and all beside it",
    "decided": "is it decided yet? which differences are, after the replicates so far",
    "claims": "planned comparisons, or others, answered in words",
    "effects": "estimates with intervals, as JSON",
    "power": "the smallest effect that can be found, and what more replicates buy",
    "compare": "the same effects of several studies side by side",
}
"""Verbs of the analysis, which a help text must not import."""

EXAMPLES = """examples:
  ablate grid five_factor                a grid that comes with the program
  ablate init my_train.py:fit            a first specification of a function of your own
  ablate grid my_train.yaml
  ablate report my_train
  ablate VERB --help
  eval "$(register-python-argcomplete ablate)"    Tab completion (bash, zsh; extra 'complete')
"""


def run(arguments: Sequence[str]) -> int:
    """Run a verb of either program; returns its exit code."""
    first = arguments[0] if arguments else "--help"
    if first in ANSWERS:
        from analysis.commands import run as answer

        return answer(arguments)
    if first in commands.VERBS:
        return commands.main(arguments)
    return exit_code_of(lambda: _other(first))


def main(arguments: Sequence[str]) -> int:
    """The same as the only thing that its process does; returns the exit code."""
    if completion.ASKED in os.environ:
        completion.complete(every_verb())
        return 0
    if arguments and arguments[0] in ANSWERS:
        from analysis.commands import main as answer

        return answer(arguments)
    if arguments and arguments[0] in commands.VERBS:
        return commands.alone(arguments)
    return run(arguments)


def _other(first: str) -> int:
    if first in ("-h", "--help", "help"):
        print(help_text())
        return 0
    if first == "--version":
        print(version_words())
        return 0
    raise InputError(f"unknown command {first!r}; {did_you_mean(first, every_verb())}")


def every_verb() -> dict[str, str]:
    """Each verb and what it is for, those that run first."""
    return {**commands.VERBS, **ANSWERS}


def help_text() -> str:
    """What `ablate --help` says."""
    width = max(map(len, every_verb()))
    listed = {
        "run and look after a grid:": commands.VERBS,
        "answer from a study, or from a table of anybody's runs:": ANSWERS,
    }
    parts = ["usage: ablate VERB ..."]
    parts += [
        "\n".join([title, *(f"  {verb:<{width}}  {words}" for verb, words in verbs.items())])
        for title, verbs in listed.items()
    ]
    return "\n\n".join([*parts, EXAMPLES.rstrip()])
