"""Fault matrix, rows A1 and A3: studies that hold little or nothing, through `analysis report`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from runner.content.outcome import Reason
from runner.store import open_store
from tests.faults.harness import ROOT
from tests.store_contract.grids import outcome, planned

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def report(store, study, folder):
    """Exit code, output, and estimates of `python -m analysis report` (None: not written)."""
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "report", study, "--storage", store, "--partial",
         "--out", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    written = folder / "effects.json"
    found = json.loads(written.read_text("utf-8")) if written.exists() else None
    return done.returncode, done.stdout + done.stderr, found


def study_of(folder, ends):
    """A store whose 20 cells ended one by one as `ends` says: an accuracy, "fail" or None."""
    url = f"sqlite:///{folder}/store.db"
    with open_store(url, create=True) as store:
        study = planned(store)
        for end in ends:
            if end is None:
                continue
            lease = store.claim(study, "w", lease_seconds=60.0)
            assert lease is not None
            if end == "fail":
                store.fail(lease, Reason.BUG, "boom", retry=False)
            else:
                store.finish(lease, replace(outcome(), test_accuracy=end))
    return url, study.name


@pytest.mark.parametrize(
    ("ends", "finished"),
    [
        ([], 0),
        pytest.param([0.5 + 0.01 * n for n in range(7)], 7, marks=pytest.mark.long),
        pytest.param(["fail"] * 20, 0, marks=pytest.mark.long),
        pytest.param([0.5 + 0.01 * (n * 7 % 20) for n in range(20)], 20, marks=pytest.mark.long),
    ],
    ids=["empty", "partial and unbalanced", "all failed", "one replicate"],
)
def test_a1_an_unfinished_study_is_reported_as_what_it_is(tmp_path, ends, finished):
    url, study = study_of(tmp_path, ends)
    code, output, found = report(url, study, tmp_path / "report")
    assert code == 0, output
    assert "Traceback" not in output
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    if finished == 0:
        assert "Nothing can be estimated yet" in page
    else:
        assert (found["n_runs"], found["n_planned"]) == (finished, 20)
    if finished < 20:
        assert f"{finished} of 20 runs have an outcome" in page


def test_a1_a_level_of_which_nothing_is_left_is_named(tmp_path):
    """A bug in one of two levels: the grid has run, and its report must say so, not fail."""
    url = f"sqlite:///{tmp_path}/store.db"
    with open_store(url, create=True) as store:
        study = planned(store)
        while lease := store.claim(study, "w", lease_seconds=60.0):
            if lease.cell.labels["scheduler"] == "constant":
                store.finish(lease, outcome())
            else:
                store.fail(lease, Reason.BUG, "boom", retry=False)
        counts = store.status(study)
        assert counts.complete
        assert counts.failed
    code, output, _ = report(url, study.name, tmp_path / "report")
    assert code == 0, output
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "one level with test_accuracy" in page
    assert f"{counts.complete} of 20 runs have an outcome; {counts.failed} failed" in page


RUNS = "optimizer,init,seed,acc\n" + "".join(
    f"{optimizer},{init},{seed},{0.5 + 0.1 * (optimizer == 'sgd') + 0.01 * seed + noise}\n"
    for seed in range(3)
    for optimizer, init, noise in (
        ("adam", "he", 0.001),
        ("adam", "xavier", 0.002),
        ("sgd", "he", 0.004),
        ("sgd", "xavier", 0.008),
    )
)


def effects(folder, table, *options):
    """Exit code, standard output and error of `python -m analysis effects --table`."""
    file = folder / "runs.csv"
    file.write_text(table)
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "effects", "--table", str(file),
         "--factors", "optimizer", "init", "--response", "acc", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_a1_a_run_listed_twice_is_refused_where_replicates_are_named(tmp_path):
    doubled = RUNS + RUNS.splitlines()[5] + "\n"
    code, output, error = effects(tmp_path, doubled, "--block", "seed")
    assert (code, output) == (2, "")
    assert "data rows 5 and 13 are the same run" in error
    assert "optimizer = adam, init = he, seed = 1" in error
    assert error.count("\n") == 1


def test_a1_two_outcomes_of_one_cell_and_replicate_are_marked(tmp_path):
    code, output, error = effects(tmp_path, RUNS + "adam,he,1,0.9\n", "--block", "seed")
    assert code == 0, error
    assert [note for note in json.loads(output)["notes"] if "same seed" in note] == [
        "1 of 13 runs has the same levels and the same seed as another: each counts as a run"
    ]


def test_a1_a_table_that_holds_every_run_twice_is_marked(tmp_path):
    twice = RUNS + RUNS.partition("\n")[2]
    code, output, error = effects(tmp_path, twice)
    assert code == 0, error
    (note,) = [note for note in json.loads(output)["notes"] if "repeat" in note]
    assert note.startswith("12 of 24 rows repeat another exactly")
    code, _, error = effects(tmp_path, twice, "--block", "seed")
    assert code == 2
    assert "12 runs are listed more than once" in error


FILTRATION = (45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96)
"""Filtration rate, 2^4 in Yates' order: Montgomery, Design and Analysis of Experiments"""

