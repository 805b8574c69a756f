"""A proposal as a YAML file, in which everything that was guessed says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from runner.beginning.argument import Argument
from runner.beginning.proposal import Proposal, fill_in
from runner.content.response import direction_of
from runner.program.naming import spoken
from runner.program.wording import listed, printable
from runner.spec.reading.levels import label_of

_COLUMN = 40
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
_RESERVED = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def yaml_of(proposal: Proposal, name: str, output: str) -> str:
    """The whole file.

    Args:
        proposal: what it proposes.
        name: of the study.
        output: path by which commands name the file.
    """
    lines = [
        *_head(proposal, output),
        f"name: {_value(name)}",
        *_trainer(proposal),
        "",
        *_factors(proposal),
        "",
        *_fixed(proposal),
        "",
        *_replicates(proposal),
        "",
        *_responses(proposal),
        "",
        "# What you expect, said before you look; the report judges it:",
        *_claims(proposal),
    ]
    return "\n".join(lines) + "\n"


def missing_words(proposal: Proposal) -> str:
    """What has to be filled in before anything can run, as a sentence; "" where nothing."""
    if not proposal.factors:
        return "no argument looks like a factor: write what you want to vary under 'factors'"
    if proposal.kind == "function":
        names = [one.name for one in proposal.missing]
        return f"under 'fixed' fill in {listed(names)}: no default was found" if names else ""
    fields = [f"{{{fill_in(one)}}}" for one in proposal.missing]
    return f"in 'command' put a value in the place of {listed(fields)}" if fields else ""


def _head(proposal: Proposal, output: str) -> Iterator[str]:
    yield f"# A first study of {printable(proposal.called)}."
    yield "# What is marked 'guessed' is a guess: read it once, then"
    yield spoken("#   python -m runner plan") + f" {output}     what would run"
    yield spoken("#   python -m runner grid") + f" {output}     runs it and writes the report"


def _trainer(proposal: Proposal) -> Iterator[str]:
    if proposal.kind == "function":
        yield _beside(f"trainer: {_value(proposal.called)}", "the function; relative to this file")
        renamed = [one for one in proposal.left if one.role in ("seed", "folder", "device")]
        for one in renamed:
            yield f"# {one.name} is left to its default; called '{one.role}', the run would give it"
        return
    yield "trainer:"
    yield "  # runs in the folder you start the grid in; {seed}, {folder}, {device}: the cell's"
    yield f"  command: {_value(proposal.command)}"
    for one in proposal.missing:
        yield _words(
            f"  # put a value in the place of {{{fill_in(one)}}}: no default was found", one
        )
    for role, one in proposal.wired.items():
        if role in ("seed", "folder", "device"):
            yield f"  # guessed by its name: {one.spelled} takes {{{role}}}"
    if proposal.kind == "options" and "folder" not in proposal.wired:
        yield "  # no option for an output folder was seen: cells that write the same file collide"
    yield from _metrics(proposal)
    if proposal.resume:
        yield "  # guessed from the file it names; appended once that file exists:"
        yield f"  resume: {_value(proposal.resume)}"
    elif proposal.kind == "options":
        option = proposal.wired.get("resume")
        spelled = option.spelled if option is not None and option.kind != "flag" else "--resume"
        yield "  # so that a killed cell goes on where it was; appended once that file exists:"
        yield f'  # resume: "{spelled} {{folder}}/last.pt"'
    yield "  # further files whose change makes new cells:"
    yield '  # code: ["src/**/*.py"]'


def _metrics(proposal: Proposal) -> Iterator[str]:
    told = proposal.told
    in_folder = proposal.kind == "hydra" or "folder" in proposal.wired
    by_file = bool(told.file) and in_folder and not told.prints_json
    by_line = bool(told.pattern) and not by_file and not told.prints_json
    if not (by_file or by_line or told.prints_json):
        yield "  # how it says its numbers was not seen; without 'metrics' its last line of JSON."
    elif told.prints_json:
        yield "  # guessed: it is seen to print JSON; without 'metrics' the last such line counts."
    else:
        seen = f"to name {told.file}" if by_file else "to print such a line"
        yield f"  # guessed: it is seen {seen}. The other way is commented out."
    file = f'metrics: "{{folder}}/{told.file or "metrics.jsonl"}"'
    pattern = told.pattern or r"accuracy (?P<accuracy>\S+)"
    line = "metrics: {stdout: " + _single(pattern) + "}"
    yield _beside(f"  {'' if by_file else '# '}{file}", "JSON lines or CSV")
    yield f"  {'' if by_line else '# '}{line}"


def _factors(proposal: Proposal) -> Iterator[str]:
    if not proposal.factors:
        yield "# No argument looks like a factor: name one with the levels you want to compare."
    else:
        yield "# guessed: the two most often asked for; levels are all choices, or the default and"
        yield "# another value. To vary another one, take away its '#' and its line under 'fixed'."
    yield "factors:" if proposal.factors else "# factors:"
    for one in proposal.factors:
        yield _beside(f"  {_key(one)}: {_values(one)}", _why(one))
    for one in proposal.others:
        yield _beside(f"  # {_key(one)}: {_values(one)}", _why(one))


def _fixed(proposal: Proposal) -> Iterator[str]:
    yield "# given to every cell: numbers with their defaults; what is commented out is not given"
    yield "fixed:" if proposal.fixed else "# fixed:"
    for one in proposal.missing if proposal.kind == "function" else ():
        yield _beside(f"  # {_key(one)}: ", _words("must be filled in: no default was found", one))
    for one in proposal.fixed:
        yield _beside(f"  {_key(one)}: {_value(one.default)}", one.help)
    for one in proposal.left:
        if one.kind != "other" and one.role == "other":
            default = "" if one.default is None else _value(one.default)
            yield _beside(f"  # {_key(one)}: {default}", one.help)


def _replicates(proposal: Proposal) -> Iterator[str]:
    if proposal.seeded:
        yield _beside("replicates: 3", "seeds of every combination; the noise is known from them")
        return
    what = "a parameter 'seed'" if proposal.kind == "function" else "an option for the seed"
    yield f"# No seed was seen: every replicate would be a copy. Add {what}"
    yield (
        "# to it, then write 3."
        if proposal.kind == "function"
        else "# to it and {seed} to the command, then write 3."
    )
    yield "replicates: 1"


def _responses(proposal: Proposal) -> Iterator[str]:
    names = proposal.told.responses
    if names:
        yield "# guessed from its source; the first one is what is asked about"
    else:
        yield "# not seen what it ends with: put the name of your number here"
    yield "# more is known with: low, high, chance (value of guessing), unit: share, target"
    yield "responses:"
    for name in names or ("accuracy",):
        better = direction_of(name)
        about = "" if better else "guessed: is higher better?"
        yield _beside(f"  {_value(name)}: {{better: {better or 'higher'}}}", about)


def _claims(proposal: Proposal) -> Iterator[str]:
    if proposal.factors:
        factor = proposal.factors[0]
        one, other = map(label_of, factor.levels[:2])
        yield f"# claims: [{json.dumps(f'{factor.name}: {one} > {other}')}]"


def _why(one: Argument) -> str:
    if one.seen_choices:
        return _words("choices as its source compares them", one)
    if one.choices:
        return _words("its choices", one)
    if one.kind == "flag":
        return one.help
    if one.default is None:
        return _words("guessed by its name: it has no default", one)
    return _words(f"default {_value(one.default)}", one)


def _words(said: str, one: Argument) -> str:
    return f"{said}; {one.help}" if one.help else said


def _beside(line: str, comment: str) -> str:
    """A line and its comment in a column of their own."""
    comment = printable(" ".join(comment.split()))[:100]
    return f"{line.ljust(_COLUMN)} # {comment}" if comment else line.rstrip()


def _key(one: Argument) -> str:
    return _value(one.name)


def _values(one: Argument) -> str:
    levels: Sequence[Any] = one.levels
    return f"[{', '.join(map(_value, levels))}]"


def _value(value: Any) -> str:
    """A scalar as YAML: plain where that is the same text."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return json.dumps(value)


def _single(text: str) -> str:
    """In single quotes, in which YAML leaves backslashes alone."""
    return "'" + text.replace("'", "''") + "'"
