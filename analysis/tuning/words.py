"""Tuning in sentences: what was found, where it must not be trusted, what it changed and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

from analysis.number_words import difference_words
from analysis.study import known
from analysis.tuning.effects import tuned_and_given
from runner.program.wording import counted, duration, listed
from runner.spec.tune import group_words

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study import Study
    from analysis.tuning.searched import Searched

MOST_NAMED = 4
"""Groups, or differences, that a sentence names; the table and effects.json have all."""


def tuning_sentences(study: Study) -> list[str]:
    """What a reader of the answer must know: what was tuned, at which price, what that changed."""
    if not study.searched:
        return []
    return [_found(study.searched), *at_an_end(study), *_changed(study), cost_sentence(study)]


def _found(searched: Sequence[Searched]) -> str:
    first = searched[0]
    per = " and ".join(factor for factor, _ in first.group)
    names = listed(list(dict.fromkeys(r.name for one in searched for r in one.ranges)))
    told = [f"{_values(one)} for {_levels(one)}" for one in searched[:MOST_NAMED]]
    more = f", and {len(searched) - MOST_NAMED} more groups" if len(searched) > MOST_NAMED else ""
    return f"Tuned before the grid, on validation data, per {per}: {names}; {listed(told)}{more}."


def _values(one: Searched) -> str:
    if len(one.values) == 1:
        return f"{next(iter(one.values.values())):g}"
    return listed([f"{name} {value:g}" for name, value in one.values.items()])


def _levels(one: Searched) -> str:
    return " with ".join(label for _, label in one.group)


def at_an_end(study: Study) -> list[str]:
    """Loud, where a best value lies at an end of its range: the true one may lie beyond."""
    sentences = []
    for one in study.searched:
        for range_ in one.ranges:
            end = one.end(range_.name)
            if end is not None:
                sentences.append(
                    f"WARNING: {range_.name} of {group_words(one.group)} was best at the {end} end "
                    f"of its range ({one.values[range_.name]:g} of {range_.low:g} to "
                    f"{range_.high:g}): a better value may lie beyond, so that this level may lose "
                    "by its tuning; widen the range under tune"
                )
    return [f"{text}." for text in sentences]


def flat_sentence(one: Searched) -> str:
    """How flat the optimum of a group is."""
    noise = f"one noise deviation ({one.noise:.2g} {one.response})"
    if len(one.close) == 1 and one.flat(one.ranges[0].name) is not None:
        return f"{group_words(one.group)}: no other trial is within {noise} of the best."
    parts = []
    for range_ in one.ranges:
        flat = one.flat(range_.name)
        if flat is None:
            return (
                f"{group_words(one.group)}: how flat its optimum is cannot be told without noise."
            )
        parts.append(f"{range_.name} {span_words(flat)}")
    close = f"{len(one.close)} of {counted(len(one.trials), 'trial')}"
    return f"{group_words(one.group)}: within {noise} of the best lie {listed(parts)}, {close}."


def span_words(span: tuple[float, float]) -> str:
    """A range of values, or the one value that it is."""
    low, high = span
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _changed(study: Study) -> list[str]:
    """Differences that stand otherwise with the values as given."""
    rows = known(lambda: tuned_and_given(study))
    if rows is None:
        return []
    other = rows[rows["change"] != "same"]
    if other.empty:
        return ["With the values as given every difference between levels is much the same."]
    told = [_change(row, study) for row in other.head(MOST_NAMED).to_dict("records")]
    more = len(other) - len(told)
    rest = f" {more} more differences stand otherwise as given." if more > 0 else ""
    return [f"{' '.join(told)}{rest}"]


def _change(row: Mapping[Any, Any], study: Study) -> str:
    tuned, given = _told(row, "", study), _told(row, "given_", study)
    pair = (
        f"{row['factor']}, {row['first']} against {row['second']}: {tuned} tuned, {given} as given"
    )
    return {
        "reversed": f"Tuning turns a verdict round: {pair}.",
        "gone": f"Shown as given only, so that the values as given may have made it: {pair}.",
        "new": f"Shown tuned only: {pair}.",
        "smaller": f"Part of a difference as given is of the values, not of the levels: {pair}.",
        "larger": f"The values as given hide part of a difference: {pair}.",
    }[str(row["change"])]


def _told(row: Mapping[Any, Any], prefix: str, study: Study) -> str:
    estimate, low, high = (float(row[f"{prefix}{one}"]) for one in ("estimate", "low", "high"))
    words = difference_words(estimate, low, high, study.measure)
    return f"{words.value} {words.interval}".strip()


def cost_of(study: Study) -> dict[str, float]:
    """Runs and seconds of tuning, of the grid, of the grid as given, and tuning's shares of all."""
    grids = {"grid": study.frame}
    if study.as_given is not None:
        grids["as_given"] = study.as_given.frame
    cost: dict[str, float] = {
        "runs": sum(one.runs for one in study.searched),
        "seconds": fsum(one.seconds for one in study.searched),
    }
    for name, frame in grids.items():
        own = frame[frame["adopted_from"].isna()] if "adopted_from" in frame else frame
        cost[f"{name}_runs"] = int((own["state"] == "complete").sum())
        cost[f"{name}_seconds"] = float(own["seconds"].fillna(0.0).sum())
    for unit in ("runs", "seconds"):
        whole = fsum(cost[key] for key in (unit, *(f"{name}_{unit}" for name in grids)))
        cost[f"share_of_{unit}"] = cost[unit] / whole if whole else 0.0
    return cost


def cost_sentence(study: Study) -> str:
    """What tuning cost."""
    cost = cost_of(study)
    return (
        f"Tuning cost {counted(int(cost['runs']), 'run')} and {duration(cost['seconds'])} of "
        f"training: {cost['share_of_runs']:.0%} of all runs and {cost['share_of_seconds']:.0%} of "
        "the time."
    )


def changes(study: Study) -> pd.DataFrame | None:
    """`tuned_and_given`, or None where it cannot be told."""
    return known(lambda: tuned_and_given(study))
