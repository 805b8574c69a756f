"""What stands under `exclude` and `only`, every name in it checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ablations.errors import Mistakes, did_you_mean
from runner.content.level import Factor, Level
from runner.spec.node import Node
from runner.spec.predicates import Predicate
from runner.spec.reading.levels import label_of


def read_predicates(
    root: Node, section: str, factors: Sequence[Factor], fixed: Sequence[Level]
) -> tuple[Predicate, ...]:
    """The predicates of `exclude` or `only`, every name in them checked.

    Raises:
        InputError: an empty predicate, an unknown factor, or a level the factor does not have.
    """
    section_value = root.get(section).value
    entries = section_value if isinstance(section_value, list) else []
    found: list[Predicate] = []
    mistakes = Mistakes()
    for position in range(len(entries)):
        with mistakes.noted():
            found.append(_read(root, (section, position), factors, fixed))
    mistakes.refuse()
    return tuple(found)


def _read(
    root: Node, path: tuple[str | int, ...], factors: Sequence[Factor], fixed: Sequence[Level]
) -> Predicate:
    entry = root.at(path).value
    if not isinstance(entry, dict) or not entry:
        raise root.refuse(path, "expected levels such as {scheduler: cyclic, optimizer: adam}")
    labels = {factor.name: factor.labels for factor in factors}
    levels = []
    for name, node in entry.items():
        here = (*path, name)
        if name in {level.factor for level in fixed}:
            raise root.refuse(here, f"{name!r} is fixed: only varied factors can be named")
        if name not in labels:
            raise root.refuse(here, f"unknown factor {name!r}; {did_you_mean(name, labels)}")
        plain = node.plain
        values: list[Any] = plain if isinstance(plain, list) else [plain]
        if not values:
            raise root.refuse(here, "expected at least one level")
        wanted = []
        for value in values:
            text = value if isinstance(value, str) else label_of(value)
            if text not in labels[name]:
                hint = did_you_mean(text, labels[name])
                raise root.refuse(here, f"{name!r} has no level {text!r}; {hint}")
            wanted.append(text)
        levels.append((name, tuple(dict.fromkeys(wanted))))
    return Predicate(tuple(levels))
