"""The study that comes after a screening: all combinations of the few that matter, as a file.

It extends the file of the screening study, so that data, trainer and responses stay as they are;
every factor that is left out is held at its better level.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.program.naming import spoken
from runner.program.wording import counted, listed
from runner.spec.reading.files.merge import profile_names, read_extended

MOST_FULL = 4
"""Factors whose combinations are all run; of more, a fraction that tells mains and pairs apart."""
MOST_NEXT = 11
"""Factors that a regular fraction is searched for."""
MANY_RUNS = 16
"""Combinations from which two replicates of each are enough to judge by."""
CHANGED = ("factors", "fixed", "design", "replicates", "claims", "data", "model", "train")
"""Sections of a file that a follow-up may change."""
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "none"}


@dataclass(frozen=True)
class FollowUp:
    """The specification of the study that comes next.

    Attributes:
        name: of the study.
        factors: what it varies.
        combinations: that it runs.
        replicates: of each.
        profile: to run it with, or "default".
        lines: of the file, but for what it extends and its name.
        source: path of the file that it extends.
    """

    name: str
    factors: tuple[str, ...]
    combinations: int
    replicates: int
    profile: str
    lines: tuple[str, ...]
    source: str

    @property
    def what(self) -> str:
        """What it runs, in words."""
        full = 2 ** len(self.factors)
        many = f"all {full}" if self.combinations == full else f"{self.combinations} of {full}"
        enough = "," if self.combinations == full else ", enough to tell every factor and pair,"
        runs = counted(self.combinations * self.replicates, "run")
        return (
            f"{many} combinations of {listed(self.factors)}{enough} {self.replicates} times each "
            f"({runs}), every other factor at its better level"
        )

    def text(self, extends: str, profiles: Sequence[str] = ()) -> str:
        """The file.

        Args:
            extends: path of the screening study's file as seen from where this one will lie.
            profiles: those of that file that say something of what this one changes. What a
                profile says comes last, so that the changes have to stand in it too.
        """
        told = textwrap.wrap(f"{self.what[:1].upper()}{self.what[1:]}.", 96)
        head = [*(f"# {line}" for line in told), f"extends: {_scalar(extends)}"]
        repeated = [
            line
            for profile in profiles
            for line in (f"  {_scalar(profile)}:", *(f"    {one}" for one in self.lines))
        ]
        lines = [*head, f"name: {_scalar(self.name)}", *self.lines]
        return "\n".join([*lines, *(["profiles:", *repeated] if repeated else [])]) + "\n"

    def command(self, path: str) -> str:
        """What runs it.

        Args:
            path: where the file lies.
        """
        quoted = path if re.fullmatch(r"[\w./+-]+", path) else json.dumps(path, ensure_ascii=False)
        profile = "" if self.profile == "default" else f" --profile {self.profile}"
        return spoken(f"python -m runner grid {quoted}{profile}")


def follow_up(
    spec: Mapping[str, Any], factors: Sequence[str], better: Mapping[str, str]
) -> FollowUp | None:
    """The study of a few factors of another; None where there is none to extend or to vary.

    Args:
        spec: of the screening study, as the store has it (`Spec.to_dict`).
        factors: that it varies, in declared order.
        better: factor to the level at which the others are held.
    """
    if not 2 <= len(factors) <= MOST_NEXT or not spec.get("source"):
        return None
    full = len(factors) <= MOST_FULL
    combinations = 2 ** len(factors) if full else _fraction_size(len(factors))
    replicates = 2 if combinations >= MANY_RUNS else 3
    own = spec.get("trainer") is not None
    name = f"{spec['name']}_next"
    design = "{kind: full}" if full else "{kind: regular, resolution: 5}"
    dropped = [one for one in spec["factors"] if one not in factors]
    held: dict[str, dict[str, Any]] = {}
    for factor in dropped:
        level = next(one for one in spec["factors"][factor] if one["label"] == better[factor])
        _hold(held, factor, level, own=own)
    lines = [
        "factors:",
        *(f"  {_scalar(one)}: null" for one in dropped),
        *_mappings(held, 0),
        f"design: {design}",
        f"replicates: {replicates}",
        "claims: []",
    ]
    return FollowUp(
        str(name),
        tuple(factors),
        combinations,
        replicates,
        str(spec["profile"]),
        tuple(lines),
        str(spec["source"]),
    )


def profiles_to_overrule(source: Path) -> list[str]:
    """Profiles of a file that say something of what a follow-up changes.

    Raises:
        InputError: the file is not there any more, or cannot be read.
    """
    root = read_extended(source)
    return [
        name
        for name in profile_names(root)
        if any(root.at(("profiles", name, key)).value is not None for key in CHANGED)
    ]


def _fraction_size(factors: int) -> int:
    """Runs of the smallest regular fraction of resolution five."""
    from runner.design.search.regular import generators_of_resolution

    return int(2 ** (factors - len(generators_of_resolution(factors, 5))))


def _hold(held: dict[str, Any], factor: str, level: Mapping[str, Any], *, own: bool) -> None:
    """Put a level where the file holds it: under `fixed`, or a field into its section."""
    value = _written(level, own=own)
    if own or "." not in factor:
        held.setdefault("fixed", {})[factor] = value
        return
    place: dict[str, Any] = held
    *sections, field = factor.split(".")
    for one in sections:
        place = place.setdefault(one, {})
    place[field] = level["parameters"]["value"]


def _written(level: Mapping[str, Any], *, own: bool) -> Any:
    """A level as a file has it."""
    label, name, parameters = level["label"], level["name"], dict(level["parameters"])
    if own:
        if "set" in parameters:
            return {"as": label, "set": parameters["set"]}
        value = parameters["value"]
        # Under `fixed` a bare null would take the factor away.
        named = value is None or isinstance(value, dict | list)
        return {"as": label, "value": value} if named else value
    alias = {} if label == name else {"as": label}
    return {**alias, name: parameters} if parameters or alias else name


def _mappings(held: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Sections with a line an entry; what is deeper in one line."""
    for key, value in held.items():
        indent = "  " * depth
        if depth == 0 or (depth == 1 and key == "parameters"):
            yield f"{indent}{_scalar(key)}:"
            yield from _mappings(value, depth + 1)
        else:
            yield f"{indent}{_scalar(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value as YAML and JSON both read it; a plain word without quotes."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, str) and re.fullmatch(r"[\w./-]*[A-Za-z][\w./-]*\.ya?ml", value):
        return value
    return json.dumps(value, ensure_ascii=False)
