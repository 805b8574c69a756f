"""Why runs of a study did not converge, wherever it is read: table, paragraph, map, `show`."""

from __future__ import annotations

import json
from dataclasses import replace
from math import nan
from pathlib import Path

import jsonschema
import pytest
from matplotlib.figure import Figure

import analysis
from analysis.causes.words import why_sentences
from analysis.dashboard.trial_notes import annotate
from analysis.dashboard.words import study_note
from analysis.document.document import SCHEMA_PATH, document, document_text
from analysis.figures.runs.cause_map import cause_map
from analysis.report.gallery.convergence_and_time import draw_cause_map, tabulate_cause_map
from analysis.report.page.data import page_data
from analysis.report.page.tables.causes_table import causes_table
from analysis.report.page.tables.runs_table import table_of_runs
from analysis.study import Study
from runner.commands import main
from runner.content.cell import Cell
from runner.content.outcome import Epoch, Outcome, Status
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.probe.record import Evidence, LayerName, Look
from runner.store import open_store
from tests.analysis.report.simulated import simulate, specification
from tests.once import once

FADING = Look(
    0, 0, 2.3, 2.3, 0.1, 2.3, 0.1, 1.0, 1, 1e-6,
    {"varied": (0.05, 1e-4, 1e-6), "weight": (0.2, 0.2, 0.03)},
)  # fmt: skip
LAYERS = tuple(
    LayerName(name, "weighted", units) for name, units in (("a", 16), ("b", 16), ("c", 10))
)
FACTORS = {
    "init": ["he", "naive"],
    "bn_placement": ["none", "before"],
    "optimizer": ["adam", "sgd"],
}


