"""Designs found by exchanging runs: D-optimal fractions and orthogonal arrays.

Both start from random subsets of the possible combinations and swap one run inside for one outside
while that helps. A combination is run at most once (each replicate repeats it with another seed).
All randomness comes from the seed that is handed in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runner.design.search.quality import Matrix, Runs, model_matrix, word_lengths
from runner.program.wording import counted

SAID_AFTER, SAID_AGAIN = 3.0, 20.0
"""Seconds before a search says how far it is, and before it says so again."""

log = logging.getLogger(__name__)

BETTER = 1e-9
"""An exchange must improve by more than this: rounding must not make it run in circles."""


class Search:
    """Says now and then how far a search is, so that a long one is not taken for one that hangs."""

    def __init__(self, count: int, candidates: int, starts: int) -> None:
        self._what = f"choosing {count:,} of {candidates:,} combinations"
        self._start, self._starts, self._swaps = 0, starts, 0
        self._next = time.monotonic() + SAID_AFTER

    def begins(self) -> None:
        """Another start."""
        self._start, self._swaps = self._start + 1, 0
        self._say()

    def goes_on(self) -> None:
        """Another swap."""
        self._swaps += 1
        self._say()

    def _say(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SAID_AGAIN
        start = f"random start {self._start} of at most {self._starts}"
        log.warning("%s: %s, %s so far", self._what, start, counted(self._swaps, "swap"))


def d_optimal(
    candidates: Runs,
    levels: Sequence[int],
    count: int,
    *,
    order: int,
    seed: int,
    starts: int,
    kept: Sequence[int] = (),
) -> tuple[NDArray[np.int64], float]:
    """The `count` candidates that estimate the model of that order best, by Fedorov's exchange.

    Args:
        candidates: Possible combinations [n, factors].
        levels: Number of levels of each factor.
        count: Runs to choose.
        order: Highest interaction in the model.
        seed: Of the random starts.
        starts: How many; the best result wins.
        kept: Positions that are chosen whatever they are worth.

    Returns:
        Positions [count] of the chosen candidates in increasing order, and log det(X'X / n) (minus
        infinity where no subset of that size estimates the model).

    Source: Fedorov (1972), Theory of Optimal Experiments; the determinant after a swap of run i for
    run j is (1 + d_jj)(1 - d_ii) + d_ij^2 times the one before, d = x (X'X)^-1 x'.
    """
    matrix, _ = model_matrix(candidates, levels, order)
    random = np.random.default_rng(seed)
    fixed = np.array(kept, dtype=np.int64)
    best, best_value = np.arange(count), -np.inf
    search = Search(count, len(candidates), starts)
    for _ in range(starts):
        search.begins()
        drawn = random.permutation(len(matrix))
        start = np.concatenate([fixed, drawn[~np.isin(drawn, fixed)]])[:count]
        inside = _exchange(matrix, start, len(fixed), search)
        sign, value = np.linalg.slogdet(matrix[inside].T @ matrix[inside] / count)
        if sign > 0 and value > best_value + BETTER:
            best, best_value = np.sort(inside), float(value)
    return best, best_value


def _exchange(
    matrix: Matrix, start: NDArray[np.int64], fixed: int, search: Search
) -> NDArray[np.int64]:
    """The best swap of one run inside for one outside, made again until none helps.

    Args:
        matrix: Model columns of all candidates [n, parameters].
        start: Positions [count] to begin with.
        fixed: So many of them, the first ones, stay.
        search: Told of every swap.
    """
    inside, count = start.copy(), len(start)
    identity = np.eye(matrix.shape[1])
    # A random start may be singular, where every determinant is 0 and no swap looks better than
    # another: a ridge shows the way to a first regular subset, and is then left out, because it
    # favours other subsets than the determinant itself does.
    for ridge in (1e-3, 0.0):
        for swaps in range(20 * count):
            search.goes_on()
            outside = np.setdiff1d(np.arange(len(matrix)), inside)
            information = matrix[inside].T @ matrix[inside] + ridge * count * identity
            # Every swap enlarges the determinant: what was regular stays so.
            singular = not swaps and np.linalg.matrix_rank(information) < len(identity)
            if not len(outside) or singular:
                break
            # With d_ij = x_i (X'X)^-1 x_j, the factor by which a swap changes the determinant, for
            # all swaps at once: [inside, outside]. No determinant is taken anew.
            weighted = matrix @ np.linalg.inv(information)
            variance = np.sum(weighted * matrix, axis=1)
            free = inside[fixed:]
            between = weighted[free] @ matrix[outside].T
            gain = np.outer(1 - variance[free], 1 + variance[outside]) + between**2
            i, j = np.unravel_index(int(np.argmax(gain)), gain.shape)
            if gain[i, j] <= 1 + BETTER:
                break
            inside[fixed + i] = outside[j]
    return inside


def orthogonal_array(
    candidates: Runs, levels: Sequence[int], count: int, *, seed: int, starts: int, steps: int
) -> NDArray[np.int64]:
    """The `count` candidates with the smallest generalized word-length pattern that was found.

    A tabu search (Glover, 1989): the pattern is a mean over pairs of runs, so that a subset's
    weighted pattern is a quadratic form in which the effect of every swap is known at once. The
    best swap is made even where it makes things worse; a run that was just swapped stays put for
    some steps. Half of the starts swap whole cycles of runs (see `_cycles`), because good arrays
    tend to be symmetric.

    Args:
        candidates: The full grid [n, factors].
        levels: Number of levels of each factor.
        count: Runs to choose.
        seed: Of the random starts.
        starts: How many of each kind.
        steps: Swaps after the last improvement before a start is given up.

    Returns:
        Positions [count] of the chosen candidates in increasing order, the pattern smallest in the
        order A1, A2, A3, ...
    """
    weights = _pair_weights(candidates, levels)
    random = np.random.default_rng(seed)
    best: NDArray[np.int64] = np.arange(count)
    best_pattern = _pattern(candidates[best], levels)
    singles = np.arange(len(candidates))[:, None]
    search = Search(count, len(candidates), 2 * starts)
    for blocks in (_cycles(candidates, levels), singles):
        if count % blocks.shape[1]:
            continue
        # What a pair of blocks adds: the sum over the pairs of their runs.
        merged = weights[blocks[:, :, None, None], blocks[None, None]].sum(axis=(1, 3))
        for _ in range(starts):
            if not any(best_pattern[:4]):
                return best
            search.begins()
            start = random.permutation(len(blocks))[: count // blocks.shape[1]]
            inside = blocks[_tabu(merged, start, steps, random)].ravel()
            pattern = _pattern(candidates[inside], levels)
            if pattern < best_pattern:
                best, best_pattern = np.sort(inside), pattern
    return best


def _cycles(candidates: Runs, levels: Sequence[int]) -> NDArray[np.int64]:
    """The grid in cycles [cycles, length]: all factors of the commonest level count step.

    A union of cycles holds each level of those factors equally often; it is an orthogonal array
    where the cycles form a difference matrix (Bose and Bush, 1952).
    """
    length = max(levels, key=list(levels).count)
    stepping = np.array([count == length for count in levels])
    place = {tuple(run): i for i, run in enumerate(candidates.tolist())}
    cycles, seen = [], set()
    for i, run in enumerate(candidates):
        if i in seen:
            continue
        shifted = [np.where(stepping, (run + by) % length, run) for by in range(length)]
        cycle = [place[tuple(one.tolist())] for one in shifted]
        seen.update(cycle)
        cycles.append(cycle)
    return np.array(cycles)


def _pattern(runs: Runs, levels: Sequence[int]) -> tuple[float, ...]:
    """A1, A2, ... rounded: equal patterns must compare as equal, not by their last bits."""
    return tuple(round(float(one), 6) for one in word_lengths(runs, levels)[1:])


def _pair_weights(candidates: Runs, levels: Sequence[int]) -> Matrix:
    """What each pair of candidates adds to the pattern [n, n], short words weighing most."""
    # Minimum aberration compares A1, then A2, ...; a quadratic form needs one number. Weights that
    # fall by four order the patterns nearly so, and `_pattern` has the last word between starts.
    weight = (16.0, 4.0, 1.0, 0.25)
    # The elementary symmetric polynomials of `quality.word_lengths`, pair by pair.
    polynomials = [np.ones((len(candidates), len(candidates)))]
    polynomials += [np.zeros_like(polynomials[0]) for _ in weight]
    for factor, count in enumerate(levels):
        column = candidates[:, factor]
        kernel = count * (column[:, None] == column[None, :]) - 1.0
        for size in range(len(weight), 0, -1):
            polynomials[size] = polynomials[size] + polynomials[size - 1] * kernel
    return np.asarray(sum(w * p for w, p in zip(weight, polynomials[1:], strict=True)))


def _tabu(
    weights: Matrix, start: NDArray[np.int64], steps: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """The subset of the start's size with the least sum of weights [n, n] that a walk met."""
    n = len(weights)
    chosen = np.zeros(n, dtype=bool)
    chosen[start] = True
    # With z the indicator of the chosen, the value is z'Wz. Swapping i for j adds
    # (W_ii - 2 p_i) + (W_jj + 2 p_j) - 2 W_ij where p = Wz, which one addition keeps current.
    pull = weights[:, chosen].sum(axis=1)
    own = np.diag(weights)
    value = float(pull[chosen].sum())
    best, best_value, free_again = chosen.copy(), value, np.zeros(n, dtype=np.int64)
    step = last_better = 0
    while step - last_better < steps:
        step += 1
        inside, outside = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        change = (
            (own[inside] - 2 * pull[inside])[:, None]
            + (own[outside] + 2 * pull[outside])[None, :]
            - 2 * weights[np.ix_(inside, outside)]
        )
        barred = (free_again[inside] > step)[:, None] | (free_again[outside] > step)[None, :]
        # What would be the best of all is allowed whatever was swapped just now.
        allowed = ~barred | (value + change < best_value - BETTER)
        if not allowed.any():
            continue
        i, j = np.unravel_index(int(np.argmin(np.where(allowed, change, np.inf))), change.shape)
        gone, come = inside[i], outside[j]
        value += float(change[i, j])
        chosen[gone], chosen[come] = False, True
        pull += weights[:, come] - weights[:, gone]
        # Of random length, so that the walk does not go round in a cycle of fixed length.
        free_again[[gone, come]] = step + random.integers(3, 9, size=2)
        if value < best_value - BETTER:
            best, best_value, last_better = chosen.copy(), value, step
    return np.flatnonzero(best)
