"""Groups of levels that get values of their own, and for each the study of its trials.

Such a study is the grid's specification with the group's levels held, the nuisance parameters as
its factors and another seed: none of its cells is one of the grid's. Its trials are run at one
combination, the same levels of all other factors for every group (`Tune.at`, else the first ones).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.content.level import Factor, Level, apply_fields, with_parameters
from runner.content.own.trainer import arguments_of, with_arguments, without_arguments
from runner.design import Combination, Design, allows, listed
from runner.spec.spec import Spec
from runner.spec.spec_file import FullDesign
from runner.spec.tune import Group, Range, Tune, value_level

Values = tuple[float, ...]
"""One value for each range."""

TRIALS = "/tune/"
"""In the name of a study, between the grid's and the group's."""

GIVEN = "/given"
"""At the end of the name of the study that runs the grid with the values as given."""


@dataclass(frozen=True)
class Tuned:
    """What is tuned for one group.

    Attributes:
        group: the levels that the values belong to.
        ranges: the parameters that these levels have.
        given: their values as the file gives them; those that it does not give are absent.
        at: the combination that trials run at, factor to label.
        spec: of the trials' study, without trials: its factors have no levels yet.
    """

    group: Group
    ranges: tuple[Range, ...]
    given: Mapping[str, float]
    at: Mapping[str, str]
    spec: Spec

    @property
    def first(self) -> Values:
        """The trial that comes first: the values as given, else the middles of the ranges."""
        return tuple(
            one.within(self.given[one.name]) if one.name in self.given else one.middle
            for one in self.ranges
        )

    def design(self, trials: Collection[Values]) -> Design:
        """The cells of these trials."""
        order = list(dict.fromkeys(trials))
        columns = [
            list(dict.fromkeys(values[position] for values in order))
            for position in range(len(self.ranges))
        ]
        factors = tuple(
            Factor(one.name, tuple(value_level(one.name, value) for value in column))
            for one, column in zip(self.ranges, columns, strict=True)
        )
        runs: list[Combination] = [
            tuple(column.index(value) for column, value in zip(columns, values, strict=True))
            for values in order
        ]
        return listed(replace(self.spec, factors=factors), runs)


def groups_of(spec: Spec, design: Design) -> tuple[Tuned, ...]:
    """Every group of the design whose levels have a parameter to tune, in the file's order.

    Args:
        spec: the grid's, which says what is tuned.
        design: its design.

    Raises:
        InputError: a parameter that no group's levels have.
    """
    tune = spec.tune
    if tune is None:
        return ()
    labels = [factor.labels for factor in spec.factors]
    names = [factor.name for factor in spec.factors]
    combinations: dict[Group, list[Combination]] = {}
    for run in design.runs:
        named = dict(zip(names, (labels[f][i] for f, i in enumerate(run)), strict=True))
        combinations.setdefault(tuple((one, named[one]) for one in tune.per), []).append(run)
    wanted = [
        labels[f].index(dict(tune.at).get(name, labels[f][0])) for f, name in enumerate(names)
    ]
    order = {group: _at(spec, tune, wanted, runs) for group, runs in combinations.items()}
    chosen = sorted(order.items(), key=lambda one: [
        labels[names.index(name)].index(label) for name, label in one[0]
    ])  # fmt: skip
    groups = tuple(filter(None, (_tuned(spec, tune, group, run) for group, run in chosen)))
    for one in tune.ranges:
        if not any(one in group.ranges for group in groups):
            raise spec.refuse(("tune", "parameters", one.name), "no cell has such a parameter")
    return groups


def _at(spec: Spec, tune: Tune, wanted: Sequence[int], runs: Sequence[Combination]) -> Combination:
    """The group's combination with the wanted levels of all other factors, run by the grid or not.

    A fraction seldom runs it for every group, and groups tuned at unlike levels would differ by
    them. Where `exclude` or `only` takes it out: of the group's runs the one that is nearest.
    """
    exactly = tuple(
        own if factor.name in tune.per else level
        for factor, own, level in zip(spec.factors, runs[0], wanted, strict=True)
    )
    if allows(spec, exactly):
        return exactly
    return min(runs, key=lambda run: _from(wanted, run))


def _from(wanted: Sequence[int], run: Combination) -> tuple[int, Combination]:
    """How far a combination is from the wanted one: factors that differ, then the file's order."""
    return sum(a != b for a, b in zip(wanted, run, strict=True)), run