def ended(cell: Cell, seed: int) -> Outcome:
    """Naive weights without batch norm stall, all other runs learn."""
    ill = (cell.level("init").name, cell.level("bn_placement").name) == ("naive", "none")
    accuracy = 0.1 if ill else 0.8 + cell.replicate / 100
    losses = (2.303,) * 4 if ill else (1.5, 0.9, 0.6, 0.5)
    curve = tuple(
        Epoch(k, loss, accuracy, loss, accuracy, 0.1, 0.14 if ill else 2.0, 1.0, 100.0)
        for k, loss in enumerate(losses, start=1)
    )
    seen = Evidence(16, 64, 10, LAYERS, (FADING, replace(FADING, step=9, epoch=3)))
    return Outcome(
        Status.STALLED if ill else Status.LEARNED, test_accuracy=accuracy, test_loss=losses[-1],
        test_correct=round(360 * accuracy), n_test=360, classes=10,
        best_validation_accuracy=accuracy, final_validation_accuracy=accuracy, epochs_run=4,
        epochs_budget=4, seconds=4.0, curve=curve,
        evidence=seen.to_plain() if cell.level("optimizer").name == "adam" else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    def make(folder: Path) -> None:
        file = specification(folder, FACTORS, replicates=4)
        simulate(folder, file, law=ended)

    return f"sqlite:///{once(tmp_path_factory, 'causes', make) / 'store.db'}"


@pytest.fixture
def study(url: str) -> Study:
    return analysis.load("small", url)


def test_every_run_that_failed_has_its_cause(study: Study) -> None:
    assert study.causes is not None
    rows = study.frame.assign(cause=study.causes.table()["cause"].to_numpy())
    ill = (rows["init"] == "naive") & (rows["bn_placement"] == "none")
    assert set(rows.loc[~ill, "cause"]) == {"healthy"}
    assert set(rows.loc[ill & (rows["optimizer"] == "adam"), "cause"]) == {"wrong_init"}
    # Of those whose layers were not looked at the curve tells what it can.
    assert set(rows.loc[ill & (rows["optimizer"] == "sgd"), "cause"]) == {"vanishing_gradient"}
    assert study.causes.counts == {"vanishing_gradient": 4, "wrong_init": 4}
    assert study.outcome("converged").causes is study.outcome("converged").primary.causes


def test_a_paragraph_says_which_fail_of_what(study: Study) -> None:
    text = " ".join(why_sentences(study.causes, study.goal))
    assert text.startswith(
        "Why 8 of 32 runs did not reach 50% validation accuracy, as told from what they left (no "
        "repair was run)."
    )
    assert "The weights begin at the wrong size in 4 runs" in text
    assert "Of 4 runs only the curve is known" in text
    assert text in study_note(study, study.convergence()).replace("\\", "")


def test_the_level_that_removes_it_is_named(study: Study) -> None:
    assert study.causes is not None
    as_one = replace(
        study.causes,
        placed=tuple(
            replace(one, kind="wrong_init") if not one.converged else one
            for one in study.causes.placed
        ),
    )
    by = {one.factor: one for one in as_one.removals("wrong_init")}
    assert by["init"].without == ("he",)
    assert (by["init"].runs, by["init"].partners, by["init"].partners_converged) == (16, 8, 8)


def test_the_page_has_a_column_a_map_and_a_table(study: Study) -> None:
    head = [one["text"] for one in table_of_runs(study)["head"]]
    assert "Why" in head
    column = head.index("Why")
    shown = {row[column] for row in table_of_runs(study)["rows"]}
    assert "The weights begin at the wrong size" in shown
    assert "" in shown
    assert set(page_data(study, study.convergence())["runs"]["why"]) == shown
    table = causes_table(study.causes)
    assert table is not None
    assert [row[0] for row in table["rows"]] == [
        "The gradient does not arrive at the first layers", "The weights begin at the wrong size"
    ]  # fmt: skip
    drawn = draw_cause_map(study)
    assert drawn is not None
    numbers = tabulate_cause_map(study, drawn.data).columns
    assert list(numbers["Failed"]) == [4, 4]
    words = {text.get_text() for text in drawn.figure.axes[0].texts}
    assert {"1: 4/4", "2: 4/4"} <= words
    assert "not in the design" not in key_of(drawn.figure)
    part = drawn.data.set_index(list(FACTORS)).iloc[1:]
    titles = [title for title in part["title"].unique() if title]
    assert "not in the design" in key_of(cause_map(FACTORS, part, titles))


def key_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_effects_json_has_them(study: Study) -> None:
    found = json.loads(document_text(document(study)))
    jsonschema.validate(found, json.loads(SCHEMA_PATH.read_text("utf-8")))
    causes = found["causes"]
    assert causes["counts"] == {"vanishing_gradient": 4, "wrong_init": 4}
    assert len(causes["runs"]) == 8
    one = next(run for run in causes["runs"] if run["cause"] == "wrong_init")
    assert one["causes"][0]["layers_seen"]
    assert "before the first step the signal goes from 0.05" in one["causes"][0]["evidence"]


def test_where_all_converge_nothing_is_said(tmp_path: Path) -> None:
    factors = {"init": ["he", "xavier"], "optimizer": ["adam", "sgd"]}
    address, _ = simulate(tmp_path, specification(tmp_path, factors), law=ended)
    study = analysis.load("small", address)
    assert why_sentences(study.causes, study.goal) == []
    assert causes_table(study.causes) is None
    assert draw_cause_map(study) is None
    assert "Why" not in [one["text"] for one in table_of_runs(study)["head"]]
    assert "why" not in page_data(study, study.convergence())["runs"]


def test_a_table_of_anybody_has_no_causes(study: Study) -> None:
    table = analysis.from_frame(study.frame, ["init", "optimizer"], "test_accuracy")
    assert table.causes is None
    assert document(table)["causes"] is None


def test_show_tells_one_cells(
    url: str, study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATIONS_STORAGE", url)
    assert study.causes is not None
    rows = study.causes.table()
    cell = rows.loc[rows["cause"] == "wrong_init", "cell"].iloc[0]
    assert main(["show", cell]) == 0
    said = capsys.readouterr().out
    assert "why: The weights begin at the wrong size. The weights of 3 of 3 layers" in said
    assert "between images" in said
    assert "0.05" in said
    healthy = rows.loc[rows["cause"] == "healthy", "cell"].iloc[0]
    assert main(["show", healthy]) == 0
    assert "why:" not in capsys.readouterr().out


def test_a_trials_note_says_it(url: str, study: Study) -> None:
    with open_store(url) as store:
        (info,) = store.studies()
        Mirror(store, info).sync()
        mirrored = load_study(store, info)
        store.database.write(
            lambda connection: annotate(
                connection, mirrored._study_id, info.name, list(info.factors), 100
            )
        )
        system = store.database.read(lambda c: dict(mirrored._storage.get_study_system_attrs(
            mirrored._study_id)))  # fmt: skip
    notes = " ".join(str(value) for value in system.values())
    assert "The weights begin at the wrong size." in notes
    assert "(Told from its curve alone.)" in notes.replace("\\", "")


def test_a_number_that_is_no_class_count_is_none() -> None:
    from analysis.causes.found import _whole

    assert [_whole(value) for value in (None, nan, 10.0)] == [0, 0, 10]
