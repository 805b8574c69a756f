"""The classical fit against brute force on random designs: any levels, holes, imbalance, blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from analysis.effects.term_tests.anova import anova_table
from analysis.model.classical import ClassicalFit, orthogonal_basis
from analysis.model.terms import terms_up_to
from analysis.stats.arrays import Floats
from analysis.table.tidy import Table, tidy


def random_table(levels: tuple[int, ...], drop: float, blocks: int, seed: int) -> Table | None:
    """Runs of a grid with some lost, unequal numbers a cell, perhaps blocks."""
    rng = np.random.default_rng(seed)
    rows = []
    for cell in itertools.product(*[range(n) for n in levels]):
        for k in range(max(blocks, 1) if blocks else int(rng.integers(1, 4))):
            if rng.random() > drop:
                rows.append((*[f"l{i}" for i in cell], f"b{k}", rng.normal(sum(cell), 1)))
    frame = pd.DataFrame(rows, columns=[*"ABCD"[: len(levels)], "block", "y"])
    try:
        return tidy(frame, list("ABCD"[: len(levels)]), "y", "block" if blocks else None)
    except InputError:  # a factor or block was lost altogether
        return None


def dummies(frame: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    keys = frame[list(names)].astype(str).agg("|".join, axis=1)
    return np.column_stack([(keys == key).to_numpy(float) for key in sorted(keys.unique())])


def rss(frame: pd.DataFrame, terms: list[tuple[str, ...]]) -> tuple[float, int]:
    x = np.column_stack([np.ones(len(frame)), *[dummies(frame, term) for term in terms]])
    y = frame["y"].to_numpy(float)
    q = np.linalg.svd(x, full_matrices=False)
    keep = q[1] > 1e-9 * q[1][0]
    basis = q[0][:, keep]
    left = y - basis @ (basis.T @ y)
    return float(left @ left), int(keep.sum())


designs = st.tuples(
    st.lists(st.integers(2, 4), min_size=1, max_size=3).map(tuple),
    st.sampled_from([0.0, 0.15, 0.45]),
    st.sampled_from([0, 0, 2, 3]),
    st.integers(0, 10_000),
    st.sampled_from([1, 2, None]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(designs)
def test_sums_of_squares_are_model_comparisons(
    design: tuple[tuple[int, ...], float, int, int, int | None],
) -> None:
    levels, drop, blocks, seed, order = design
    table = random_table(levels, drop, blocks, seed)
    if table is None:
        return
    fit = ClassicalFit.of(table, order)
    frame = table.frame
    nuisance = [("block",)] if fit.block else []
    terms = [term.factors for term in fit.terms]
    full, rank = rss(frame, [*nuisance, *terms])
    assert fit.rank == rank
    scale = float(frame["y"].var() * len(frame)) + 1e-12
    assert fit.residual_ss == pytest.approx(full, rel=1e-8, abs=1e-12 * scale)
    sequential = anova_table(fit, "type1").set_index("term")
    second = anova_table(fit, "type2").set_index("term")
    before = list(nuisance)
    for term in fit.terms:
        without, low = rss(frame, before)
        before.append(term.factors)
        with_it, high = rss(frame, before)
        row = sequential.loc[term.name]
        assert row["df"] == high - low
        if high > low:
            assert row["ss"] == pytest.approx(without - with_it, rel=1e-7, abs=1e-10 * scale)
        else:
            assert np.isnan(row["ss"])
        others = [t.factors for t in fit.terms if not t.contains(term)]
        without, low = rss(frame, [*nuisance, *others])
        with_it, high = rss(frame, [*nuisance, *others, term.factors])
        row = second.loc[term.name]
        assert row["df"] == high - low
        if high > low:
            assert row["ss"] == pytest.approx(without - with_it, rel=1e-7, abs=1e-10 * scale)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(designs)
def test_marginal_means_are_averages_of_predictions_or_not_estimable(
    design: tuple[tuple[int, ...], float, int, int, int | None],
) -> None:
    """A mean over the grid is estimable exactly where its row lies in the row space."""
    levels, drop, blocks, seed, order = design
    table = random_table(levels, drop, blocks, seed)
    if table is None:
        return
    fit = ClassicalFit.of(table, order)
    if fit.confounded:
        return
    names = list(table.factors)
    grid = pd.DataFrame(list(itertools.product(*table.factors.values())), columns=names)
    block_levels = sorted(table.frame["block"].astype(str).unique()) if fit.block else ["b0"]
    grid = pd.concat([grid.assign(block=b) for b in block_levels], ignore_index=True)
    both = pd.concat([table.frame[[*names, "block"]].astype(str), grid], ignore_index=True)
    wanted = [("block",)] if fit.block else []
    wanted += [term.factors for term in fit.terms]
    x = np.column_stack([np.ones(len(both)), *[dummies(both, term) for term in wanted]])
    runs, new = x[: len(table.frame)], x[len(table.frame) :]
    inverse = np.linalg.pinv(runs, rcond=1e-10)
    beta = inverse @ table.frame["y"].to_numpy(float)
    for term in terms_up_to(names, min(2, len(names))):
        values, unit = fit.estimate(fit.marginal_rows(term))
        combos = itertools.product(*[table.factors[f] for f in term.factors])
        for value, size, levels_of in zip(values, unit, combos, strict=True):
            at = np.ones(len(grid), dtype=bool)
            for name, level in zip(term.factors, levels_of, strict=True):
                at &= (grid[name] == level).to_numpy()
            row = new[at].mean(axis=0)
            inside = np.allclose(row @ inverse @ runs, row, atol=1e-7)
            assert inside == np.isfinite(value), (term.name, levels_of)
            if inside:
                assert value + fit.shift == pytest.approx(float(row @ beta), rel=1e-7, abs=1e-8)
                spread = float(np.sqrt(row @ inverse @ inverse.T @ row))
                assert size == pytest.approx(spread, rel=1e-7)


def test_balanced_designs_have_one_sum_of_squares() -> None:
    table = random_table((3, 2, 2), 0.0, 3, 0)
    assert table is not None
    fit = ClassicalFit.of(table, None)
    tables = [anova_table(fit, kind) for kind in ("type1", "type2", "type3")]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, rtol=1e-9)


def test_hc3_is_that_of_the_whole_model_matrix() -> None:
    table = random_table((3, 2), 0.1, 0, 7)
    assert table is not None
    fit = ClassicalFit.of(table, 1)
    frame = table.frame
    a, b = dummies(frame, ("A",)), dummies(frame, ("B",))
    x = np.column_stack([np.ones(len(frame)), a[:, :-1] - a[:, -1:], b[:, :-1] - b[:, -1:]])
    inverse = np.linalg.inv(x.T @ x)
    y = frame["y"].to_numpy(float)
    residual = y - x @ inverse @ x.T @ y
    leverage = np.diag(x @ inverse @ x.T)
    expected = inverse @ (x.T * (residual / (1 - leverage)) ** 2) @ x @ inverse
    functions = np.eye(x.shape[1])
    np.testing.assert_allclose(fit.sandwich(functions), expected, rtol=1e-9, atol=1e-14)


def test_hc3_is_nan_where_a_run_has_leverage_one() -> None:
    frame = pd.DataFrame({"A": ["a", "a", "b"], "y": [1.0, 2.0, 5.0]})
    fit = ClassicalFit.of(tidy(frame, ["A"], "y"), None)
    errors = np.diag(fit.sandwich(fit.marginal_rows(fit.terms[0])))
    assert np.isfinite(errors[0])
    assert np.isnan(errors[1])


def test_a_model_too_large_is_refused_with_its_size() -> None:
    levels = [f"l{i}" for i in range(60)]
    frame = pd.DataFrame({"A": levels, "B": levels[::-1], "y": range(60)})
    with pytest.raises(InputError, match="order 2 has 3,600 coefficients"):
        ClassicalFit.of(tidy(frame, ["A", "B"], "y"), 2)


def test_a_block_of_one_level_is_no_block() -> None:
    table = random_table((2, 2), 0.0, 1, 0)
    assert table is not None
    assert ClassicalFit.of(table, 1).block is None


def test_an_orthogonal_basis_knows_what_is_new() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3))
    base = orthogonal_basis(x)
    assert base.shape == (20, 3)
    assert orthogonal_basis(x @ rng.normal(size=(3, 2)), [base]).shape == (20, 0)
    both = orthogonal_basis(np.column_stack([x[:, 0], rng.normal(size=20)]), [base])
    assert both.shape == (20, 1)
    np.testing.assert_allclose(base.T @ both, 0, atol=1e-13)
