"""What a screening design can tell and what not, for people who know no design of experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.program.wording import counted

if TYPE_CHECKING:
    from runner.design.design import Design
    from runner.design.search.quality import Correlations

MOST_NAMED = 3
FEWEST_RUNS = 12


def screening_sentences(design: Design, correlations: Correlations) -> list[str]:
    """How many runs, what they can tell, and what they cannot.

    Args:
        design: The plan.
        correlations: Of its main effects and pairs.
    """
    count, runs = len(design.spec.factors), design.combinations
    cells = len(design.cells)
    sentences = [
        f"screen: {runs} of {design.spec.combinations:,} combinations of {count} factors, "
        f"{_times(design.replicates)} ({counted(cells, 'run')}); every level of every "
        f"factor is in half of them, beside each level of every other equally often",
        f"it can tell which factors matter: each by the mean of {cells // 2} runs against that of "
        f"the other {cells // 2} (one factor at a time, "
        f"{counted((count + 1) * design.replicates, 'run')} would compare "
        f"{design.replicates} with {design.replicates})",
        *_pairs(design, correlations),
    ]
    if runs == FEWEST_RUNS and design.replicates > 1:
        sentences.append(
            "for as many runs 24 combinations with half the replicates tell more: 'runs: 24'"
        )
    if design.replicates == 1:
        sentences.append(
            "one run of each: the noise is told from the smaller effects, so only few factors may "
            "matter; 'replicates: 2' would measure it"
        )
    sentences.append(
        "it cannot tell which factors act together: that is for the study that follows, of the few "
        "that matter, whose file the report writes"
    )
    return sentences


def _pairs(design: Design, correlations: Correlations) -> list[str]:
    """Whether two factors that act together can be taken for a third that matters."""
    names = [factor.name for factor in design.spec.factors]
    place = {term: i for i, term in enumerate(correlations.terms)}
    leaning = [
        (round(float(correlations.matrix[place[(one,)], i]), 6), one, term)
        for term, i in place.items()
        if len(term) == 2
        for one in range(len(names))
        if one not in term and correlations.matrix[place[(one,)], i] > 0
    ]
    if not leaning:
        return [
            "no two factors that act together can be taken for another factor that matters: each "
            "combination is run with its mirror image, so that pairs cancel"
        ]
    worst = max(size for size, *_ in leaning)
    named = [
        f"{names[a]} with {names[b]} for {names[one]}"
        for size, one, (a, b) in leaning
        if size == worst
    ]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    text = ", ".join(named[:MOST_NAMED]) + more
    affected = len({one for _, one, _ in leaning})
    of = "each factor" if affected == len(names) else f"{affected} of the {len(names)} factors"
    return [
        f"two factors that act together add up to {worst:.0%} of their joint effect to a third "
        f"that may not matter, for {of} ({text}): the report names such pairs"
        + (", and 'runs: 24' mixes less" if design.combinations < 24 else "")
    ]


def _times(replicates: int) -> str:
    return "once each" if replicates == 1 else f"{replicates} times each"
