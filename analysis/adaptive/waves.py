"""What a study whose replicates come in waves does next: which combinations run again, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.adaptive.allocation import expected_noise, next_counts
from analysis.adaptive.spending import Look, chance_to_decide
from analysis.model.contrast_text import claim_weights
from analysis.stats.arrays import Counts, Floats, Truths
from analysis.study import Study
from analysis.verdicts.rate_claims import Z95
from runner.program.wording import counted
from runner.spec.adaptive import Adaptive

HOPELESS = 0.1
"""Chance of being decided by the most runs below which no run is spent on a question."""


@dataclass(frozen=True)
class Wave:
    """What one look found.

    Attributes:
        runs: of each combination (labels in the order of the factors) after the next wave; empty
            where no further run is worth it.
        sentence: what was found, what follows.
    """

    runs: Mapping[tuple[str, ...], int]
    sentence: str


@dataclass(frozen=True, eq=False)
class _Question:
    weights: Floats  # over all cells of the grid
    estimate: float
    se: float
    open: bool
    fixed: float  # share of its variance that no further run takes away


def next_wave(study: Study, rule: Adaptive) -> Wave:
    """Look at a study all of whose planned runs have ended.

    Args:
        study: whose replicates come in waves.
        rule: by which they do.
    """
    look = study.look
    if look is None:
        raise ValueError(f"the replicates of {study.name} do not come in waves")
    questions = _questions(study, rule)
    counts, noise = _counts(study), _noise(study)
    combinations = int((counts > 0).sum())
    decided = sum(not one.open for one in questions)
    what = "claim" if rule.asks_claims else "difference"
    said = "as narrow as wanted" if rule.half_width is not None else "decided"
    are = "is" if decided == 1 else "are"
    text = f"look {look.number} of at most {look.of}: {decided} of {counted(len(questions), what)} "
    text += f"{are} {said}"
    if look.level == 0:  # nor is an interval of two runs each known to be narrow
        first = counted(rule.first(combinations), "run")
        text = f"look {look.number} of at most {look.of}: nothing is decided before {first} of each"
    elif decided == len(questions):
        return Wave({}, f"{text}; no further run is needed")
    elif rule.half_width is None:
        text += f" (at p of {look.level:.4f}, so that all looks together err in 5 % at most)"
    if look.number >= look.of or (counts[counts > 0] >= rule.most).all():
        return Wave({}, f"{text}; every run that the file allows has been spent")
    worth = _worth(questions, counts, noise, rule, look)
    if not worth.any():
        rest = "it" if len(questions) - decided == 1 else "them"
        return Wave({}, f"{text}; up to {rule.most} runs a combination would hardly decide {rest}")
    importance = noise * sum(
        (one.weights / one.se) ** 2
        for one, good in zip(questions, worth, strict=True)
        if good and one.se > 0
    )
    if look.level == 0:  # nor is a combination known to be quiet
        importance = np.ones(len(counts))
    wave = max(rule.looks(combinations)[look.number] - int(counts.sum()), 1)
    new = next_counts(np.asarray(importance), counts, wave, rule.most)
    more = new - counts
    labels = list(study.factors.values())
    shape = [len(one) for one in labels]
    runs = {
        tuple(labels[axis][k] for axis, k in enumerate(np.unravel_index(cell, shape))): int(n)
        for cell, n in enumerate(new)
        if n > 0
    }
    text += f"; {counted(int(more.sum()), 'further run')} of "
    text += f"{counted(int((more > 0).sum()), 'combination')}"
    return Wave(runs, f"{text}, up to {int(more.max())} of one")


def _questions(study: Study, rule: Adaptive) -> list[_Question]:
    cells = study.cells
    if rule.asks_claims:
        return [
            _Question(
                claim_weights(cells, one.claim).ravel(),
                one.estimate.estimate,
                one.estimate.se,
                verdict == "undecided",
                _share(one.estimate.fixed, one.estimate.se),
            )
            for one, verdict in zip(study.tested(0.95), study.claims()["verdict"], strict=True)
        ]
    rows = study.contrasts().to_dict("records")
    shown = study.judgement.of("difference")["shown"].to_numpy(bool)
    if rule.half_width is not None:
        shown = np.array([(row["high"] - row["low"]) / 2 <= rule.half_width for row in rows])
    asked = [
        cells.difference({row["factor"]: row["first"]}, {row["factor"]: row["second"]}, {})
        for row in rows
    ]
    return [
        _Question(
            weights.ravel(),
            float(row["estimate"]),
            float(row["se"]),
            not done,
            _share(study.grid.fixed(weights), float(row["se"])),
        )
        for weights, row, done in zip(asked, rows, shown, strict=True)
    ]


def _share(fixed: float, se: float) -> float:
    return fixed / se**2 if fixed > 0 else 0.0


def _counts(study: Study) -> Counts:
    """Planned runs of each combination, flat, whether or not they came to an outcome."""
    factors = study.factors
    codes = [
        pd.Categorical(study.frame[name].astype(str), categories=list(labels)).codes
        for name, labels in factors.items()
    ]
    shape = [len(labels) for labels in factors.values()]
    flat = np.ravel_multi_index(codes, shape)
    return np.bincount(flat, minlength=int(np.prod(shape)))


def _noise(study: Study) -> Floats:
    """Expected variance of a run of each combination, flat."""
    cells = study.cells
    known = np.where(cells.counts > 1, cells.cell_variances, np.nan).reshape(cells.shape)
    return expected_noise(known, known.ndim).ravel()


def _worth(
    questions: list[_Question], counts: Counts, noise: Floats, rule: Adaptive, look: Look
) -> Truths:
    """Which open questions further runs might decide."""
    is_open = np.array([one.open for one in questions])
    if look.level == 0:
        return is_open
    if rule.half_width is not None:
        least = Z95 * np.array([one.se * one.fixed**0.5 for one in questions])
        return is_open & ~(least > rule.half_width)
    ran = counts > 0
    weights = np.array([one.weights for one in questions])[:, ran] ** 2
    least = np.where(np.isfinite(noise), noise, 0.0)[ran]
    now = weights @ (least / counts[ran])
    then = weights @ (least / np.maximum(counts[ran], rule.most))
    fixed = np.array([one.fixed for one in questions])
    z = np.array([one.estimate / one.se if one.se > 0 else np.inf for one in questions])
    with np.errstate(invalid="ignore", divide="ignore"):
        left = fixed + (1 - fixed) * np.where(now > 0, then / now, 1.0)
        chance = chance_to_decide(z, left, look.last)
    return is_open & ~(chance < HOPELESS)
