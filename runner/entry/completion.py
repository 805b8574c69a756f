"""Tab completion of `ablate` in bash and zsh: verbs, options, studies, cells, keys of `--set`.

The shell asks by argcomplete's protocol (environment variables, an answer on a file of its own),
once it was told to: `eval "$(register-python-argcomplete ablate)"`. What cannot be looked up,
because there is no store or it is away, completes to nothing: no sentence is read here.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runner import commands
from runner.program.places.storage import add_storage

ASKED = "_ARGCOMPLETE"
"""Environment variable by which a shell asks."""

MOST_CELLS = 100
"""Cells of a study that are offered."""

SHORT = 8
"""Letters of a cell that are offered."""

Completer = Callable[..., Iterable[str]]


def complete(verbs: Mapping[str, str]) -> None:
    """Answer the shell and end the process; returns where argcomplete is not installed.

    Args:
        verbs: every verb and what it is for.
    """
    try:
        import argcomplete
    except ImportError:
        return
    line = os.environ.get("COMP_LINE", "").split()
    argcomplete.autocomplete(parser_of(verbs, line[1] if len(line) > 1 else ""))


def parser_of(verbs: Mapping[str, str], verb: str) -> argparse.ArgumentParser:
    """All verbs, and the options of the one that is being typed.

    Args:
        verbs: every verb and what it is for.
        verb: whose options are wanted; those of others would cost their imports.
    """
    main = argparse.ArgumentParser(prog="ablate")
    main.add_argument("--version", action="store_true", help="what is installed")
    each = main.add_subparsers(dest="verb")
    for name, summary in verbs.items():
        parser = each.add_parser(name, help=summary)
        if name == verb:
            _configure(name, parser)
            for action in parser._actions:  # argparse keeps them nowhere else
                if (completer := COMPLETERS.get(action.dest)) is not None:
                    vars(action)["completer"] = completer
    return main


def _configure(verb: str, parser: argparse.ArgumentParser) -> None:
    if verb in commands.VERBS:
        commands.module_of(verb).configure(parser)
        return
    from analysis.commands import VERBS

    VERBS[verb].configure(parser)


def _silent(look: Callable[[str, argparse.Namespace], Iterable[str]]) -> Completer:
    """A completer that finds nothing where looking fails: the shell has no place for a sentence."""

    def completer(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        try:
            return [one for one in look(prefix, parsed_args) if one.startswith(prefix)]
        except Exception:
            return []

    return completer


def _storage() -> str | None:
    """The store that the line names; argcomplete runs no actions but argparse's own."""
    probe = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_storage(probe, "")
    words = shlex.split(os.environ.get("COMP_LINE", ""))
    storage: str | None = probe.parse_known_args(words)[0].storage
    return storage


def _studies(_prefix: str, _given: argparse.Namespace) -> Iterator[str]:
    from runner.store import open_store

    with open_store(_storage(), read_patience=1) as store:
        yield from store.study_names()


def _cells(prefix: str, _given: argparse.Namespace) -> Iterator[str]:
    from runner.store import open_store

    with open_store(_storage(), read_patience=1) as store:
        for name in store.study_names():
            for row in store.runs(name, beginning=prefix, limit=MOST_CELLS):
                yield row["cell"][: max(SHORT, len(prefix))]


def _cells_of_the_study(prefix: str, given: argparse.Namespace) -> Iterator[str]:
    """Cells of the study named before, and levels once one is begun."""
    from runner.store import open_store

    with open_store(_storage(), read_patience=1) as store:
        info = store.find_study(given.study)
        for row in store.runs(info, beginning=prefix, limit=MOST_CELLS):
            yield row["cell"][: max(SHORT, len(prefix))]
        begun, comma, _ = prefix.rpartition(",")
        for factor, labels in info.factors.items():
            yield from (f"{begun}{comma}{factor}={label}" for label in labels)


def _settings(_prefix: str, _given: argparse.Namespace) -> Iterator[str]:
    """Keys that a file may have, dotted, each with the sign that a value follows."""
    from pydantic import BaseModel

    from ablations.registry import FACTORS, OPTIONAL
    from runner.spec.spec_file import SpecFile

    for key, field in SpecFile.model_fields.items():
        if key in ("factors", "fixed"):
            yield from (f"{key}.{factor}=" for factor in (*FACTORS, *OPTIONAL))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{key}.{inner}=" for inner in field.annotation.model_fields)
        else:
            yield f"{key}="


def _files(prefix: str, _given: argparse.Namespace) -> Iterator[str]:
    """Specifications that come with the program, then files and folders here."""
    from argcomplete.completers import FilesCompleter

    from runner.spec.reading.files.shipped import shipped_names

    yield from shipped_names()
    yield from FilesCompleter(("yaml", "yml"))(prefix)


COMPLETERS: dict[str, Completer] = {
    "study": _silent(_studies),
    "studies": _silent(_studies),
    "cell": _silent(_cells),
    "pair": _silent(_cells_of_the_study),
    "overrides": _silent(_settings),
    "file": _silent(_files),
}
"""Argument, as argparse calls it, to what completes it; of others argparse knows the choices."""
