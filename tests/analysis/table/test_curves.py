"""Learning curves of a store: the same rows whichever process reads them, and read once."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

import analysis
from analysis.report import press
from analysis.report.curve_files import CurveFiles, write_ahead
from analysis.report.press import Press
from analysis.study import Study
from analysis.table.curves import StoredCurves
from tests.analysis.report.simulated import simulate


@pytest.fixture
def study(tmp_path: Path) -> Study:
    url, info = simulate(tmp_path, overrides=["replicates=1", "claims=[]"])
    return analysis.load(info.name, url)


def _curves(study: Study) -> StoredCurves:
    assert study.read_curves is not None
    return study.read_curves


def test_of_the_runs_that_were_read_whatever_came_later(tmp_path: Path) -> None:
    url, info = simulate(tmp_path, overrides=["replicates=1", "claims=[]"])
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("UPDATE cells SET planned = 0 WHERE run_order < 5")
        database.commit()
        study = analysis.load(info.name, url)
        database.execute("UPDATE cells SET planned = 1")
        database.commit()
    rows = study.curve_rows
    assert rows is not None
    assert len(study.frame) == 67
    assert set(rows["cell"]) == set(study.frame["cell"])
    assert study.curve_rows is rows, "read once"


def test_rows_another_process_wrote_are_those_of_the_store(study: Study, tmp_path: Path) -> None:
    curves = _curves(study)
    here = curves.read().reset_index(drop=True)
    with Press(2) as two:
        assert write_ahead(curves, two, tmp_path / "out").result(60)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "curves.csv",
        "curves.parquet",
    ]
    (tmp_path / "store.db").unlink()
    pd.testing.assert_frame_equal(curves(), here)
    text = pd.read_csv(tmp_path / "out" / "curves.csv")
    pd.testing.assert_frame_equal(text, here, check_dtype=False)


def test_without_arrow_the_csv_alone_is_written(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "curves.parquet").touch()  # of an earlier report
    curves = _curves(study)
    with monkeypatch.context() as without:  # pandas was imported with it
        without.setitem(sys.modules, "pyarrow", None)
        CurveFiles(curves, tmp_path / "out").save()
    (file,) = (tmp_path / "out").iterdir()
    here = curves.read().reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_csv(file), here, check_dtype=False)


def test_a_process_that_fails_is_not_waited_for(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "words", lambda *_: [sys.executable, "-c", "raise SystemExit"])
    curves = _curves(study)
    with Press(2) as gone:
        assert not write_ahead(curves, gone, tmp_path / "out").result(60)
    pd.testing.assert_frame_equal(curves(), curves.read())


def test_no_files_without_rows(study: Study, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("DELETE FROM epochs")
        database.commit()
    curves = _curves(study)
    with Press(2) as two:
        assert not write_ahead(curves, two, tmp_path / "out").result(60)
    assert curves().empty
    assert not (tmp_path / "out").exists()


def test_rows_that_are_there_are_not_read_again(study: Study, tmp_path: Path) -> None:
    curves = _curves(study)
    rows = curves()
    with Press(2) as two:
        assert not write_ahead(curves, two, tmp_path / "out").result(0)
    assert curves() is rows
