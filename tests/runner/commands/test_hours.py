"""`grid FILE --hours H` through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.loading import from_store
from analysis.study import known
from runner.commands import main
from runner.store import State, Store, StudyInfo, open_store

TRAIN = """
import time
from pathlib import Path

def fit(lr, opt, seed):
    while opt == "slow" and not Path("go").exists():
        time.sleep(0.02)
    return {"accuracy": 0.5 + 0.1 * (lr == 0.1) + seed % 7 / 100}
"""
FILE = """
name: budget
trainer: train.py:fit
factors: {lr: [0.1, 0.01], opt: [fast, slow]}
replicates: REPLICATES
responses: {accuracy: {better: higher}}
claims: ["lr: 0.1 > 0.01"]
"""


@pytest.fixture
def here(here: Path) -> Path:
    Path("train.py").write_text(TRAIN.replace('"go"', repr(str(here / "go"))))
    Path("budget.yaml").write_text(FILE.replace("REPLICATES", "2"))
    return here


def study(store: Store) -> StudyInfo:
    (name,) = store.study_names()
    return store.load_study(name)


@pytest.mark.slow
def test_cells_that_would_not_end_are_put_back_and_the_same_command_continues(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Slow cells end when a file is there, so no load of the machine changes what happens.
    assert main(["grid", "budget.yaml", "--hours", "0.001", "--no-report"]) == 6
    said = capsys.readouterr()
    assert "the same command continues, with or without --hours" in said.err.splitlines()[-1]
    assert "the 0.001 hours are over: " in said.err
    with open_store() as store:
        rows = store.runs(study(store))
        assert {row["state"] for row in rows} <= {State.WAITING, State.COMPLETE}
        waiting = [row for row in rows if row["factor:opt"] == "slow"]
        assert all(row["state"] == State.WAITING and row["attempts"] == 0 for row in waiting)
        before = {row["cell"]: row["responses"] for row in rows if row["state"] == State.COMPLETE}
        assert len(before) <= 4
        # Nothing to compare where only fast cells ended; silent where slow ones did too.
        judged = known(lambda: from_store(store, study(store)).judgement)
        assert judged is None or judged.silent
    (here / "go").touch()
    assert main(["grid", "budget.yaml", "--hours", "1", "--no-report"]) == 0
    assert "hours" not in capsys.readouterr().err
    with open_store() as store:
        after = {row["cell"]: row["responses"] for row in store.runs(study(store))}
    assert len(after) == 8
    assert before.items() <= after.items()
    assert main(["grid", "budget.yaml", "--hours", "1", "--no-report"]) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.slow
def test_a_budget_without_time_for_a_cell_runs_none_and_says_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grid", "budget.yaml", "--hours", "1e-9", "--quiet", "--no-report"]) == 6
    assert "0 of 4 combinations ran at least once (0 of 8 cells)" in capsys.readouterr().err


@pytest.mark.long
def test_waves_go_on_within_the_hours(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "go").touch()
    Path("budget.yaml").write_text(FILE.replace("REPLICATES", "{min: 2, max: 4, until: mains}"))
    assert main(["grid", "budget.yaml", "--hours", "1e-9", "--no-report"]) == 6
    assert "look" not in capsys.readouterr().out  # a wave that is not over is no look
    assert main(["grid", "budget.yaml", "--hours", "1", "--no-report"]) == 0
    assert "look 1 of at most 2" in capsys.readouterr().out


@pytest.mark.parametrize("hours", ["0", "-1", "two", "nan", "inf", "1e400", ""])
def test_hours_that_are_none_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str], hours: str
) -> None:
    assert main(["grid", "budget.yaml", "--hours", hours]) == 2
    error = capsys.readouterr().err.strip()
    assert "expected a number above 0" in error
    assert len(error.splitlines()) == 1
    assert not (here / "ablations.db").exists()


def test_a_cluster_claims_by_itself(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--backend", "dask", "--scheduler", "tcp://localhost:1"]
    assert main(["grid", "budget.yaml", "--hours", "1", *words]) == 2
    assert "Dask cluster" in capsys.readouterr().err
    assert not (here / "ablations.db").exists()
