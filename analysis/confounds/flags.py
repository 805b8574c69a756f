"""Effects that something else than the level's name could explain, in one sentence each.

An effect is flagged where its difference is said to be so and the better level has more of a
measure: by so much that it matters, and, where the measure has noise, by more than that at 5 % over
all measures and pairs of levels. A rate is no suspect of a factor that was tuned, each of whose
levels has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from analysis.confounds.equal import at_equal_compute
from analysis.confounds.measures import BY_KEY, Measure, is_rate, ratios
from analysis.number_words import difference_words
from analysis.study import known
from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.study import Study

LEVEL = 0.05
"""How often a grid in which no measure differs may raise any flag."""

_KEPT: WeakKeyDictionary[Study, tuple[Flag, ...]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Flag:
    """An effect that some measures could explain.

    Attributes:
        factor, better, worse: the difference.
        estimate, low, high: better minus worse, in the outcome's own unit.
        more: measure to how many times as much of it the better level has.
        equal_by: the measure that was made equal; "" where no curves tell.
        equal: estimate, low and high there.
    """

    factor: str
    better: str
    worse: str
    estimate: float
    low: float
    high: float
    more: dict[str, float]
    equal_by: str = ""
    equal: tuple[float, float, float] = (np.nan, np.nan, np.nan)


def flags(study: Study) -> list[Flag]:
    """Every flagged effect, in the order of factors.

    Raises:
        InputError: no effect can be estimated.
    """
    rows = study.contrasts()
    rows = rows[study.judgement.of("difference")["shown"].to_numpy(bool)]
    if rows.empty:
        return []
    measures = ratios(study)
    noisy = measures["measure"].map(lambda key: not BY_KEY[key].exact)
    level = LEVEL / max(1, int((noisy & measures["p"].notna()).sum()))
    found = []
    for row in rows.to_dict("records"):
        beside = measures[
            (measures["factor"] == row["factor"])
            & (measures["first"] == row["first"])
            & (measures["second"] == row["second"])
        ]
        sign = study.measure.sign * float(np.sign(row["estimate"]))
        more = {
            str(one["measure"]): float(one["ratio"]) ** sign
            for one in beside.to_dict("records")
            if _explains(study, str(row["factor"]), pd.Series(one), sign, level)
        }
        if more:
            found.append(_with_equal(study, _flag(row, sign, more)))
    return found


def flags_of(study: Study) -> tuple[Flag, ...]:
    """The same, worked out once a study; none where no effect can be estimated."""
    if study not in _KEPT:
        _KEPT[study] = tuple(known(lambda: flags(study)) or ())
    return _KEPT[study]


def _explains(study: Study, factor: str, one: pd.Series, sign: float, level: float) -> bool:
    measure: Measure = BY_KEY[str(one["measure"])]
    ratio = float(one["ratio"]) ** sign
    tuned = any(factor in dict(one.group) for one in study.searched)
    if measure.key == "rate" and (tuned or is_rate(factor)):
        return False
    if not (one["p"] <= (LEVEL if measure.exact else level)):
        return False
    return ratio >= measure.least or (not measure.more_is_better and ratio <= 1 / measure.least)


def _flag(row: Mapping[Any, Any], sign: float, more: dict[str, float]) -> Flag:
    estimate, low, high = (float(row[name]) for name in ("estimate", "low", "high"))
    first, second = str(row["first"]), str(row["second"])
    if sign < 0:
        first, second = second, first
        estimate, low, high = -estimate, -high, -low
    return Flag(str(row["factor"]), first, second, estimate, low, high, more)


def _with_equal(study: Study, flag: Flag) -> Flag:
    """The same difference at equal FLOPs where curves tell it, else at equal time."""
    for by in ("flops", "seconds"):
        if flag.more.get(by, 0.0) <= 1:
            continue
        rows = known(partial(at_equal_compute, study, flag.factor, by))
        for row in () if rows is None else rows.to_dict("records"):
            if {row["first"], row["second"]} == {flag.better, flag.worse}:
                sign = 1.0 if row["first"] == flag.better else -1.0
                ends = sorted(sign * float(row[name]) for name in ("low", "high"))
                equal = (sign * float(row["estimate"]), ends[0], ends[1])
                return replace(flag, equal_by=by, equal=equal)
    return flag


def flag_sentences(study: Study) -> list[str]:
    """One sentence an effect; nothing where none can be told."""
    return [_sentence(one, study) for one in flags_of(study)]


def _sentence(flag: Flag, study: Study) -> str:
    parts = [_times(BY_KEY[key], ratio) for key, ratio in flag.more.items()]
    text = (
        f"{flag.factor}: that {flag.better} is better than {flag.worse} could be explained by what "
        f"it has more or less of: {listed(parts)}"
    )
    if flag.equal_by and np.isfinite(flag.equal[0]):
        words = difference_words(*flag.equal, study.measure)
        text += (
            f"; at equal {BY_KEY[flag.equal_by].words}, from the curves, the difference is "
            f"{words.value} {words.interval}".rstrip()
        )
    if "rate" in flag.more:
        text += f"; tune the rate per {flag.factor}, or vary it as a factor"
    return f"{text}."


def _times(measure: Measure, ratio: float) -> str:
    return f"{ratio:.3g} times the {measure.words}"