def _tuned(spec: Spec, tune: Tune, group: Group, run: Combination) -> Tuned | None:
    levels = tuple(factor.levels[i] for factor, i in zip(spec.factors, run, strict=True))
    ranges, given = _given(spec, tune, levels)
    if not ranges:
        return None
    data, model, train = spec.data, spec.model, spec.train
    if spec.trainer is not None:
        held = without_arguments((*spec.fixed, *levels), [one.name for one in ranges])
        _, held = with_arguments((), held, tune.trial)
    else:
        fields = (*(one for one in levels if one.is_field), *tune.trial)
        held = with_parameters((*spec.fixed, *levels), fields)
        # What is tuned is no part of what is held: another value in the file tunes nothing anew.
        middles = tuple(value_level(one.name, one.middle) for one in ranges)
        held = with_parameters(tuple(one for one in held if not one.is_field), middles)
        data, model, train = apply_fields((data, model, train), fields)
    base = replace(
        spec,
        data=data,
        model=model,
        train=train.model_copy(update={"seed": _other_seed(spec.train.seed)}),
        factors=tuple(Factor(one.name, ()) for one in ranges),
        fixed=held,
        replicates=tune.runs,
        adaptive=None,
        design=FullDesign(),
        exclude=(),
        only=(),
        claims=(),
        left_out=(),
        tune=None,
        found=(),
        responses=_first(spec.responses, tune.response),
        trainer=spec.trainer
        and replace(spec.trainer, responses=tuple(_first(spec.responses, tune.response))),
    )
    content = [base.protocol_hash, [[one.name, one.low, one.high, one.log] for one in ranges]]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:6]
    words = ",".join(f"{factor}={label}" for factor, label in group)
    slug = re.sub(r"[^\w=.,+-]+", "-", words)[:60]
    called = f"{spec.study}{TRIALS}{slug}-{digest}"
    return Tuned(group, ranges, given, {one.factor: one.label for one in levels},
                 replace(base, called=called))  # fmt: skip


def _first(
    responses: Mapping[str, Mapping[str, object]], name: str
) -> dict[str, dict[str, object]]:
    """The responses with that one in front."""
    order = sorted(responses, key=lambda one: one != name)
    return {one: dict(responses[one]) for one in order}


def _given(
    spec: Spec, tune: Tune, levels: tuple[Level, ...]
) -> tuple[tuple[Range, ...], dict[str, float]]:
    """The parameters that levels of one combination have, and the values that the file gives."""
    if spec.trainer is not None:
        arguments = arguments_of((*spec.fixed, *levels))
        return tune.ranges, _numbers({one.name: arguments.get(one.name) for one in tune.ranges})
    sections = apply_fields((spec.data, spec.model, spec.train), levels)
    by_name = dict(zip(("data", "model", "train"), sections, strict=True))
    owners = {one.factor: one for one in with_parameters((*spec.fixed, *levels), levels)}
    ranges, values = [], {}
    for one in tune.ranges:
        owner, _, field = one.name.partition(".")
        if owner in by_name:
            values[one.name] = getattr(by_name[owner], field, None)
        elif owner in owners and field in owners[owner].parameters:
            values[one.name] = owners[owner].parameters[field]
        else:
            continue
        ranges.append(one)
    return tuple(ranges), _numbers(values)


def _numbers(values: Mapping[str, object]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _other_seed(seed: int) -> int:
    """A base seed that the grid does not use: 32 bits of the SHA-256 of its own."""
    return int.from_bytes(hashlib.sha256(f"tune/{seed}".encode()).digest()[:4], "big")


def as_given(spec: Spec) -> Spec:
    """The specification of the grid with the values as the file gives them, in a study beside."""
    return replace(spec, tune=None, found=(), claims=(), adaptive=None, called=spec.study + GIVEN)
