"""Term tests of a classical fit: type I, II and III sums of squares, and the HC3 Wald test.

Type I is sequential, type II compares models that respect marginality, type III tests the
equal-weight (sum-to-zero) hypotheses. All are rank-aware: a term of which nothing can be
estimated has no sum of squares, one of which a part can has that part's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.special import fdtrc

from analysis.model.classical import TOLERANCE, ClassicalFit, orthogonal_basis
from analysis.model.terms import Columns, Term
from analysis.stats.arrays import Floats
from analysis.stats.effect_sizes import partial_eta2, partial_eta2_interval, partial_omega2
from analysis.stats.multiplicity import holm

COLUMNS = (
    "term",
    "df",
    "ss",
    "ms",
    "F",
    "p",
    "p_holm",
    "partial_eta2",
    "partial_eta2_low",
    "partial_eta2_high",
    "partial_omega2",
)
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class TestedTerm:
    """Degrees of freedom that can be tested and their sum of squares; NaN where there are none."""

    df: int
    ss: float


def anova_table(fit: ClassicalFit, kind: str, confidence: float = 0.95) -> pd.DataFrame:
    """One of the three classical tables.

    Args:
        fit: the classical fit.
        kind: "type1", "type2" or "type3".
        confidence: of the intervals of partial eta squared.

    Returns:
        Columns `COLUMNS`; block first, then terms, then Residuals. `p_holm` adjusts over the
        terms, the block left out. `partial_omega2` is truncated at 0 as effectsize does.
    """
    sums: Callable[[ClassicalFit], dict[str, TestedTerm]] = {
        "type1": _sequential,
        "type2": _by_marginality,
        "type3": _equal_weight,
    }[kind]
    tested = sums(fit)
    error, df_error = fit.error_variance, fit.residual_df
    rows = []
    for column in fit.columns[1:]:
        key = column.name if column.term is not None else f"\0{column.name}"
        rows.append(
            {"term": column.name, **_test(tested[key], error, df_error, fit.rows.n, confidence)}
        )
    for term in fit.confounded:
        rows.append({"term": term.name, **_test(TestedTerm(0, NAN), error, df_error, 0)})
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    # The family is the terms that the design can test at all; one with no df was never a test.
    is_term = np.array(
        [c.term is not None for c in fit.columns[1:]] + [False] * len(fit.confounded)
    )
    is_term &= frame["df"].to_numpy(dtype=float) > 0
    p = frame["p"].to_numpy(dtype=float)
    frame.loc[is_term, "p_holm"] = holm(p[is_term])
    residual = dict.fromkeys(COLUMNS, NAN) | {
        "term": "Residuals",
        "df": df_error,
        "ss": fit.residual_ss,
        "ms": error,
    }
    frame = pd.concat([frame, pd.DataFrame([residual])], ignore_index=True)
    return frame.astype({"df": int})


def heteroscedastic_table(fit: ClassicalFit) -> pd.DataFrame:
    """Type III Wald tests with HC3 covariance: columns term, df, F, p, p_holm.

    F is the Wald statistic over its df on the residual degrees of freedom (as car's
    `white.adjust = "hc3"`).
    """
    rows = []
    for column in fit.columns[1:]:
        f = p = NAN
        functions = _term_functions(fit, column)
        if fit.residual_df > 0 and len(functions) == column.df:
            values, _ = fit.estimate(functions)
            covariance = fit.sandwich(functions)
            if np.isfinite(covariance).all() and np.linalg.matrix_rank(covariance) == column.df:
                f = float(values @ np.linalg.solve(covariance, values)) / column.df
                p = float(fdtrc(column.df, fit.residual_df, f))
        rows.append({"term": column.name, "df": column.df, "F": f, "p": p, "p_holm": NAN})
    frame = pd.DataFrame(rows, columns=["term", "df", "F", "p", "p_holm"])
    is_term = np.array([c.term is not None for c in fit.columns[1:]])
    frame.loc[is_term, "p_holm"] = holm(frame["p"].to_numpy(dtype=float)[is_term])
    return frame


def estimable_part(fit: ClassicalFit, column: Columns) -> TestedTerm:
    """Joint test of what can be estimated of a term's equal-weight hypotheses.

    The whole term where the model has full rank; fewer degrees of freedom where cells are
    missing (what emmeans calls `joint_tests`).
    """
    functions = _term_functions(fit, column)
    if not len(functions):
        return TestedTerm(0, NAN)
    loadings = functions @ fit.scaled
    q, r, _ = qr(loadings.T, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    rank = int((size > TOLERANCE * size[0]).sum())
    return TestedTerm(rank, float(((q[:, :rank].T @ fit.projected) ** 2).sum()))


def _term_functions(fit: ClassicalFit, column: Columns) -> Floats:
    """Coefficient functions of a term that are estimable, shape (estimable df, coefficients)."""
    where = fit.slices[column.name if column.term is not None else f"\0{column.name}"]
    selector = np.zeros((column.df, fit.null.shape[0]))
    selector[:, where] = np.eye(column.df)
    inside = fit.null[where]  # what the null space does to these coefficients
    if inside.shape[1] == 0 or np.linalg.norm(inside) <= 1e-7:
        return selector
    u, s, _ = np.linalg.svd(inside, full_matrices=True)
    lost = int((s > 1e-7).sum())
    return np.asarray(u[:, lost:].T @ selector)


def _test(
    tested: TestedTerm, error: float, df_error: int, n: int, confidence: float = 0.95
) -> dict[str, float]:
    """Mean square, F, p and effect sizes of one term."""
    row = dict.fromkeys(COLUMNS[1:], NAN)
    row["df"] = tested.df
    if tested.df == 0:
        return row
    row["ss"] = tested.ss
    row["ms"] = tested.ss / tested.df
    if not (df_error > 0 and error > 0):
        return row
    f = row["ms"] / error
    low, high = partial_eta2_interval(f, tested.df, df_error, confidence)
    row.update(
        F=f,
        p=float(fdtrc(tested.df, df_error, f)),
        partial_eta2=partial_eta2(f, tested.df, df_error),
        partial_eta2_low=low,
        partial_eta2_high=high,
        partial_omega2=max(partial_omega2(f, tested.df, n), 0.0),
    )
    return row


def _key(column: Columns) -> str:
    return column.name if column.term is not None else f"\0{column.name}"


def _sequential(fit: ClassicalFit) -> dict[str, TestedTerm]:
    """Type I: what each term adds to those before it."""
    tested: dict[str, TestedTerm] = {}
    bases: list[Floats] = []
    start = 0
    for column in fit.columns:
        part = fit.upper[:, start : start + column.df]
        start += column.df
        basis = orthogonal_basis(part, bases)
        if column.name != "(Intercept)" or column.term is not None:
            tested[_key(column)] = _explained(basis, fit.rotated)
        if basis.shape[1]:
            bases = [np.hstack([*bases, basis])]
    return tested


def _by_marginality(fit: ClassicalFit) -> dict[str, TestedTerm]:
    """Type II: what each term adds to the terms that do not contain it."""
    tested = {}
    for column in fit.columns[1:]:
        others = [
            _part(fit, other)
            for other in fit.columns
            if other is not column and not _contains(other.term, column.term)
        ]
        base = orthogonal_basis(np.hstack(others))
        tested[_key(column)] = _explained(orthogonal_basis(_part(fit, column), [base]), fit.rotated)
    return tested


def _equal_weight(fit: ClassicalFit) -> dict[str, TestedTerm]:
    """Type III: the sum-to-zero hypotheses, only where all of a term's are estimable."""
    tested = {}
    for column in fit.columns[1:]:
        part = estimable_part(fit, column)
        whole = part.df == column.df or column.term is None
        tested[_key(column)] = part if whole else TestedTerm(0, NAN)
    return tested


def _part(fit: ClassicalFit, column: Columns) -> Floats:
    return fit.upper[:, fit.slices[_key(column)]]


def _contains(other: Term | None, term: Term | None) -> bool:
    return other is not None and term is not None and other.contains(term)


def _explained(basis: Floats, response: Floats) -> TestedTerm:
    if not basis.shape[1]:
        return TestedTerm(0, NAN)
    return TestedTerm(basis.shape[1], float(((basis.T @ response) ** 2).sum()))
