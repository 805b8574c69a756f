"""The same effects in several studies, side by side, and how much they differ.

For data sets, depths or code versions that were run as grids of their own. Promises one estimand:
other factors are averaged over the levels all studies share. Assumes independent studies, so runs
that two studies share are named rather than counted twice in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.errors import InputError
from analysis.compare.notes import notes_on
from analysis.compare.verdicts import verdicts_of_all
from analysis.model.grid import Grid
from analysis.stats.arrays import Floats
from analysis.stats.estimates import INTERVAL, Estimate, welch_difference
from analysis.stats.multiplicity import holm
from analysis.table.records import records
from runner.content.response import Response

if TYPE_CHECKING:
    from analysis.study import Study

KEYS = ["term", "effect"]


@dataclass(frozen=True)
class Comparison:
    """Tidy tables in units of the response; NaN where a study cannot estimate an effect.

    Attributes:
        effects: term, effect, study, estimate, se, df, low, high, p, method, rests_on (the cell
            means, the model that predicts empty ones, or why there is no estimate). An effect of
            one factor is "factor: level - reference" (the reference is its first shared level), one
            of two factors the difference of such differences.
        differences: term, effect, study, reference, estimate (study - reference), se, df, low,
            high, p, p_holm (over all differences).
        claims: verdicts of the claims that all plan (`verdicts.verdicts_of_all`).
        notes: What the reader must know.
        measure: How the outcome is shown.
    """

    effects: pd.DataFrame
    differences: pd.DataFrame
    claims: pd.DataFrame
    notes: tuple[str, ...]
    measure: Response

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "effects": records(self.effects),
            "differences": records(self.differences),
            "claims": records(self.claims),
            "notes": list(self.notes),
        }


def compare(studies: Sequence[Study], confidence: float = 0.95) -> Comparison:
    """Compare studies that vary some of the same factors.

    Args:
        studies: Two or more, each looking at the same outcome.
        confidence: Of every interval.

    Raises:
        InputError: Fewer than two studies, one name twice, different outcomes, or no factor with
            two levels in all of them.
    """
    names = [study.name for study in studies]
    if len(studies) < 2:
        raise InputError("a comparison takes two studies or more")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"study {twice!r} was named twice; a comparison takes different studies")
    responses = {study.response for study in studies}
    if len(responses) > 1:
        raise InputError(f"the studies look at different outcomes: {', '.join(sorted(responses))}")
    shown = {(one.measure.unit, one.measure.scale) for one in studies}
    if len(shown) > 1:
        units = ", ".join(
            f"{one.name} {'in percent' if one.measure.unit == '%' else 'not'}"
            f"{' (stored as a share)' if one.measure.scale == 100 else ''}"
            for one in studies
        )
        raise InputError(f"{studies[0].response} is in different units: {units}; give it in one")
    shared = _shared(studies)
    if not any(len(levels) > 1 for levels in shared.values()):
        raise InputError(
            f"{' and '.join(names)} share no factor with two levels, so no effect to compare"
        )
    by_study: dict[str, list[tuple[str, str, Estimate]]] = {
        study.name: _effects(study.grid, shared, confidence) for study in studies
    }
    rows = [
        {
            "term": term,
            "effect": effect,
            "study": name,
            **_numbers(one),
            "method": one.method,
            "rests_on": one.rests_on,
        }
        for name, effects in by_study.items()
        for term, effect, one in effects
    ]
    differences = []
    for first, second in combinations(names, 2):
        for (term, effect, a), (_, _, b) in zip(by_study[first], by_study[second], strict=True):
            one = welch_difference(b, a, confidence, "independent studies")
            row = {"term": term, "effect": effect, "study": second, "reference": first}
            differences.append({**row, **_numbers(one)})
    table = pd.DataFrame(differences)
    table["p_holm"] = holm(table["p"].to_numpy(float))
    notes = notes_on(studies, shared, by_study)
    claims = verdicts_of_all(studies)
    return Comparison(pd.DataFrame(rows), table, claims, notes, studies[0].measure)


def _shared(studies: Sequence[Study]) -> dict[str, list[str]]:
    """Factors of all studies with the levels all of them have, in the first one's order."""
    first, *rest = (study.factors for study in studies)
    return {
        name: [label for label in levels if all(label in other[name] for other in rest)]
        for name, levels in first.items()
        if all(name in other for other in rest)
    }


def _effects(
    grid: Grid, shared: Mapping[str, Sequence[str]], confidence: float
) -> list[tuple[str, str, Estimate]]:
    steps = {name: [(level, levels[0]) for level in levels[1:]] for name, levels in shared.items()}
    given = {name: list(levels) for name, levels in shared.items() if levels}

    def mean(at: Mapping[str, str]) -> Floats:
        return grid.cells.marginal({**given, **at})

    effects = []
    for name, pairs in steps.items():
        for level, reference in pairs:
            weights = mean({name: level}) - mean({name: reference})
            text = f"{name}: {level} - {reference}"
            effects.append((name, text, grid.estimate(weights, confidence)))
    for one, two in combinations(steps, 2):
        for (a, a0), (b, b0) in product(steps[one], steps[two]):
            weights = mean({one: a, two: b}) - mean({one: a, two: b0})
            weights = weights - mean({one: a0, two: b}) + mean({one: a0, two: b0})
            text = f"({one}: {a} - {a0}) x ({two}: {b} - {b0})"
            effects.append((f"{one}:{two}", text, grid.estimate(weights, confidence)))
    return effects


def _numbers(one: Estimate) -> dict[str, float]:
    return {key: getattr(one, key) for key in INTERVAL}