PRINTED = {
    "A": 21.625, "B": 3.125, "C": 9.875, "D": 14.625, "A:B": 0.125, "A:C": -18.125,
    "A:D": 16.625, "B:C": 2.375, "B:D": -0.375, "C:D": -1.125, "A:B:C": 1.875, "A:B:D": 4.125,
    "A:C:D": -1.625, "B:C:D": -2.625, "A:B:C:D": 1.375,
}  # fmt: skip


def test_a2_a_textbooks_two_level_effects_are_recovered_to_the_printed_digits(tmp_path):
    file = tmp_path / "filtration.csv"
    rows = [
        ",".join("-+"[run >> factor & 1] for factor in range(4)) + f",{rate}"
        for run, rate in enumerate(FILTRATION)
    ]
    file.write_text("\n".join(["A,B,C,D,rate", *rows]))
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "effects", "--table", str(file),
         "--factors", "A", "B", "C", "D", "--response", "rate", "--order", "full"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["two_level_effects"]
    assert {term: round(value, 3) for term, value in found.items()} == PRINTED


@pytest.mark.long
def test_a3_a_constant_response_makes_a_report_without_a_difference(tmp_path):
    url, study = study_of(tmp_path, [0.5] * 20)
    code, output, found = report(url, study, tmp_path / "report")
    assert code == 0, output
    assert "NaN" not in json.dumps(found)
    assert found["contrasts"]
    assert all(row["estimate"] in (0, None) for row in found["contrasts"])
    assert all(row["p"] is None or row["p"] == 1 for row in found["contrasts"])
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "Test accuracy is the same in every run" in page


@pytest.mark.long
@pytest.mark.parametrize("accuracy", [float("inf"), float("-inf")])
def test_a3_an_infinite_accuracy_in_the_store_is_damage_and_is_named(tmp_path, accuracy):
    """No training writes one: whatever did, the row is not what the store was given."""
    url, study = study_of(tmp_path, [accuracy, *(0.5 + 0.01 * (n * 7 % 19) for n in range(19))])
    code, output, _ = report(url, study, tmp_path / "report")
    assert code == 4, output
    assert "Traceback" not in output
    assert f"test_accuracy is {accuracy}" in output
    assert "table cells, cell" in output


@pytest.mark.long
def test_a3_an_accuracy_that_is_no_number_is_missing_in_the_report(tmp_path):
    """No training writes one; an outcome file of another make could."""
    accuracy = float("nan")
    url, study = study_of(tmp_path, [accuracy, *(0.5 + 0.01 * (n * 7 % 19) for n in range(19))])
    code, output, found = report(url, study, tmp_path / "report")
    assert code == 0, output
    assert "Traceback" not in output
    assert (found["n_runs"], found["n_planned"]) == (19, 20)
    assert not {"NaN", "Infinity"} & set(json.dumps(found).replace(",", " ").split())
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "1 of 20 runs" in page
