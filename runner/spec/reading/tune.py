"""The section `tune`: every name in it looked up, ranges held against what takes their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ablations.errors import did_you_mean
from runner.content.level import Factor, Level
from runner.content.own.trainer import INJECTED
from runner.spec.node import Node
from runner.spec.reading.levels import check_factor_name, label_of, read_level
from runner.spec.spec_file import RangeSpec, SpecFile
from runner.spec.tune import Group, Range, Tune, rounded

Path = tuple[str | int, ...]
ReadLevel = Callable[[str, Node, Path], Level]


def read_tune(root: Node, sections: SpecFile, factors: Sequence[Factor]) -> Tune | None:
    """What is tuned before the grid of the shipped trainer; None where the file says nothing.

    Raises:
        InputError: a parameter that no level has, a range that one refuses, a level that is not.
    """

    def check(name: str, path: Path) -> None:
        check_factor_name(name, root, path)
        if "." not in name:
            raise root.refuse(path, f"{name!r} is a factor, not a parameter of one")
        for end in ("low", "high"):
            read_level(name, root, (*path, end))

    def read(name: str, root: Node, path: Path) -> Level:
        check_factor_name(name, root, path)
        if "." not in name:
            raise root.refuse(path, f"{name!r} is a factor: its level stands under 'at' or 'fixed'")
        return read_level(name, root, path)

    return _read(root, sections, factors, check, read)


def read_own_tune(
    root: Node, sections: SpecFile, factors: Sequence[Factor], read_argument: ReadLevel
) -> Tune | None:
    """The same of a trainer of one's own, whose arguments are known to itself alone."""

    def check(name: str, path: Path) -> None:
        if name in INJECTED:
            raise root.refuse(path, f"{name!r} cannot be tuned: the run gives it to each cell")

    tune = _read(root, sections, factors, check, read_argument)
    response = "" if tune is None else tune.response
    if response and response not in sections.responses:
        hint = did_you_mean(response, sections.responses)
        raise root.refuse(("tune", "response"), f"no response {response!r}; {hint}")
    return tune


def _read(
    root: Node,
    sections: SpecFile,
    factors: Sequence[Factor],
    check: Callable[[str, Path], None],
    read: ReadLevel,
) -> Tune | None:
    given = sections.tune
    if given is None:
        return None
    labels = {factor.name: factor.labels for factor in factors}
    for position, name in enumerate(given.per):
        path: Path = ("tune", "per", position)
        if name not in labels:
            raise root.refuse(path, f"no factor {name!r} is varied; {did_you_mean(name, labels)}")
        if name in given.per[:position]:
            raise root.refuse(path, f"{name!r} is named twice")
    for name in given.parameters:
        path = ("tune", "parameters", name)
        if name in labels:
            raise root.refuse(path, f"{name!r} is a factor: what is varied is not tuned")
        check(name, path)
    if given.response and sections.trainer is None:
        raise root.refuse(
            ("tune", "response"),
            "is of a trainer of one's own; the shipped one is tuned on validation accuracy",
        )
    trial = tuple(read(name, root, ("tune", "set", name)) for name in given.set)
    for one in trial:
        if one.factor in given.parameters or one.factor in labels:
            what = "is tuned" if one.factor in given.parameters else "is a factor: say it in 'at'"
            raise root.refuse(("tune", "set", one.factor), f"{one.factor!r} {what}")
    return Tune(
        ranges=tuple(_range(name, one) for name, one in given.parameters.items()),
        per=tuple(given.per),
        trials=given.trials,
        runs=given.runs,
        sampler=given.sampler,
        at=_at(root, labels, given.per),
        trial=trial,
        response=given.response or "",
        compare=given.compare,
    )


def _range(name: str, given: RangeSpec) -> Range:
    return Range(name, rounded(given.low), rounded(given.high), given.log)


def _at(root: Node, labels: Mapping[str, Sequence[str]], per: Sequence[str]) -> Group:
    """Levels of the other factors while tuning."""
    entries = root.get("tune").get("at").plain
    chosen = []
    for factor, value in entries.items() if isinstance(entries, dict) else ():
        path = ("tune", "at", factor)
        if factor not in labels:
            hint = did_you_mean(factor, labels)
            raise root.refuse(path, f"no factor {factor!r} is varied; {hint}")
        if factor in per:
            raise root.refuse(path, f"every level of {factor!r} is tuned: it stands under 'per'")
        label = value if isinstance(value, str) else label_of(value)
        if label not in labels[factor]:
            hint = did_you_mean(label, labels[factor])
            raise root.refuse(path, f"{factor!r} has no level {label!r}; {hint}")
        chosen.append((factor, label))
    return tuple(chosen)
