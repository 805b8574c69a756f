"""A display that cannot be made costs that display: a line in its place, the rest is there."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from matplotlib.figure import Figure

import analysis
from analysis import figures
from analysis.commands import run
from analysis.dashboard import board
from analysis.document.document import SCHEMA_PATH
from analysis.report.page import page_sections
from tests.analysis.report.simulated import simulate, specification

TWO = {"optimizer": ["adam", "sgd"], "bn_placement": ["none", "before"]}


def planted(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("planted here")


def unwritable(*_: object, **__: object) -> Figure:
    """A figure that is drawn, and fails when it is laid out to be written."""
    figure = Figure()
    figure.text(0.5, 0.5, r"$\frac{1$")
    return figure


def test_a_report_with_planted_exceptions_is_whole_but_for_those_displays(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, info = simulate(tmp_path, specification(tmp_path, TWO))
    monkeypatch.setattr(figures, "forest", planted)
    monkeypatch.setattr(figures, "pareto", unwritable)
    monkeypatch.setattr(page_sections, "methods", planted)
    folder = tmp_path / "results"
    caplog.set_level(logging.WARNING)
    assert run(["report", info.name, "--storage", url, "--out", str(folder)]) == 0
    page = (folder / "report.html").read_text("utf-8")
    why = "could not be made: ZeroDivisionError: planted here."
    assert f'<p class="note" id="figure-forest">Figure Contrasts {why}</p>' in page
    assert '<p class="note" id="figure-pareto">Figure Standardised effects could not be' in page
    assert f"<p>Section Protocol {why}</p>" in page
    assert "picture pareto" not in page
    for name in ("main_effects", "variance_shares", "cell_heat_map"):
        assert f'<figure id="figure-{name}">' in page
        assert (folder / "figures" / f"{name}.svg").exists()
    assert "What improves" in (folder / "findings.txt").read_text() or "No factor" in page
    document = json.loads((folder / "effects.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA_PATH.read_text("utf-8")))
    assert (folder / "outcomes.csv").exists()
    assert (folder / "paper" / "ablation.tex").exists()
    assert "Traceback" not in "".join(capfd.readouterr())
    assert any("Figure Contrasts could not be made" in line for line in caplog.messages)


def test_a_report_without_an_answer_still_has_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.report import write
    from analysis.report.press import Press

    url, info = simulate(tmp_path, specification(tmp_path, TWO))
    for name in ("answer", "caveats", "document", "write_paper"):
        monkeypatch.setattr(write, name, planted)
    monkeypatch.setattr(write, "FIGURES", [one for one in write.FIGURES if one.name == "pareto"])
    with Press(1) as press:
        path = analysis.report.write_report(
            analysis.load(info.name, url), tmp_path / "results", press=press
        )
    page = path.read_text("utf-8")
    assert '<figure id="figure-pareto">' in page
    for line in ("The answer", "Caveats", "effects.json", "Tables for a paper"):
        assert f"{line} could not be made: ZeroDivisionError: planted here." in page
    found = (path.parent / "findings.txt").read_text("utf-8")
    assert found.startswith("The answer could not be made: ZeroDivisionError: planted here.\n")
    assert 'href="effects.json"' not in page
    assert 'href="paper/methods.txt"' not in page


def test_a_panel_of_the_dashboard_that_fails_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, info = simulate(tmp_path, specification(tmp_path, TWO))
    study = analysis.load(info.name, url)
    whole = board._panels_of(study)
    monkeypatch.setattr(board, "main_effects_panel", planted)
    monkeypatch.setattr(board, "study_note", planted)
    found = board._panels_of(study)
    assert list(found) == list(whole)
    (line,) = found["b-main-effects"].layout["annotations"]
    text = line["text"].replace("<br>", " ")
    assert text == "Panel Main effects could not be made: ZeroDivisionError: planted here."
    assert found["c-interactions"] == whole["c-interactions"]
    assert "planted here" in board._note_of(study)
