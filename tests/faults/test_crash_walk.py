"""Fault matrix, row P4: a run of four cells is killed before and after each of its points.

A point is a commit to the store or to Optuna's tables, a sync or a rename. Nothing is trained
(`untrained`), so that every one of them can be walked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from optuna.trial import TrialState

from ablations.errors import InputError
from runner.optuna_mirror.mirror import load_study
from runner.store import open_store
from tests.faults.harness import ROOT, specification
from tests.faults.untrained import BEGUN

pytestmark = [
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.both_databases,
    pytest.mark.timeout(3600),
]

CELLS = 4
KILLED = -9

Run = Callable[[str, Path, str, int], int]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Exit code of the grid on a store and a results folder, killed at a point; 0 is no point."""
    file = specification(tmp_path, replicates=1, plugins=[])
    arguments = ["grid", str(file), "--no-report", "--slots-per-device", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.untrained"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runs:
        assert runs.stdin is not None
        assert runs.stdout is not None

        def one(storage: str, results: Path, when: str, number: int) -> int:
            print(json.dumps([storage, str(results), when, number, arguments]), file=runs.stdin)
            runs.stdin.flush()
            return int(runs.stdout.readline())

        yield one


@pytest.fixture
def fresh(request: pytest.FixtureRequest, database: str) -> Callable[[Path], str]:
    """The address of another empty database of the kind, for a folder."""
    if database.startswith("sqlite"):
        return lambda folder: f"sqlite:///{folder}/store.db"
    server = request.getfixturevalue("postgres_server")
    return lambda _folder: server.create_database()


def finished(storage: str, results: Path) -> set[str]:
    """Cells whose outcome lies on disk or is in the store."""
    files = {path.name[:16] for path in results.rglob("*.outcome.json")}
    try:
        with open_store(storage) as store:
            rows = [row for study in store.studies() for row in store.runs(study)]
    except InputError:  # it was killed before there was a store
        rows = []
    return files | {row["cell"] for row in rows if row["state"] == "complete"}


def begun(results: Path) -> Counter[str]:
    """How often the training of each cell was begun since this was asked last."""
    note = results / BEGUN
    found = Counter(note.read_text().split() if note.exists() else ())
    note.unlink(missing_ok=True)
    return found


def assert_whole(storage: str) -> set[str]:
    """Every cell is complete once, in the store and in its mirror; returns them."""
    with open_store(storage) as store:
        (study,) = store.studies()
        cells = {row["cell"] for row in store.runs(study) if row["state"] == "complete"}
        told = Counter(row["cell"] for row in store.attempts(study) if row["state"] == "complete")
        trials = load_study(store, study).trials
        assert store.open_cells(study) == 0
    complete = [one.user_attrs["cell"] for one in trials if one.state is TrialState.COMPLETE]
    assert all(one.state.is_finished() for one in trials)
    assert len(cells) == CELLS
    assert told == Counter(complete) == Counter(cells)
    return cells


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_p4_a_run_killed_at_any_point_continues_exactly(
    run: Run, fresh: Callable[[Path], str], tmp_path: Path, when: str, step: int
) -> None:
    for number in count(step, step):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        storage, results = fresh(folder), folder / "results"
        code = run(storage, results, when, number)
        log = folder / "results.log"
        assert code in (KILLED, 0), log.read_text()
        if code == KILLED:
            before = finished(storage, results)
            begun(results)
            assert run(storage, results, when, 0) == 0, f"point {number}: {log.read_text()}"
            again = begun(results)
            cells = assert_whole(storage)
            assert again == Counter(cells - before), f"trained again after point {number}"
        else:  # the run has fewer points than that
            assert_whole(storage)
            break
    assert number > 2 * step, "a run of four cells has dozens of points"
