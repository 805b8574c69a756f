"""Terms, sum-to-zero columns and the reduced rows a classical fit needs.

Built with numpy from level codes, never from a formula: a factor may be called `C`, a level
"None", the response `yield`. Runs that share a cell and a block share a row, weighted by their
number, so that a fit costs the grid and not the runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.table.tidy import Floats, Table


@dataclass(frozen=True, slots=True)
class Term:
    """A main effect or an interaction: the factors it joins, in declared order."""

    factors: tuple[str, ...]

    @property
    def name(self) -> str:
        """Factors joined by colons: "A" or "A:B"."""
        return ":".join(self.factors)

    def contains(self, other: Term) -> bool:
        """Whether every factor of `other` is in this term."""
        return set(other.factors) <= set(self.factors)


def terms_up_to(factors: Iterable[str], order: int) -> list[Term]:
    """All terms of at most `order` factors: mains first, then pairs, in declared order."""
    names = list(factors)
    return [Term(c) for size in range(1, order + 1) for c in combinations(names, size)]


def sum_to_zero(levels: int) -> Floats:
    """Deviation coding, shape (levels, levels - 1): columns sum to zero, the last row is -1."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])


def polynomial_contrasts(levels: int) -> Floats:
    """Orthonormal polynomial contrasts, shape (levels, levels - 1), in level order."""
    x = np.arange(levels) - (levels - 1) / 2
    q, r = np.linalg.qr(np.vander(x, levels, increasing=True))
    return np.asarray((q * np.sign(np.diag(r)))[:, 1:])


def product_columns(codes: Sequence[Floats]) -> Floats:
    """Row-wise Kronecker product of coded factors: the columns of their interaction."""
    columns = codes[0]
    for other in codes[1:]:
        columns = (columns[:, :, None] * other[:, None, :]).reshape(len(columns), -1)
    return columns


@dataclass(frozen=True, eq=False)
class Rows:
    """Distinct (cell, block) combinations that ran.

    Attributes:
        levels: level codes, shape (rows, factors).
        block: block codes, shape (rows,), zeros where there is no block.
        counts: runs per row.
        deviations: mean response minus the table's shift.
        within: sum of squares of the runs around their row mean, per row.
    """

    levels: NDArray[np.intp]
    block: NDArray[np.intp]
    counts: NDArray[np.int64]
    deviations: Floats
    within: Floats

    @property
    def n(self) -> int:
        """Runs."""
        return int(self.counts.sum())


def reduce_rows(table: Table, block: bool) -> Rows:
    """Collapse the runs with a response into distinct (cell, block) rows."""
    present = np.isfinite(table.deviations)
    y = table.deviations[present]
    columns = [table.frame[name].cat.codes.to_numpy() for name in table.factors]
    blocks = np.zeros(len(table.frame), dtype=np.intp)
    if block and table.replicate is not None:
        blocks = table.frame[table.replicate].cat.codes.to_numpy().astype(np.intp)
    codes = np.column_stack([*columns, blocks])[present].astype(np.intp)
    shape = tuple(int(c) + 1 for c in codes.max(axis=0))
    flat = np.ravel_multi_index(tuple(codes.T), shape)
    keys, index = np.unique(flat, return_inverse=True)
    counts = np.bincount(index)
    means = np.bincount(index, y) / counts
    means += np.bincount(index, y - means[index]) / counts  # second pass: the mean's last digits
    within = np.bincount(index, (y - means[index]) ** 2)
    # Equal runs leave rounding dust, which must not pass for an error term.
    dust = np.maximum(np.finfo(float).eps * np.abs(means) * 8, table.rounding) ** 2 * counts
    within[within <= dust] = 0.0
    unique = np.column_stack(np.unravel_index(keys, shape)).astype(np.intp)
    return Rows(unique[:, :-1], unique[:, -1], counts, means, np.asarray(within, np.float64))


@dataclass(frozen=True, eq=False)
class Columns:
    """Coded columns of one term (or the intercept, or the block) for every row."""

    name: str
    term: Term | None  # None for intercept and block
    values: Floats  # shape (rows, df)

    @property
    def df(self) -> int:
        """Columns of the term."""
        return int(self.values.shape[1])


def coded_rows(rows: Rows, factors: dict[str, tuple[str, ...]]) -> dict[str, Floats]:
    """Sum-to-zero codes of each factor for each row."""
    return {
        name: sum_to_zero(len(levels))[rows.levels[:, axis]]
        for axis, (name, levels) in enumerate(factors.items())
    }


def model_columns(
    rows: Rows,
    factors: dict[str, tuple[str, ...]],
    terms: Sequence[Term],
    block_name: str | None,
) -> list[Columns]:
    """Intercept, block (if any) and terms, in the order a sequential fit takes them."""
    coded = coded_rows(rows, factors)
    columns = [Columns("(Intercept)", None, np.ones((len(rows.counts), 1)))]
    if block_name is not None:
        seen, codes = np.unique(rows.block, return_inverse=True)
        columns.append(Columns(block_name, None, sum_to_zero(len(seen))[codes]))
    for term in terms:
        values = product_columns([coded[name] for name in term.factors])
        columns.append(Columns(term.name, term, values))
    return columns
