"""Panels show the numbers of the estimates, stay small, and show names as names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from analysis.dashboard.draft import Panel
from analysis.dashboard.importance import MOST_PAIRS, importance_panel, shares_of
from analysis.dashboard.study_panels import (
    KEY,
    NO_BAR,
    _hover,
    convergence_panel,
    error_bars,
    interactions_panel,
    line_panel,
    main_effects_panel,
    progress_panel,
)
from analysis.dashboard.words import cell_note, study_note
from analysis.loading import from_frame
from analysis.report.words.caveats import caveats
from runner.content.outcome import Target
from tests.analysis.written import Written

SMALL = 40_000  # characters: twenty of the dashboard's chunks


def _read(panel: Panel | None) -> go.Figure:
    """A panel as plotly reads it, which refuses names and values that it does not know."""
    assert panel is not None
    return go.Figure(json.loads(panel.to_json()))


def _lines(panel: Panel | go.Figure | None) -> list[Any]:
    figure = panel if isinstance(panel, go.Figure) else _read(panel)
    return [trace for trace in figure.data if trace.type == "scatter"]


def test_main_effects_are_those_of_effects_json(written: Written) -> None:
    document = written.effects
    rows = [row for row in document["marginal_means"]["shown"] if ":" not in row["term"]]
    panel = main_effects_panel(written.study)
    drawn = [value for trace in _lines(panel) for value in trace.y]
    assert drawn == pytest.approx([row["mean"] * 100 for row in rows], abs=1e-3)
    up = [value for trace in _lines(panel) for value in trace.error_y.array]
    assert up == pytest.approx([(row["high"] - row["mean"]) * 100 for row in rows], abs=6e-3)
    assert len(panel.to_json()) < SMALL


def test_shares_are_those_of_effects_json_and_sum_to_all(written: Written) -> None:
    table = {row["term"]: row for row in written.effects["variance_shares"]}
    panel = importance_panel(written.study)
    assert panel is not None
    drawn = {trace.name: list(trace.x) for trace in _read(panel).data}
    factors = sorted((table[name]["percent"] for name in written.study.factors), reverse=True)
    assert drawn["factor"] == pytest.approx(factors, abs=0.006)
    assert len(drawn["pair of factors"]) == MOST_PAIRS + 1
    assert sum(map(sum, drawn.values())) == pytest.approx(100, abs=0.1)
    told = shares_of(written.study)
    assert set(told) == {*written.study.factors, "replicate"}
    assert told == pytest.approx({name: table[name]["percent"] / 100 for name in told})
    assert len(panel.to_json()) < SMALL


def test_what_optunas_own_panel_measures_stands_beside_it(written: Written) -> None:
    note = study_note(written.study, None)
    panel = importance_panel(written.study)
    assert panel is not None
    said = " ".join(one.text for one in _read(panel).layout.annotations).replace("<br>", " ")
    for text in (note, said):
        assert "PED-ANOVA" in text
        assert "no share of the variance" in text


def test_shares_that_nobody_knows_are_neither_drawn_nor_told() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "acc": [0.5, 0.5]})
    study = from_frame(frame, ["a"], "acc")
    assert importance_panel(study) is None
    assert shares_of(study) == {}


def test_the_interaction_matrix_has_both_orientations(written: Written) -> None:
    panel = interactions_panel(written.study)
    assert panel is not None
    factors = written.study.factors
    lines = [trace for trace in _lines(panel) if trace.meta != KEY]
    assert len(lines) == sum(
        len(factors[over]) for over in factors for along in factors if over != along
    )
    assert len(panel.to_json()) < SMALL
    json.loads(panel.to_json())


def test_the_interaction_matrix_carries_intervals_and_names_on_its_outer_axes(
    written: Written,
) -> None:
    panel = _read(interactions_panel(written.study))
    factors = list(written.study.factors)
    count = len(factors)
    means = written.study.estimates().means_by_rule
    wanted = means[means["term"].str.contains(":")]["high"].notna().sum()
    bars = [trace.error_y.array or () for trace in _lines(panel) if trace.meta != KEY]
    drawn = sum(value != NO_BAR for array in bars for value in array)
    assert drawn == 2 * wanted  # both orientations
    for place, factor in enumerate(factors):
        number = (count - 1) * count + place + 1
        axis = panel.layout[f"xaxis{number}"]
        assert axis.title.text == factor
        assert len(axis.ticktext) == len(written.study.factors[factor])
        first = panel.layout[f"yaxis{place * count + 1 if place else ''}"]
        assert first.showticklabels
    held = {trace.xaxis for trace in _lines(panel)}
    assert {"x", f"x{count * count}"} <= held, "an axis without a trace is not drawn"


def test_a_mean_without_an_interval_gets_no_bar_and_no_nan() -> None:
    rows = [(a, b, 0.1 + 0.2 * (a == "y") + 0.05 * (b == "q")) for a in "xy" for b in "pq"]
    frame = pd.DataFrame(rows, columns=["a", "b", "acc"])
    study = from_frame(frame, ["a", "b"], "acc")
    assert not study.effects()["mean_low"].notna().any()
    panel = _read(main_effects_panel(study))
    assert "intervals" not in panel.layout.title.text
    for trace in _lines(panel):
        assert trace.error_y.array is None
        assert all("no interval" in text and "nan" not in text for text in trace.text)
    matrix = interactions_panel(study)
    assert matrix is not None
    assert all(trace.error_y.array is None for trace in _lines(matrix))


def test_one_missing_interval_is_not_drawn_as_length_zero() -> None:
    bars = error_bars(np.array([1.0, 2.0]), np.array([0.5, np.nan]), np.array([1.5, np.nan]))
    assert bars["array"] == [0.5, NO_BAR]
    assert _hover(np.nan, np.nan, np.nan, "%") == "no estimate yet"


def test_panels_are_read_on_white_and_on_black(written: Written) -> None:
    for panel in (main_effects_panel(written.study), interactions_panel(written.study)):
        layout = _read(panel).layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_a_panel_of_words_alone_has_them_and_no_axes() -> None:
    panel = _read(line_panel("Main effects", "Panel <b> & no more"))
    (words,) = panel.layout.annotations
    assert words.text == "Panel &lt;b&gt; &amp; no more"
    assert not panel.layout.xaxis.visible
    assert panel.data == ()


def test_a_number_that_is_none_is_no_panel() -> None:
    """JSON has no word for it, and the dashboard's page would show nothing."""
    with pytest.raises(ValueError, match="JSON"):
        Panel({}, [{"y": [float("nan")]}]).to_json()


