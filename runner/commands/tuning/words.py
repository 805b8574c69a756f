"""What tuning costs, said before anything is spent, and what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runner.data.identity import one_look
from runner.program.wording import counted, duration, listed
from runner.spec.tune import group_words

if TYPE_CHECKING:
    from runner.design import Design
    from runner.machine.device import Slot
    from runner.spec import Spec
    from runner.tuning.groups import Tuned
    from runner.tuning.trials import Trial

MOST_LISTED = 8
"""Groups that are named one by one where they differ in nothing but their levels."""


def found_words(one: Tuned, trials: Sequence[Trial], best: Trial, response: str) -> str:
    """What a group runs with: "tuned optimizer=sgd: lr = 0.1 (12 trials, best accuracy 0.91)"."""
    values = listed(
        [f"{r.name} = {value:g}" for r, value in zip(one.ranges, best.values, strict=True)]
    )
    lost = sum(trial.mean is None for trial in trials)
    failed = f", {lost} of them failed" if lost else ""
    return (
        f"tuned {group_words(one.group)}: {values} ({counted(len(trials), 'trial')}{failed}, best "
        f"{response} {best.mean:.4g})"
    )


def plan_words(
    spec: Spec,
    design: Design,
    groups: Sequence[Tuned],
    slots: Sequence[Slot],
    done: Sequence[Sequence[Trial]],
) -> Iterator[str]:
    """What tuning will cost, a line a group.

    Args:
        spec: the grid's.
        design: its cells.
        groups: what is tuned for each.
        slots: where trials would train.
        done: the trials of each group that the store holds.
    """
    from runner.design import estimate_cost

    tune = spec.tune
    assert tune is not None  # noqa: S101 - there are groups
    runs = len(groups) * tune.trials * tune.runs
    whole = runs + len(design.cells) * (2 if tune.compare else 1)
    made = sum(min(len(trials), tune.trials) for trials in done) * tune.runs
    already = f", {made:,} of them done or planned already" if made else ""
    yield (
        f"tuned first: {listed([one.name for one in tune.ranges])} per {' x '.join(tune.per)}: "
        f"{counted(len(groups), 'group')} x {counted(tune.trials, 'trial')}"
        f"{f' x {tune.runs} runs' if tune.runs > 1 else ''} = {counted(runs, 'run')}"
        f" ({runs / whole:.0%} of all runs){already}, with seeds that the grid does not use"
    )
    alike = {_where(one, tune.per) for one in groups}
    given = all(range_.name in one.given for one in groups for range_ in one.ranges)
    if given and len(groups) > MOST_LISTED and len(alike) == 1:
        yield f"  each: {alike.pop()}; first the value as given"
    else:
        for one in groups:
            yield f"  {group_words(one.group)}: {_where(one, tune.per)}; first {_first(one)}"
    with one_look():
        designs = [one.design(_spread(one, tune.trials)) for one in groups]
    costs = [estimate_cost(one, slots).seconds for one in designs]
    known = [one for one in costs if one is not None]
    if len(known) == len(costs):
        yield f"  time of tuning about {duration(sum(known))} on {counted(len(slots), 'slot')}"
    if tune.compare:
        yield (
            f"  and the grid is run with the values as given as well ({spec.study}/given): "
            f"{counted(len(design.cells), 'cell')} more"
        )


def _where(one: Tuned, per: Sequence[str]) -> str:
    at = {factor: label for factor, label in one.at.items() if factor not in per}
    where = f" at {listed([f'{k}={v}' for k, v in at.items()])}" if at else ""
    return listed([f"{r.name} {r.low:g} to {r.high:g}" for r in one.ranges]) + where


def _first(one: Tuned) -> str:
    words = []
    for r, value in zip(one.ranges, one.first, strict=True):
        given = one.given.get(r.name)
        why = "the middle" if given is None else "as given"
        if given is not None and not r.low <= given <= r.high:
            why = f"as near as the range comes to the given {given:g}"
        words.append(f"{r.name} = {value:g} ({why})")
    return listed(words)


def _spread(one: Tuned, trials: int) -> list[tuple[float, ...]]:
    """As many different values as there are trials, for their cost alone."""
    from runner.spec.tune import rounded

    return [
        tuple(rounded(r.low + (r.high - r.low) * i / max(1, trials - 1)) for r in one.ranges)
        for i in range(trials)
    ]
