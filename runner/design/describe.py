"""What a design can tell, in sentences: which effects it estimates and what it mixes up.

The numbers come from `runner.design.search.quality`; here they are put in the study's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.design.design import Design
from runner.design.screening_words import screening_sentences
from runner.spec.spec_file import AugmentedDesign, FullDesign, OneAtATimeDesign, ScreenDesign

MOST_RUNS = 20_000
"""Larger incomplete grids are not examined: planning must answer at once."""

MOST_NUMBERS = 25_000_000
"""Nor are models whose matrices hold more numbers than this: 200 MB of them."""

MOST_LISTED = 6


@dataclass(frozen=True)
class DesignFacts:
    """Plain values for a report, and the sentences a person reads first."""

    estimable: tuple[str, ...]  # main effects and pairs, "optimizer", "optimizer:scheduler"
    not_estimable: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]  # groups that cannot be told apart
    mixed: tuple[tuple[str, str, float], ...]  # mixed in part, with the correlation; worst first
    word_lengths: tuple[float, ...] | None  # generalized word-length pattern A0, A1, ...
    resolution: float | None  # generalized; None for a full grid
    d_efficiency: float  # of main effects and pairs, relative to the full grid
    sentences: tuple[str, ...]


def facts(design: Design, *, everything: bool = False) -> DesignFacts | None:
    """What main effects and pairs the design estimates; None where it is too large to examine.

    Args:
        design: The plan.
        everything: Sentences that leave nothing out, for a person who asked.
    """
    names = tuple(factor.name for factor in design.spec.factors)
    if not design.is_fraction:
        terms = _term_names(names)
        sentences = [_full(design)]
        if everything:
            sentences.append(f"estimable: {', '.join(terms)}")
        return DesignFacts(terms, (), (), (), None, None, 1.0, tuple(sentences))
    if len(design.runs) > MOST_RUNS:
        return None
    import numpy as np

    from runner.design.search import quality

    levels = [len(factor.levels) for factor in design.spec.factors]
    order = min(2, len(levels))
    columns = quality.parameter_count(levels, order)
    if columns * (len(design.runs) + columns) > MOST_NUMBERS:
        return None
    runs = np.array(design.runs, dtype=np.int64)
    estimability = quality.estimable(runs, levels, order)
    estimable = tuple(
        term_name(term, names) for term, free in estimability.items() if term and free
    )
    lost = tuple(term_name(term, names) for term, free in estimability.items() if term and not free)
    correlations = quality.correlations(runs, levels, order)
    aliases = tuple(
        tuple(term_name(term, names) for term in group) for group in correlations.alias_sets()
    )
    mixed = tuple(
        (term_name(one, names), term_name(other, names), r)
        for one, other, r in correlations.partial_aliases()
    )
    generalized = quality.generalized_resolution(runs, levels)
    small = len(runs) <= 2_000  # the pattern holds a number for every pair of runs
    pattern = tuple(map(float, quality.word_lengths(runs, levels))) if small else None
    efficiency = quality.d_efficiency(runs, levels, order)
    if isinstance(design.spec.design, ScreenDesign):
        sentences = screening_sentences(design, correlations)
        sentences += _mixed(aliases, mixed, None) if everything else []
    else:
        sentences = list(_sentences(design, lost, aliases, mixed, everything))
    if everything:
        if estimable:
            sentences.append(f"estimable: {', '.join(estimable)}")
        if generalized is not None:
            sentences.append(f"generalized resolution {generalized[0]:.3g}")
        if pattern is not None:
            listed = ", ".join(f"{number:.3g}" for number in pattern)
            sentences.append(f"generalized word lengths (A0, A1, ...): {listed}")
        if efficiency > 0:
            sentences.append(f"D-efficiency {efficiency:.1%} of the full grid's")
    return DesignFacts(
        estimable=estimable,
        not_estimable=lost,
        aliases=aliases,
        mixed=mixed,
        word_lengths=pattern,
        resolution=None if generalized is None else generalized[0],
        d_efficiency=efficiency,
        sentences=tuple(sentences),
    )


def term_name(term: Sequence[int], names: Sequence[str]) -> str:
    """A term as the analysis writes it: `optimizer:scheduler`."""
    return ":".join(names[factor] for factor in term)


def _term_names(names: Sequence[str]) -> tuple[str, ...]:
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    return tuple(term_name(term, names) for term in (*((i,) for i in range(len(names))), *pairs))


def _full(design: Design) -> str:
    if design.replicates == 1:
        return (
            "full grid, one replicate: every effect can be estimated, but there is no replicate "
            "to measure the noise with"
        )
    return (
        f"full grid: every main effect and every interaction can be estimated, the noise from "
        f"{design.replicates} replicates"
    )


def _sentences(
    design: Design,
    lost: Sequence[str],
    aliases: Sequence[Sequence[str]],
    mixed: Sequence[tuple[str, str, float]],
    everything: bool,
) -> list[str]:
    most = None if everything else MOST_LISTED
    kind: str = (
        "full grid" if isinstance(design.spec.design, FullDesign) else design.spec.design.kind
    )
    if isinstance(grown := design.spec.design, AugmentedDesign):
        kind = f"{grown.of.kind}, grown {', then '.join(step.words for step in grown.by)}"
    share = f"{design.combinations} of {design.spec.combinations} combinations"
    sentences = [f"{kind.replace('_', '-')}, {share} are run"]
    if isinstance(design.spec.design, OneAtATimeDesign):
        sentences.append(
            "each difference is seen at the baseline alone, from its two combinations: nothing is "
            "told of how factors act together, and a factorial of as many runs tells each main "
            "effect more narrowly"
        )
    if lost:
        sentences.append(
            f"not estimable beside the other main effects and pairs: {_listed(lost, most)}"
        )
    else:
        sentences.append("every main effect and every pair can be estimated")
    return [*sentences, *_mixed(aliases, mixed, most)]


def _mixed(
    aliases: Sequence[Sequence[str]], mixed: Sequence[tuple[str, str, float]], most: int | None
) -> list[str]:
    """What cannot be told apart, wholly and in part."""
    sentences = []
    if aliases:
        groups = [" = ".join(group) for group in aliases]
        sentences.append(f"cannot be told apart: {_listed(groups, most, '; ')}")
    if mixed:
        worst = [f"{one} and {other} ({r:.2f})" for one, other, r in mixed]
        sentences.append(f"mixed in part (correlation): {_listed(worst, most)}")
    return sentences


def _listed(items: Sequence[str], most: int | None, between: str = ", ") -> str:
    more = 0 if most is None else len(items) - most
    text = between.join(items[:most])
    return f"{text} and {more} more (--all lists them)" if more > 0 else text
