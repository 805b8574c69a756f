"""Factors and levels of a trainer of one's own: any name, any value.

    lr: [0.1, 0.01]
    model.depth: [11, {as: deep, value: 16}]
    optimizer: [{as: sgd, set: {optimizer: sgd, weight_decay: 5.0e-4}}, {as: none, set: {}}]

A plain level gives the argument that is called like its factor; `set` gives several at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ablations import registry
from ablations.errors import Mistakes
from runner.content.level import Factor, Level
from runner.content.own.trainer import INJECTED, given_by
from runner.program.wording import listed
from runner.spec.node import Node
from runner.spec.reading.levels import LONGEST_LABEL, Path, label_of, read_alias, read_factors

SPECIAL = ("as", "set", "value")
LONGEST_FACTOR = 100


def read_own_factors(root: Node) -> tuple[Factor, ...]:
    """Every factor of the file with its levels, in the file's order.

    Raises:
        InputError: a name or a level that cannot be one, fewer than two levels, or two the same.
    """
    return read_factors(root, _read_factor)


def _read_factor(name: str, root: Node) -> Factor:
    path: Path = ("factors", name)
    _check_name(name, root, path)
    entries = root.at(path).value
    levels: list[Level] = []
    mistakes = Mistakes()
    for position in range(len(entries) if isinstance(entries, list) else 0):
        with mistakes.noted():
            one = _read_level(name, root, (*path, position))
            for other in levels:
                if other.label == one.label or _same(other, one):
                    raise root.refuse((*path, position), f"level {one.label!r} is given twice")
            levels.append(one)
    mistakes.refuse()
    if len(levels) < 2:
        given = f"only {levels[0].label!r}" if levels else "none"
        raise root.refuse(
            path,
            f"a factor needs two levels or more, found {given}; put what is not varied under "
            "'fixed'",
        )
    return Factor(name, tuple(levels))


def _same(one: Level, other: Level) -> bool:
    """Whether two levels give the same arguments; 1 and True are not the same, 1 and 1.0 are."""
    return repr(_exact(given_by(one))) == repr(_exact(given_by(other)))


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read_own_fixed(root: Node, factors: Sequence[Factor]) -> tuple[Level, ...]:
    """What is given to every cell, in the file's order.

    Raises:
        InputError: something that is varied as well, or an argument that two levels give.
    """
    entries = root.get("fixed").value
    fixed = []
    for name in entries if isinstance(entries, dict) else {}:
        path: Path = ("fixed", name)
        _check_name(name, root, path)
        if name in {factor.name for factor in factors}:
            raise root.refuse(path, f"{name!r} is under 'factors' as well; take it out of one")
        fixed.append(_read_level(name, root, path))
    _check_given_once(root, factors, fixed)
    return tuple(fixed)


def read_argument(name: str, root: Node, path: Path) -> Level:
    """An argument with its one value, as a level.

    Raises:
        InputError: a name or a value that cannot be one.
    """
    _check_name(name, root, path)
    return _read_level(name, root, path)


def _check_given_once(root: Node, factors: Sequence[Factor], fixed: Sequence[Level]) -> None:
    """Refuse an argument that two factors, or a factor and `fixed`, give to one cell."""
    givers: dict[str, str] = {}
    for who, levels, path in (
        *((f"'fixed.{one.factor}'", (one,), ("fixed", one.factor)) for one in fixed),
        *((f"factor {one.name!r}", one.levels, ("factors", one.name)) for one in factors),
    ):
        for argument in dict.fromkeys(name for level in levels for name in given_by(level)):
            if argument in givers:
                raise root.refuse(
                    path, f"gives the argument {argument!r}, which {givers[argument]} gives as well"
                )
            givers[argument] = who


def _check_name(name: str, root: Node, path: Path) -> None:
    """Refuse a name that cannot stand in tables and terms."""
    if not name.strip() or registry.has_control(name) or len(name) > LONGEST_FACTOR:
        raise root.refuse(path, f"{name[:120]!r} cannot name a factor; expected a short plain text")
    if ":" in name or name != name.strip():
        raise root.refuse(path, f"{name!r}: a factor's name has no colon and no spaces around it")
    if name in INJECTED:
        what = "each cell draws its own" if name == "seed" else "the run gives it to each cell"
        raise root.refuse(path, f"{name!r} is no factor: {what}")


def _read_level(factor: str, root: Node, path: Path) -> Level:
    node = root.at(path)
    value, label = node.plain, None
    if isinstance(node.value, dict) and "as" in node.value:
        label = read_alias(node.value["as"], root, (*path, "as"))
        rest = [key for key in node.value if key != "as"]
        if rest not in (["set"], ["value"]):
            found = listed(rest) if rest else "nothing"
            raise root.refuse(
                path, f"expected {{as: NAME, set: {{...}}}} or {{as: NAME, value: ...}}, found "
                f"{found} beside 'as'"
            )  # fmt: skip
        value = node.value[rest[0]].plain
        if rest == ["set"]:
            return Level(factor, label, label, {"set": _arguments(value, root, (*path, "set"))})
    elif isinstance(node.value, dict) and set(node.value) == {"set"}:
        raise root.refuse(path, "a level that sets arguments needs a name: {as: NAME, set: {...}}")
    _check_value(value, root, path)
    text = _text(value)
    if label is None and (len(text) > LONGEST_LABEL or registry.has_control(text) or not text):
        raise root.refuse(
            path, f"{text[:60]!r} cannot be shown as a level; name it: {{as: NAME, value: ...}}"
        )
    return Level(factor, label or text, label or text, {"value": value})


def _arguments(value: Any, root: Node, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise root.refuse(path, f"expected arguments such as {{lr: 0.1}}, got {value!r}")
    for name, one in value.items():
        if name in INJECTED:
            raise root.refuse((*path, name), f"{name!r} cannot be set: the run gives it")
        _check_value(one, root, (*path, name))
    return value


def _check_value(value: Any, root: Node, path: Path) -> None:
    """Refuse what JSON cannot hold: it could neither be hashed nor handed to a process."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise root.refuse(
            path, f"{value!r}: expected text, a finite number, true, false, null, a list or a "
            "mapping of them"
        ) from None  # fmt: skip


def _text(value: Any) -> str:
    """A value as a label: `0.1`, `true`, `[64, 32]`, `{depth: 3}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return label_of(value)
