"""What of the arguments is varied, what is fixed, what the run gives, what is missing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from runner.beginning.argument import Argument, Role, with_seen_choices
from runner.beginning.observed import of_function, of_script
from runner.beginning.source import Told, told_by
from runner.content.own.trainer import INJECTED
from runner.spec.reading.own.responses import TAKEN

MOST_FACTORS = 2

Kind = Literal["function", "options", "hydra"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A first study of a function or a script.

    Attributes:
        kind: how arguments are given: to a function, as options, as overrides of Hydra.
        called: "my_train.py:fit", or the script as a command names it.
        factors: what is varied.
        others: further candidates.
        fixed: numbers that are given with their defaults.
        left: what is left to its default.
        missing: what must be given and has no default.
        seeded: whether a seed is taken.
        wired: of a command, role to the option that takes what the run gives.
        told: what its source tells.
    """

    kind: Kind
    called: str
    factors: tuple[Argument, ...]
    others: tuple[Argument, ...]
    fixed: tuple[Argument, ...]
    left: tuple[Argument, ...]
    missing: tuple[Argument, ...]
    seeded: bool
    wired: dict[Role, Argument]
    told: Told

    @property
    def command(self) -> str:
        """The command's template."""
        given: tuple[Role, ...] = ("seed", "folder", "device")
        words = ["python", shlex.quote(self.called)]
        for one in self.missing:
            joint = "=" if self.kind == "hydra" else " "
            option = "" if one.positional else f"{one.spelled}{joint}"
            words.append(f"{option}{{{fill_in(one)}}}")
        if self.kind == "hydra":
            pairs = [f"{self.wired[one].spelled}={{{one}}}" for one in given if one in self.wired]
            return " ".join([*words, "{overrides}", *pairs, "hydra.run.dir={folder}"])
        pairs = [f"{self.wired[one].spelled} {{{one}}}" for one in given if one in self.wired]
        return " ".join([*words, "{args}", *pairs])

    @property
    def resume(self) -> str:
        """What continues a run, where a file can be guessed."""
        option = self.wired.get("resume")
        if option is None or option.kind == "flag" or not self.told.checkpoint:
            return ""
        return f"{option.spelled} {{folder}}/{self.told.checkpoint}"


def fill_in(argument: Argument) -> str:
    """The field of a command that a person replaces; as long as it is there, `plan` names it."""
    return f"FILL_IN_{argument.name}"


def propose_function(where: str, shown: str) -> Proposal:
    """Of a function.

    Args:
        where: as it was given, a file relative to the working directory.
        shown: as the specification names it.
    """
    arguments, file = of_function(where)
    text = Path(file).read_text("utf-8", "replace") if file else ""
    told = told_by(text, where.rpartition(":")[2])
    seeded = any(one.name == "seed" for one in arguments)
    own = [one for one in arguments if one.name not in INJECTED]
    return _proposal("function", shown, own, {}, seeded, told)


def propose_script(script: Path) -> Proposal:
    """Of a script with options, or an application of Hydra."""
    arguments, seen = of_script(script)
    told = told_by(script.read_text("utf-8", "replace"))
    wired: dict[Role, Argument] = {}
    for one in arguments:
        takes_value = one.kind != "flag" and not one.positional
        if one.role != "other" and takes_value and one.role not in wired:
            wired[one.role] = one
    own = [one for one in arguments if one not in wired.values()]
    kind: Kind = "hydra" if seen["hydra"] else "options"
    return _proposal(kind, str(script), own, wired, "seed" in wired, told)


def _proposal(
    kind: Kind,
    called: str,
    arguments: Sequence[Argument],
    wired: dict[Role, Argument],
    seeded: bool,
    told: Told,
) -> Proposal:
    taken = {*TAKEN, *(one.name for one in arguments)}  # a number that is given back as it came
    told = replace(told, responses=tuple(one for one in told.responses if one not in taken))
    arguments = with_seen_choices(arguments, told.choices)
    ranked = [(rank, one) for one in arguments if (rank := one.telling) is not None]
    candidates = [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
    factors = candidates[:MOST_FACTORS]
    rest = [one for one in arguments if one not in factors]
    missing = [one for one in rest if one.required]
    fixed = [one for one in rest if one.matters and one not in missing]
    return Proposal(
        kind,
        called,
        tuple(factors),
        tuple(one for one in candidates[MOST_FACTORS:] if one not in missing),
        tuple(fixed),
        tuple(one for one in rest if one not in fixed and one not in missing),
        tuple(missing),
        seeded,
        wired,
        told,
    )
