"""The commands of the README on a finished study, as a person types them."""

from __future__ import annotations

import json
from collections import Counter

import optuna
import pandas as pd
import pytest

from runner.commands import main
from runner.optuna_mirror.mirror import load_study
from runner.optuna_mirror.optuna_tables import open_storage, study_attributes
from runner.store import open_store


def say(capsys, *arguments: str) -> str:
    code = main(list(arguments))
    out = capsys.readouterr()
    assert code == 0, out.err
    return out.out


def test_a_finished_grid_has_a_report_that_stands_alone(finished):
    folder = finished.results / finished.name
    page = (folder / "report.html").read_text()
    assert "<script src=" not in page
    assert 'rel="stylesheet"' not in page
    document = json.loads((folder / "effects.json").read_text())
    assert document["n_runs"] == 12
    assert set(document["factors"]) == {"init", "bn_placement"}
    assert (folder / "outcomes.csv").is_file()


def test_the_same_command_again_does_nothing_and_says_so(finished, capsys):
    before = (finished.results / finished.name / "report.html").stat().st_mtime_ns
    out = say(capsys, "grid", str(finished.file))
    assert "nothing to do" in out
    assert str(finished.results / finished.name / "report.html") in out
    assert (finished.results / finished.name / "report.html").stat().st_mtime_ns == before


def test_a_study_that_the_dashboard_lacks_is_there_with_its_page_after_the_same_command(
    finished, capsys, tmp_path, monkeypatch
):
    """A copy has no trials in Optuna; one that somebody deleted there has none either."""
    file, url = tmp_path / "copy.db", f"sqlite:///{tmp_path}/copy.db"
    say(capsys, "copy", finished.name, "--to", str(file))
    monkeypatch.setattr("runner.commands.running.session.report", lambda *_: None)
    again = ("grid", str(finished.file), "--storage", url, "--results", str(tmp_path))
    for _ in range(2):
        assert "nothing to do" in say(capsys, *again)
        with open_store(url) as store:
            mirrored = load_study(store, store.find_study(finished.name))
            assert len(mirrored.trials) == 12
            page = mirrored._study_id
            panels = store.database.read(lambda c, page=page: study_attributes(c, page, "dash"))
            assert "dashboard:plot_data:a-importance:0" in panels
            optuna.delete_study(study_name=finished.name, storage=open_storage(store.database))


def test_status_lists_the_study_and_then_its_cells(finished, capsys):
    assert finished.name in say(capsys, "status")
    out = say(capsys, "status", "finished")
    assert "12 complete" in out
    assert "reached" in out or "short of" in out
    assert "ecided: " in out
    assert "python -m analysis decided finished" in out


def test_show_tells_levels_curve_and_log_of_a_cell(finished, capsys):
    run = open_store().runs(finished.name)[0]
    out = say(capsys, "show", run["cell"][:8])
    assert run["cell"] in out
    assert run["factor:init"] in out
    assert "validation_accuracy" in out
    assert ".log" in out


def test_show_refuses_what_is_no_cell(finished, capsys):
    assert main(["show", "zzzz"]) == 2
    assert "no cell 'zzzz'" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_export_writes_cells_curves_and_attempts(finished, capsys, tmp_path, kind):
    say(capsys, "export", "finished", "--to", kind, "--out", str(tmp_path))
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    cells = read(tmp_path / f"cells.{kind}")
    assert len(cells) == 12
    curves = read(tmp_path / f"curves.{kind}")
    assert Counter(curves["cell"]) == Counter({cell: 3 for cell in cells["cell"]})
    assert set(read(tmp_path / f"attempts.{kind}")["state"]) == {"complete"}


def test_retry_sends_nothing_back_where_nothing_failed(finished, capsys):
    assert "0 cells" in say(capsys, "retry", "finished", "--reason", "oom")


def test_work_on_a_finished_study_leaves_at_once(finished, capsys):
    out = say(capsys, "work", "finished")
    assert "0 cells trained" in out


def test_plan_and_dry_run_say_the_same_and_write_nothing(finished, capsys):
    planned = say(capsys, "plan", str(finished.file))
    dry = say(capsys, "grid", str(finished.file), "--dry-run")
    assert planned == dry
    assert "12 cells = 4 combinations x 3 replicates" in planned
    assert "disk" in planned


def test_every_study_name_is_answered_with_the_nearest(finished, capsys):
    assert main(["status", "finnished"]) == 2
    err = capsys.readouterr().err
    assert "finished" in err
    assert err.count("\n") == 1


def test_provenance_is_kept_with_each_attempt(finished):
    for attempt in open_store().attempts(finished.name):
        assert attempt["versions"]["torch"]
        assert attempt["versions"]["optuna"]
        assert attempt["host"]
        assert len(attempt["commit"] or "") in (0, 40)


def test_replicates_are_paired_and_waves_run_in_order(finished):
    runs = sorted(open_store().runs(finished.name), key=lambda run: run["run_order"])
    assert [run["replicate"] for run in runs] == [0] * 4 + [1] * 4 + [2] * 4


def test_diff_sets_two_cells_side_by_side(finished, capsys):
    words = [f"init={init},bn_placement=before" for init in ("he", "naive")]
    out = say(capsys, "diff", "finished", *words)
    assert "the same in both: bn_placement before" in out
    assert "second − first" in out
    assert "(n = 3)" in out
    assert "validation_accuracy" in out
    first, second = (row["cell"] for row in open_store().runs(finished.name)[:2])
    assert "replicate" in say(capsys, "diff", "finished", first[:8], second)


def test_diff_refuses_what_is_no_cell(finished, capsys):
    assert main(["diff", "finished", "zzzz", "init=he"]) == 2
    assert capsys.readouterr().err.startswith("error: no cell 'zzzz'")
    assert main(["diff", "finished", "init=he", "init=he"]) == 2
    assert "fits 2 combinations: say the level of bn_placement too" in capsys.readouterr().err
