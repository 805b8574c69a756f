"""What is drawn is what the frame says: positions, lines, counts, marks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from analysis import figures
from analysis.figures.drawing.nested import nest
from analysis.figures.drawing.style import LINES, MARKERS, PALETTE, line, marker
from analysis.figures.runs.cell_heat_map import separated_levels
from analysis.number_words import p_phrase
from tests.analysis.figures import frames

TWO = {"optimizer": ["adam", "sgd"], "init": ["he", "naive"]}
MEANS = pd.DataFrame(
    {
        "factor": ["optimizer", "optimizer", "init", "init"],
        "level": ["adam", "sgd", "he", "naive"],
        "mean": [0.9, 0.8, 0.95, 0.75],
        "low": [0.88, 0.77, 0.94, 0.7],
        "high": [0.92, 0.83, 0.96, 0.8],
    }
)


def _panel(figure: Figure, title: str):  # type: ignore[no-untyped-def]
    return next(axes for axes in figure.axes if axes.get_title() == title)


def test_main_effects_draws_means_intervals_and_the_grand_mean() -> None:
    figure = figures.main_effects(MEANS, 0.85)
    axes = _panel(figure, "optimizer")
    bars = next(one for one in axes.containers if isinstance(one, ErrorbarContainer))
    assert list(bars.lines[0].get_ydata()) == pytest.approx([90, 80])
    ends = [segment[:, 1] for segment in bars.lines[2][0].get_segments()]
    assert np.array(ends) == pytest.approx(np.array([[88, 92], [77, 83]]))
    dashed = [one for one in axes.lines if one.get_linestyle() == "--"]
    assert dashed[0].get_ydata()[0] == pytest.approx(85)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim(), "one shared axis"


def test_interaction_matrix_shows_both_orientations_with_the_same_means() -> None:
    pairs = pd.DataFrame(
        {
            "factor_a": "optimizer", "level_a": ["adam", "adam", "sgd", "sgd"],
            "factor_b": "init", "level_b": ["he", "naive", "he", "naive"],
            "mean": [0.9, 0.8, 0.7, 0.2], "low": [0.88] * 4, "high": [0.91] * 4,
        }
    )  # fmt: skip
    pairs["low"], pairs["high"] = pairs["mean"] - 0.01, pairs["mean"] + 0.01
    terms = pd.DataFrame(
        {"factor_a": ["optimizer"], "factor_b": ["init"], "share": [0.31], "share_low": [0.2],
         "p_family": [0.0004], "shown": [True]}
    )  # fmt: skip
    figure = figures.interaction_matrix(TWO, pairs, terms)
    upper = figure.axes[1]  # init along the axis, a line for each optimizer
    lower = figure.axes[2]  # optimizer along the axis, a line for each init
    drawn = [list(one.lines[0].get_ydata()) for one in upper.containers]
    assert np.array(drawn) == pytest.approx(np.array([[90, 80], [70, 20]]))
    turned = [list(one.lines[0].get_ydata()) for one in lower.containers]
    assert np.array(turned) == pytest.approx(np.array([[90, 70], [80, 20]]))
    assert upper.get_title() == "31.0%, p < .001"


def test_a_pair_that_is_not_shown_is_grey() -> None:
    factors = frames.shape(2, 2)
    pairs = frames.pair_means(frames.grid(factors), factors)
    terms = frames.pair_terms(factors).assign(shown=False)
    clear = frames.pair_terms(factors).assign(shown=True)
    grey = figures.interaction_matrix(factors, pairs, terms).axes[1].get_facecolor()
    white = figures.interaction_matrix(factors, pairs, clear).axes[1].get_facecolor()
    assert grey != white


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "p < .001"), (0.0341, "p = .034"), (1.0, "p = 1.000")]
)
def test_p_values_as_journals_print_them(p: float, text: str) -> None:
    assert p_phrase(p) == text
    assert p_phrase(float("nan")) == "p n/a"


def test_heat_maps_share_one_scale_centred_on_zero_and_star_what_is_shown() -> None:
    factors = frames.shape(3, 2)
    effects = frames.pair_effects(frames.grid(factors), factors)
    effects["shown"] = True
    figure = figures.interaction_heat_maps(factors, effects)
    meshes = [one for axes in figure.axes for one in axes.collections if hasattr(one, "get_clim")]
    limits = {one.get_clim() for one in meshes[:3]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == pytest.approx(-high)
    texts = [text.get_text() for axes in figure.axes[:3] for text in axes.texts]
    assert len(texts) == 12
    assert all(text.endswith("*") for text in texts)


def test_pareto_puts_the_largest_on_top_and_fills_what_is_shown() -> None:
    terms = frames.pareto_terms(frames.FIVE)
    figure = figures.pareto(terms.sample(frac=1, random_state=1))
    axes = figure.axes[0]
    names = [text.get_text().replace(" × ", ":") for text in axes.get_yticklabels()]
    assert names == terms.sort_values("t", ascending=False)["term"].tolist()
    bars = [one for one in axes.patches if one.get_width() > 0]
    filled = sum(one.get_facecolor()[:3] != (1.0, 1.0, 1.0) for one in bars)
    assert (len(bars), filled) == (len(terms), int(terms["shown"].sum()))
    assert len(axes.lines) == 1, "the line of one term; none for what is judged together"


def test_half_normal_names_only_contrasts_beyond_the_margin_of_error() -> None:
    points, lines = frames.half_normal_points(active=5)
    figure = figures.half_normal(points, **lines)
    named = [text for text in figure.axes[0].texts if hasattr(text, "arrow_patch")]
    assert len(named) == int((points["absolute"] > lines["me"]).sum())


def test_forest_keeps_the_largest_when_there_are_too_many() -> None:
    factors = frames.shape(6, 6)
    rows = frames.forest_rows(frames.grid(factors, most=200), factors)
    assert len(rows) > 48
    figure = figures.forest(rows)
    points = sum(
        len(one.lines[0].get_xdata())
        for one in figure.axes[0].containers
        if isinstance(one, ErrorbarContainer)
    )
    assert points == 48


def test_variance_shares_label_every_bar_with_its_percentage() -> None:
    shares = frames.shares(frames.FIVE)
    figure = figures.variance_shares(shares)
    drawn = sorted(float(text.get_text()) for text in figure.axes[0].texts)
    assert drawn == pytest.approx(sorted((shares["share"] * 100).round(1)), abs=0.051)


def test_convergence_writes_counts_under_levels() -> None:
    rates = frames.rates(frames.grid(frames.FIVE), frames.FIVE)
    figure = figures.convergence_rates(rates)
    texts = " ".join(text.get_text() for axes in figure.axes for text in axes.get_xticklabels())
    for row in rates.itertuples():
        assert f"{row.converged}/{row.runs}" in texts


def test_cell_heat_map_marks_diverged_and_hatches_missing_cells() -> None:
    runs = frames.grid(frames.FIVE)
    cells = frames.cell_table(runs, frames.FIVE)
    figure = figures.cell_heat_map(frames.FIVE, cells)
    axes = figure.axes[0]
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(hatched) == int(cells["mean"].isna().sum()) > 0
    marks = [one for one in axes.collections if len(one.get_offsets())]
    counts = {len(one.get_offsets()) for one in marks}
    assert int((cells["diverged"] > 0).sum()) in counts


def test_nesting_covers_every_cell_once() -> None:
    cells = frames.cell_table(frames.grid(frames.FIVE), frames.FIVE)
    nesting = nest(frames.FIVE)
    row, column = nesting.place(cells)
    assert nesting.rows * nesting.columns == 72
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == 72


def test_separated_levels_are_those_where_all_or_none_converged() -> None:
    cells = pd.DataFrame(
        {"a": ["x", "x", "y", "y"], "b": ["p", "q", "p", "q"], "converged": [3, 3, 0, 2],
         "runs": [3, 3, 3, 3]}
    ).set_index(["a", "b"])  # fmt: skip
    assert separated_levels(cells, ["a", "b"]) == {("a", "x")}
    assert separated_levels(cells.assign(converged=3), ["a", "b"]) == set()


def test_time_to_target_starts_every_curve_at_zero_and_names_its_mean() -> None:
    curves = frames.reached(TWO)
    figure = figures.time_to_target(curves, target="90%", means=frames.restricted_means(curves))
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert all("epochs" in text.get_text() for text in legend.get_texts())


def _luminance(shade: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(shade)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_levels_differ_by_marker_and_line_where_grey_would_confuse_them() -> None:
    for i in range(6):
        for j in range(i):
            assert marker(i) != marker(j)
            assert line(i) != line(j)
    assert len(set(PALETTE)) == len(MARKERS) == len(LINES) == 8
    white = 1.0
    assert all((white + 0.05) / (_luminance(shade) + 0.05) > 2.5 for shade in PALETTE)


def test_contrasts_of_contrasts_name_all_four_levels_in_one_column() -> None:
    rows = pd.DataFrame(
        {"group": "differences of differences", "first": ["he", "none"], "second": "naive",
         "given_first": ["adam", "pre - at 2"], "given_second": ["sgd", "at - w"],
         "estimate": [0.1, 0.2], "low": [0.05, 0.1], "high": [0.15, 0.3],
         "shown": True}
    )  # fmt: skip
    with figures.at_width(figures.COLUMN):
        figure = figures.forest(rows)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[0] == "(he − na…e) × (adam − sgd)"
    # Levels that look like the label of a contrast are still the levels.
    assert labels[1] == "(none − na…e) × (pr…2 − at…w)"


def test_no_panel_shows_a_share_beyond_its_scale() -> None:
    wide = MEANS.assign(low=MEANS["mean"] - 2, high=MEANS["mean"] + 2)
    low, high = figures.main_effects(wide, 0.85).axes[0].get_ylim()
    assert low >= -3
    assert high <= 103