def test_convergence_by_level(written: Written) -> None:
    found = written.study.convergence()
    panel = _read(convergence_panel(written.study.factors, found))
    drawn = [value for trace in _lines(panel) for value in trace.y]
    assert drawn == pytest.approx([rate * 100 for rate in found.rates["rate"]], abs=1e-3)
    axes = [axis for axis in panel.layout if axis.startswith("yaxis")]
    assert [panel.layout[axis].range for axis in axes] == [(0, 100)]


def test_panels_and_notes_never_wait_for_odds_ratios(written: Written) -> None:
    """Profile limits of Firth's model take more than half of what a refresh would cost."""
    study = replace(written.study)
    convergence = study.convergence()
    convergence_panel(study.factors, convergence)
    study_note(study, convergence)
    assert not {"odds_ratios", "marginal_rates", "terms"} & set(vars(convergence))


def test_progress_counts_every_run_once(partial: Written) -> None:
    frame = partial.study.frame
    panel = _read(progress_panel(frame))
    assert sum(sum(trace.x) for trace in panel.data) == len(frame)
    named = {trace.name: sum(trace.x) for trace in panel.data}
    assert named["failed"] == 2
    assert named["waiting"] == int((frame["state"] == "waiting").sum())


def test_progress_counts_runs_without_a_target_too() -> None:
    """Of a trainer of one's own, which need not name one."""
    frame = pd.DataFrame({"status": ["finished", "finished", "failed"], "replicate": [0, 1, 1]})
    assert {trace.name: list(trace.x) for trace in _read(progress_panel(frame)).data} == {
        "finished": [1, 1], "failed": [0, 1]
    }  # fmt: skip


def test_the_note_says_what_is_left_and_what_was_found(partial: Written, written: Written) -> None:
    note = study_note(partial.study, partial.study.convergence())
    assert "Still running" in note
    finished = study_note(written.study, written.study.convergence())
    assert "Still running" not in finished
    assert "differences between levels are undecided after 3 replicates" in finished
    rows = [line for line in finished.splitlines() if line.startswith("| ")]
    verdicts = written.study.claims()["verdict"].tolist()
    claimed = [row for row in rows if row.count(": ") and " > " in row]
    assert [row.split(" | ")[2] for row in claimed[: len(verdicts)]] == verdicts
    assert finished.count("\n- ") == len(caveats(written.study, written.study.convergence()))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"status": "reached", "test_accuracy": 0.957, "epochs_to_target": 4.0, "epochs_run": 6,
          "target": Target(0.9)},
         ["Reached the target, 95.7%", "Reached 90% validation accuracy in epoch 4, ran 6 epochs"]),
        ({"status": "short", "test_accuracy": 0.135, "best_validation_accuracy": 0.1409,
          "target": Target(0.9)},
         ["Short of the target, 13.5%", "Did not reach 90% validation accuracy (best 14.1%)"]),
        ({"status": "stalled", "test_accuracy": 0.1}, ["not better than guessing"]),
        ({"status": "diverged", "detail": "the loss was not finite in epoch 3"},
         ["Diverged: the loss was not finite in epoch 3"]),
        ({"status": "failed", "reason": "bug", "detail": "<b>ValueError</b>"},
         ["Failed (bug)", "&lt;b>ValueError"]),
    ],
)  # fmt: skip
def test_a_cells_note_says_what_happened(run: dict[str, Any], said: list[str]) -> None:
    note = cell_note({"replicate": 1, "optimizer": "sgd_momentum", **run}, ["optimizer"])
    for part in [*said, "optimizer sgd_momentum; replicate 1"]:
        assert part in note
