"""Terms, and the columns a least-squares fit has for them.

Built with numpy from level codes, never from a formula: a factor may be called `C`, a level
"None", the response `yield`. Runs that share a cell and a block share a row, weighted by their
number, so that a fit costs the grid and not the runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.stats.arrays import Codes, Counts, Floats
from analysis.stats.coding import product_columns, sum_to_zero
from analysis.table.tidy import Table


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


def pairs_of(factors: Iterable[str]) -> list[Term]:
    """All terms of two factors, in declared order."""
    return [Term(pair) for pair in combinations(factors, 2)]


def size_of(term: Term, factors: Mapping[str, Sequence[str]]) -> int:
    """Combinations of the term's levels."""
    return int(np.prod([len(factors[name]) for name in term.factors]))


def freedom_of(term: Term, factors: Mapping[str, Sequence[str]]) -> int:
    """Degrees of freedom of a term in a complete grid: its columns in a model."""
    return int(np.prod([len(factors[name]) - 1 for name in term.factors]))


def width_of(factors: Mapping[str, Sequence[str]], order: int) -> int:
    """Coefficients of the model of all terms up to an order, the intercept included."""
    return 1 + sum(freedom_of(term, factors) for term in terms_up_to(factors, order))


def grid_columns(
    factors: Mapping[str, Sequence[str]], order: int
) -> tuple[Floats, dict[str, list[int]]]:
    """Sum-to-zero columns of intercept and terms up to an order, one row per cell in C order.

    Returns:
        The columns, shape (cells, coefficients), and where each term's columns stand.
    """
    shape = [len(levels) for levels in factors.values()]
    levels = np.indices(shape).reshape(len(shape), -1)
    coded = {name: sum_to_zero(shape[k])[levels[k]] for k, name in enumerate(factors)}
    blocks: list[Floats] = [np.ones((levels.shape[1], 1))]
    columns: dict[str, list[int]] = {}
    at = 1
    for term in terms_up_to(factors, order):
        block = product_columns([coded[name] for name in term.factors])
        columns[term.name] = list(range(at, at + block.shape[1]))
        at += block.shape[1]
        blocks.append(block)
    return np.hstack(blocks), columns


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

    levels: Codes
    block: Codes
    counts: Counts
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


def coded_rows(rows: Rows, factors: Mapping[str, Sequence[str]]) -> dict[str, Floats]:
    """Sum-to-zero codes of each factor for each row."""
    return {
        name: sum_to_zero(len(levels))[rows.levels[:, axis]]
        for axis, (name, levels) in enumerate(factors.items())
    }


def model_columns(
    rows: Rows,
    factors: Mapping[str, Sequence[str]],
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
