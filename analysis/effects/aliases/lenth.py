"""Effects of an unreplicated design without an error term: Lenth's pseudo standard error.

Each orthonormal contrast of the design is one effect on the scale "high minus low" of a two-level
factor, so factors of three or more levels stand beside two-level ones. In a fraction the first
name (mains before pairs) is shown with the contrasts it cannot be told from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from analysis.model.cell_means import CellMeans
from analysis.model.terms import Term
from analysis.stats.arrays import Codes, Floats
from analysis.stats.coding import polynomial_contrasts
from analysis.stats.distributions.lenth_limits import lenth_limits

FEWEST_EFFECTS = 7
"""Below this the pseudo standard error is the noise's or the effects', nobody can say which."""
MOST_RUNS = 1200
"""Rows of an incomplete design above which contrast-by-contrast orthogonalisation is too slow."""
MOST_CANDIDATES = 20_000
ALL_ZERO = "half of the effects or more are exactly zero: nothing is noise"
_ACTIVE = ("active_me", "active_sme", "active_me_simulated", "active_sme_simulated")


@dataclass(frozen=True, eq=False)
class Lenth:
    """Lenth's analysis (Technometrics 1989).

    Attributes:
        m: number of effects.
        s0: 1.5 x median |effect|.
        pse: pseudo standard error, NaN when refused.
        df: m / 3.
        me: margin of error of one effect.
        sme: simultaneous margin of error over all m.
        me_simulated, sme_simulated: the same by simulation of m effects of noise, which hold their
            level exactly where the t approximation is only near (`lenth_limits`).
        refused: why there is no PSE, or None.
        effects: columns term, contrast, effect, absolute, quantile (half-normal), t, p,
            active_me, active_sme, active_me_simulated, active_sme_simulated, aliases (list of
            names).
    """

    m: int
    s0: float
    pse: float
    df: float
    me: float
    sme: float
    me_simulated: float
    sme_simulated: float
    refused: str | None
    effects: pd.DataFrame


def lenth(cells: CellMeans, confidence: float = 0.95, block: str | None = None) -> Lenth | None:
    """Analyse the cell means of a design where no cell has two runs; None where one has.

    An effect along which only blocks differ stands last, named as confounded with them: it is no
    effect of a factor, so it is neither judged nor part of the pseudo standard error.

    Args:
        cells: the grid.
        confidence: of ME and SME.
        block: what the blocks are called.
    """
    if cells.pure_df > 0:
        return None
    blocks = _blocks(cells)
    if blocks is None and not cells.empty.any():
        table: pd.DataFrame | str = _full_grid(cells)
    else:
        table = _fraction(cells, blocks, block or "replicate")
    if isinstance(table, str):
        return _refuse(pd.DataFrame(columns=["term", "contrast", "effect", "aliases"]), table)
    if "in_blocks" not in table:
        return pseudo_standard_error(table, confidence)
    inside = table["in_blocks"].to_numpy(bool)
    table = table.drop(columns="in_blocks")
    judged = pseudo_standard_error(table[~inside].reset_index(drop=True), confidence)
    if not inside.any():
        return judged
    lost = table[inside].assign(**dict.fromkeys(("t", "p", "absolute", "quantile"), np.nan))
    lost = lost.assign(**dict.fromkeys(_ACTIVE)).astype(dict.fromkeys(_ACTIVE, object))
    rows = judged.effects.astype(dict.fromkeys(_ACTIVE, object))
    return replace(judged, effects=pd.concat([rows, lost], ignore_index=True))


def pseudo_standard_error(effects: pd.DataFrame, confidence: float = 0.95) -> Lenth:
    """Add Lenth's limits and half-normal coordinates to a table of effects.

    Args:
        effects: columns term, contrast, effect, aliases.
        confidence: of ME and SME.
    """
    m = len(effects)
    frame = effects.copy()
    size = frame["effect"].abs().to_numpy(dtype=float)
    frame["absolute"] = size
    rank = np.empty(m)
    rank[np.argsort(size, kind="stable")] = np.arange(1, m + 1)
    frame["quantile"] = ndtri(0.5 + 0.5 * (rank - 0.5) / m)
    if m < FEWEST_EFFECTS:
        return _refuse(
            frame,
            f"{m} effects are too few for Lenth's method (at least {FEWEST_EFFECTS}): "
            "run replicates",
        )
    s0, pse = pse_of(size)
    if not pse:
        return _refuse(frame, ALL_ZERO)
    df = m / 3
    me = pse * float(stdtrit(df, 0.5 + confidence / 2))
    gamma = (1 + confidence ** (1 / m)) / 2
    sme = pse * float(stdtrit(df, gamma))
    frame["t"] = frame["effect"] / pse
    frame["p"] = 2 * stdtr(df, -(size / pse))
    frame["active_me"] = size > me
    frame["active_sme"] = size > sme
    one, largest = (limit * pse for limit in lenth_limits(m, confidence))
    frame["active_me_simulated"] = size > one
    frame["active_sme_simulated"] = size > largest
    return Lenth(m, s0, pse, df, me, sme, one, largest, None, frame)


def pse_of(size: Floats) -> tuple[float, float]:
    """s0 and the pseudo standard error of absolute effects, shape (effects,); 0 if half are 0."""
    s0 = 1.5 * float(np.median(size))
    trimmed = size[size < 2.5 * s0]
    pse = 1.5 * float(np.median(trimmed)) if trimmed.size else 0.0
    # Rounding leaves effects of 1e-17 where the design makes them exactly zero.
    return s0, pse if pse > 1e-12 * float(size.max()) else 0.0


def _refuse(frame: pd.DataFrame, reason: str) -> Lenth:
    nan = float("nan")
    frame = frame.assign(t=nan, p=nan, **dict.fromkeys(_ACTIVE))
    if "absolute" not in frame:
        frame = frame.assign(absolute=nan, quantile=nan)
    limits = dict.fromkeys(("s0", "pse", "me", "sme", "me_simulated", "sme_simulated"), nan)
    return Lenth(m=len(frame), df=len(frame) / 3, refused=reason, effects=frame, **limits)


def _contrast_name(names: list[str], degrees: list[int], levels: list[int]) -> str:
    """Name of a contrast: "A" for two levels, "A^1", "A^2" for the polynomial degrees of more."""
    return ":".join(
        name if size == 2 else f"{name}^{degree}"
        for name, degree, size in zip(names, degrees, levels, strict=True)
    )


def _full_grid(cells: CellMeans) -> pd.DataFrame:
    """Every contrast of a complete grid at once, axis by axis."""
    transformed = cells.deviations
    for axis, size in enumerate(cells.shape):
        basis = np.column_stack([np.full(size, size**-0.5), polynomial_contrasts(size)])
        transformed = np.moveaxis(np.tensordot(basis.T, transformed, (1, axis)), 0, axis)
    scale = 2.0 / np.sqrt(cells.n)
    rows = []
    indices = np.indices(cells.shape).reshape(len(cells.shape), -1).T
    order = sorted(
        range(1, len(indices)),
        key=lambda k: (int((indices[k] > 0).sum()), *(indices[k] == 0), *indices[k]),
    )
    flat = transformed.ravel()
    for k in order:
        active = np.flatnonzero(indices[k])
        names = [cells.names[a] for a in active]
        degrees = [int(indices[k][a]) for a in active]
        rows.append(
            {
                "term": Term(tuple(names)).name,
                "contrast": _contrast_name(names, degrees, [cells.shape[a] for a in active]),
                "effect": float(flat[k]) * scale,
                "aliases": [],
            }
        )
    return pd.DataFrame(rows)


class Alias(NamedTuple):
    """Another contrast that is the same one.

    Attributes:
        term, name: its own.
        sign: "-" where it enters with the other sign, else "".
    """

    term: str
    name: str
    sign: str

    @property
    def signed_name(self) -> str:
        """As it is shown: a minus before a contrast that enters with the other sign."""
        return self.sign + self.name


@dataclass(frozen=True, eq=False)
class Contrast:
    """One orthonormal contrast of the cells that ran.

    Attributes:
        term, name: of the first term that has it.
        column: over the cells that ran, of length one.
        aliases: other contrasts that are the same one.
        in_blocks: whether only blocks differ along it.
    """

    term: str
    name: str
    column: Floats
    aliases: list[Alias]
    in_blocks: bool = False


def fraction_contrasts(cells: CellMeans, blocks: Codes | None = None) -> list[Contrast]:
    """Contrasts of a design, each freed of those before it (blocks, then mains, pairs ...).

    Args:
        cells: the grid.
        blocks: block of each cell that ran, shape (cells that ran,), or None.
    """
    ran = cells.ran
    n = len(ran)
    where = np.unravel_index(ran, cells.shape)
    codes = [
        polynomial_contrasts(size)[index] for size, index in zip(cells.shape, where, strict=True)
    ]
    basis = np.empty((n, n))
    basis[:, 0] = n**-0.5
    used = 1
    if blocks is not None:
        for block in np.unique(blocks)[1:]:
            left = (blocks == block).astype(float)
            left -= basis[:, :used] @ (basis[:, :used].T @ left)
            basis[:, used] = left / np.linalg.norm(left)
            used += 1
    first = used
    rows: list[Contrast] = []
    lost: list[Contrast] = []
    tried = 0
    for size in range(1, len(cells.names) + 1):
        for axes in combinations(range(len(cells.names)), size):
            for degrees in np.ndindex(*[codes[a].shape[1] for a in axes]):
                tried += 1
                if tried > MOST_CANDIDATES:
                    return [*rows, *lost]
                column = np.prod([codes[a][:, d] for a, d in zip(axes, degrees, strict=True)], 0)
                norm = float(np.linalg.norm(column))
                if norm < 1e-12:
                    continue
                name = _contrast_name(
                    [cells.names[a] for a in axes],
                    [d + 1 for d in degrees],
                    [cells.shape[a] for a in axes],
                )
                term = Term(tuple(cells.names[a] for a in axes)).name
                inside = basis[:, :used].T @ column
                left = column - basis[:, :used] @ inside
                left -= basis[:, :used] @ (basis[:, :used].T @ left)
                if used < n and float(np.linalg.norm(left)) > 1e-7 * norm:
                    basis[:, used] = left / np.linalg.norm(left)
                    rows.append(Contrast(term, name, basis[:, used], []))
                    used += 1
                elif first > 1 and np.linalg.norm(inside[1:first]) > (1 - 1e-9) * norm:
                    lost.append(Contrast(term, name, column / norm, [], in_blocks=True))
                elif rows:
                    twin = int(np.argmax(np.abs(inside[first:])))
                    if abs(inside[first + twin]) > (1 - 1e-9) * norm:
                        sign = "" if inside[first + twin] > 0 else "-"
                        rows[twin].aliases.append(Alias(term, name, sign))
    return [*rows, *lost]


def _fraction(cells: CellMeans, blocks: Codes | None, block: str | None) -> pd.DataFrame | str:
    """Effects of a design with empty cells or blocks; those of the blocks have no aliases else."""
    ran = cells.ran
    n = len(ran)
    if n > MOST_RUNS:
        return f"{n} single runs of an incomplete grid are too many for effect-by-effect analysis"
    y = cells.deviations.ravel()[ran]
    rows = [
        {
            "term": one.term,
            "contrast": one.name,
            "effect": float(one.column @ y) * 2.0 / np.sqrt(n),
            "aliases": [f"{block} (block)"]
            if one.in_blocks
            else [alias.signed_name for alias in one.aliases],
            "in_blocks": one.in_blocks,
        }
        for one in fraction_contrasts(cells, blocks)
    ]
    return pd.DataFrame(rows, columns=["term", "contrast", "effect", "aliases", "in_blocks"])


def _blocks(cells: CellMeans) -> Codes | None:
    """Block of each cell that ran, where there are two or more."""
    k = len(cells.replicate_names)
    if k < 2:
        return None
    there = np.isfinite(cells.replicate_deviations.reshape(k, -1))[:, ~cells.empty.ravel()]
    if there.any(axis=1).sum() < 2:
        return None
    return np.asarray(there.argmax(axis=0), dtype=np.intp)
