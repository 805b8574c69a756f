"""What intervals and tests are called, and what estimates assume, in captions, notes and tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analysis.model.completion import assumption

if TYPE_CHECKING:
    from analysis.study import Study

INTERCEPT = "(Intercept)"
JUDGED = "it is shown with all questions of the study judged together"
METHOD_NAMES = {
    "joined": "two parts of noise, the runs' own (Welch) and what replicates share",
    "wider": "the wider of cell-means Welch and t over replicates",
    "welch": "cell-means Welch",
    "blocked": "t over replicates",
    "pooled": "classical fit, pooled variance",
    "lenth": "from the spread of the effects that hardly differ from zero (Lenth's method)",
}
TEST_NAMES = {
    "joined": "test by two parts of noise, the runs' own and what replicates share",
    "wider": "more cautious of two: Welch's test and that over replicates",
    "welch": "Welch test, which lets every cell have its own variance",
    "blocked": "test over replicates, which holds whatever the cells of a replicate share",
    "type3": "type III F test",
    "lenth": "contrast over Lenth's pseudo standard error",
}
"""What the tests that decide (`Effects.deciding`) are called in captions."""


def interval_name(study: Study) -> str:
    """What the intervals of differences and effects are called."""
    return METHOD_NAMES["lenth" if study.by_lenth else study.grid.rule.primary]


def interval_name_of_means(study: Study) -> str:
    """What the intervals of marginal means are called."""
    if study.estimates().jumps is not None:
        return "bounds that allow for more or fewer runs falling to the lower mode"
    return METHOD_NAMES[study.grid.rule.primary]


def readable(term: str) -> str:
    """A term as a reader meets it: "A × B"; no factor has the colon that joins them."""
    return "the grand mean" if term == INTERCEPT else term.replace(":", " × ")


def assumed(study: Study, rests: Iterable[str]) -> str:
    """What some of the estimates shown assume, as a sentence; "" where none assumes anything."""
    factors = len(study.cells.factors)
    said = dict.fromkeys(assumption(str(one), factors) for one in rests)
    texts = [text for text in said if text]
    if not texts:
        return ""
    return f" Where combinations have no result, estimates are made {texts[0]}."
