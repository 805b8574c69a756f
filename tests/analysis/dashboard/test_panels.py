"""Panels show the numbers of the estimates, stay small, and show names as names."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
import pytest

from analysis.dashboard.panels import (
    convergence_panel,
    interactions_panel,
    main_effects_panel,
    progress_panel,
)
from analysis.dashboard.words import cell_note, study_note
from tests.analysis.written import Written

SMALL = 40_000  # characters: twenty of the dashboard's chunks


def _lines(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.type == "scatter"]


def test_main_effects_are_those_of_effects_json(written: Written) -> None:
    document = written.effects
    method = document["interval_rule"]["primary"]
    rows = [row for row in document["marginal_means"][method] if ":" not in row["term"]]
    panel = main_effects_panel(written.study)
    drawn = [value for trace in _lines(panel) for value in trace.y]
    assert drawn == pytest.approx([row["mean"] * 100 for row in rows], abs=1e-3)
    up = [value for trace in _lines(panel) for value in trace.error_y.array]
    assert up == pytest.approx([(row["high"] - row["mean"]) * 100 for row in rows], abs=1e-3)
    assert len(panel.to_json()) < SMALL


def test_the_interaction_matrix_has_both_orientations(written: Written) -> None:
    panel = interactions_panel(written.study)
    assert panel is not None
    factors = written.study.factors
    assert len(_lines(panel)) == sum(
        len(factors[over]) for over in factors for along in factors if over != along
    )
    assert len(panel.to_json()) < SMALL
    json.loads(panel.to_json())


def test_convergence_by_level(written: Written) -> None:
    found = written.study.convergence()
    panel = convergence_panel(written.study.factors, found)
    drawn = [value for trace in _lines(panel) for value in trace.y]
    assert drawn == pytest.approx([rate * 100 for rate in found.rates["rate"]], abs=1e-3)


def test_progress_counts_every_run_once(partial: Written) -> None:
    frame = partial.study.frame
    panel = progress_panel(frame)
    assert sum(sum(trace.x) for trace in panel.data) == len(frame)
    named = {trace.name: sum(trace.x) for trace in panel.data}
    assert named["failed"] == 2
    assert named["waiting"] == int((frame["state"] == "waiting").sum())


def test_the_note_says_what_is_left_and_what_was_found(partial: Written, written: Written) -> None:
    note = study_note(partial.study, partial.study.convergence())
    assert "Still running" in note
    finished = study_note(written.study, written.study.convergence())
    assert "Still running" not in finished
    assert "Decided: " in finished
    assert "## Claims" in finished
    assert finished.count("\n- ") >= 5


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"status": "converged", "test_accuracy": 0.957, "epochs_to_target": 4.0, "epochs_run": 6},
         ["Converged, 95.7%", "Reached the target in epoch 4, ran 6 epochs"]),
        ({"status": "stalled", "test_accuracy": 0.1}, ["not better than guessing"]),
        ({"status": "diverged", "detail": "the loss was not finite in epoch 3"},
         ["Diverged: the loss was not finite in epoch 3"]),
        ({"status": "failed", "reason": "bug", "detail": "<b>ValueError</b>"},
         ["Failed \\(bug\\)", "&lt;b&gt;ValueError"]),
    ],
)  # fmt: skip
def test_a_cells_note_says_what_happened(run: dict[str, Any], said: list[str]) -> None:
    note = cell_note({"replicate": 1, "optimizer": "sgd_momentum", **run}, ["optimizer"])
    for part in [*said, r"optimizer sgd\_momentum; replicate 1"]:
        assert part in note
