"""Every verb with its arguments and options: from the parsers that read the command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping

from analysis.commands import parser as answering
from docs._generate.markdown import directive, text
from runner.commands import parser as running
from runner.entry.ablate import every_verb

_CALLS = re.compile(r"python -m (?:runner|analysis)\b")


def running_verbs() -> str:
    """Verbs that run a grid and look after it."""
    return "\n\n".join(_verb(*one) for one in parsers(running()).items())


def answering_verbs() -> str:
    """Verbs that answer from a study or a table."""
    return "\n\n".join(_verb(*one) for one in parsers(answering()).items())


def parsers(whole: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Verb to its own parser."""
    (verbs,) = [one for one in whole._actions if isinstance(one, argparse._SubParsersAction)]
    choices: Mapping[str, argparse.ArgumentParser] = verbs.choices
    return choices


def _verb(name: str, parser: argparse.ArgumentParser) -> str:
    about = every_verb()[name]
    parts = [f"## `{name}`", f"{about[:1].upper()}{text(about[1:])}."]
    if parser.epilog:
        examples = _CALLS.sub("ablate", parser.epilog).removeprefix("examples:\n")
        lines = "\n".join(line.removeprefix("  ") for line in examples.rstrip().splitlines())
        parts.append(f"```text\n{lines}\n```")
    parts.append(directive("program", f"ablate {name}"))
    parts += [
        directive("option", ", ".join(_forms(action)), text(_help(action, parser)))
        for action in actions(parser)
    ]
    return "\n\n".join(parts)


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What a person may give, `--help` apart."""
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction) and action.help != argparse.SUPPRESS:
            yield action


def _forms(action: argparse.Action) -> Iterator[str]:
    """As it is typed: `--hours H`, `FILE`."""
    value = _value(action)
    if not action.option_strings:
        yield value.strip("[]. ") or action.dest
    for option in action.option_strings:
        yield f"{option} {value}".rstrip()


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.metavar is not None:
        one = action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    elif action.choices is not None:
        one = "|".join(map(str, action.choices))
    else:
        one = action.dest.upper() if action.option_strings else action.dest
    return f"{one} ..." if action.nargs in ("+", "*") else one


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """Its sentence, with what argparse would fill in."""
    known = {**vars(action), "prog": parser.prog}
    words = (action.help or "") % {key: value for key, value in known.items()}
    words = _CALLS.sub("ablate", words)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
