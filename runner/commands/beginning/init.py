"""`init SCRIPT` or `init FILE:FUNCTION`: a first specification; `init --example`: one that runs."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from pathlib import Path

from ablations.errors import InputError
from runner.beginning.own_examples import KINDS, write_example
from runner.program.files import write_whole
from runner.program.naming import spoken
from runner.program.wording import printable

EXAMPLES = """examples:
  python -m runner init train.py               a script with argparse, click, typer or Hydra
  python -m runner init my_train.py:fit        a function, by its signature
  python -m runner init train.py --output studies/lr.yaml
  python -m runner init --example function     a folder 'function' that runs as it is
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "what", nargs="?", metavar="WHAT",
        help="SCRIPT.py, FILE.py:FUNCTION or package.module:FUNCTION; with --example, the folder "
        "(default: the example's name)",
    )  # fmt: skip
    parser.add_argument(
        "--example", choices=KINDS,
        help="write a complete example instead: "
        + "; ".join(f"{name}, {what}" for name, what in KINDS.items()),
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="FILE", help="the specification (default: NAME.yaml beside the script)"
    )
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    if arguments.example is not None:
        return _example(arguments)
    if arguments.what is None:
        raise InputError(
            "init: expected a script (train.py), a function (my_train.py:fit) or --example NAME"
        )
    return _specification(arguments.what, arguments.output, force=arguments.force)


def _example(arguments: argparse.Namespace) -> int:
    if arguments.output is not None:
        raise InputError("--output: an example is a folder; name it after --example NAME")
    folder = Path(arguments.what or arguments.example)
    for written in write_example(arguments.example, folder, force=arguments.force):
        print(f"written: {printable(str(written))}")
    place = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    print(printable(spoken(f"next: {place}python -m runner grid study.yaml")))
    return 0


def _specification(what: str, output: str | None, *, force: bool) -> int:
    from runner.beginning.proposal import propose_function, propose_script
    from runner.beginning.writing import missing_words, yaml_of
    from runner.spec.reading.levels import label_of

    where, colon, function = what.rpartition(":")
    script = Path(where if colon else what)
    if colon and not function.isidentifier():
        raise InputError(f"{what}: expected FILE.py:FUNCTION or package.module:FUNCTION")
    is_file = script.suffix == ".py" or not colon
    if is_file and not script.is_file():
        raise InputError(f"there is no file {script}")
    if is_file and script.suffix != ".py":
        raise InputError(
            f"{script}: only Python scripts can be read; for another language see "
            "python -m runner init --example command"
        )
    beside = script.with_suffix(".yaml") if is_file else Path(f"{where.rpartition('.')[2]}.yaml")
    target = Path(output) if output is not None else beside
    if target.exists() and not force:
        raise InputError(
            f"{target} is there already; --force writes over it, --output names another file"
        )
    if colon:
        shown = os.path.relpath(script, target.parent) if is_file else where
        proposal = propose_function(what, f"{shown}:{function}")
    else:
        proposal = propose_script(script)
    name = re.sub(r"\W+", "_", target.stem).strip("_") or "study"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, yaml_of(proposal, name, shlex.quote(str(target))))
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from None
    print(printable(f"written: {target}"))
    for one in proposal.factors:
        print(printable(f"  varies {one.name}: {', '.join(map(label_of, one.levels))}"))
    if words := missing_words(proposal):
        print(printable(f"first: {words}"))
    print(printable(spoken(f"next: python -m runner plan {shlex.quote(str(target))}")))
    return 0
