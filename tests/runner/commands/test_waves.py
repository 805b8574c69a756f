"""`replicates: {min, max, until}` through the command line."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from runner.commands import main
from runner.store import open_store

TRAIN = """
import random

def fit(lr, opt, aug, seed):
    draw = random.Random(f"{lr}{opt}{aug}{seed}")
    noise = draw.gauss(0, 0.15 if opt == "sgd" else 0.01)
    return {"accuracy": 0.5 + 0.06 * (lr == 0.1) + 0.2 * (aug == "strong") + noise}
"""
FILE = """
name: waves
trainer: train.py:fit
factors: {lr: [0.1, 0.01], opt: [adam, sgd], aug: [none, basic, strong]}
replicates: REPLICATES
responses: {accuracy: {better: higher}}
claims: ["aug: strong > none"]
"""


@pytest.fixture
def here(here: Path) -> Path:
    Path("train.py").write_text(TRAIN)
    return here


def write(replicates: str) -> None:
    Path("waves.yaml").write_text(FILE.replace("REPLICATES", replicates))


def cells() -> dict[str, tuple[str, str, str]]:
    with open_store() as store:
        (name,) = store.study_names()
        return {
            row["cell"]: tuple(row[f"factor:{one}"] for one in ("lr", "opt", "aug"))
            for row in store.runs(store.load_study(name))
        }


@pytest.mark.slow
def test_runs_go_where_the_noise_is_and_stop(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("{min: 2, max: 8, until: mains}")
    assert main(["plan", "waves.yaml"]) == 0
    plan = capsys.readouterr().out
    assert "24 cells of 12 combinations, 2 to 8 runs of each" in plan
    told = " ".join(plan.split())
    assert "from 6 of each on after every wave a look" in told
    assert "until every difference between levels is decided" in told
    assert main(["grid", "waves.yaml"]) == 0
    said = capsys.readouterr().out
    looks = re.findall(r"^look (\d) of at most 4: (.*)$", said, re.M)
    assert [number for number, _ in looks] == [str(k + 1) for k in range(len(looks))]
    assert looks[0][1].startswith("nothing is decided before 6 runs of each")
    first = cells()
    runs = Counter(first.values())
    assert set(runs.values()) <= set(range(6, 9))
    noisy = sum(n for (_, opt, _), n in runs.items() if opt == "sgd")
    placed = sum(runs.values()) - 12 * 6
    assert placed > 0
    assert noisy - 6 * 6 >= 0.7 * placed
    # Given again it only looks; nothing is planned, nothing taken out.
    assert main(["grid", "waves.yaml"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert cells() == first
    assert main(["plan", "waves.yaml"]) == 0
    assert "leave the design" not in capsys.readouterr().out
    assert main(["status", "waves"]) == 0
    status = capsys.readouterr().out
    assert "2 to 8 runs of each combination" in status
    assert f"Look {len(looks)} of at most 4. Decided:" in status
    assert "Claims: 1 supported." in status
    page = next(here.glob("results/*/report.html")).read_text("utf-8")
    assert "Replicates came in waves" in page
    # What a design of as many replicates for all runs is the same cells, and more.
    write("8")
    assert main(["grid", "waves.yaml", "--no-report", "--quiet"]) == 0
    assert set(first) < set(cells())


@pytest.mark.slow
def test_it_stops_once_the_claims_are_decided(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("{min: 2, max: 8, until: claims}")
    assert main(["grid", "waves.yaml", "--no-report"]) == 0
    said = capsys.readouterr().out
    last = said.splitlines()[-1]
    assert "1 of 1 claim is decided" in last
    assert "no further run is needed" in last
    assert len(cells()) < 8 * 12


@pytest.mark.parametrize(
    ("replicates", "problem"),
    [
        ("{min: 4, max: 4, until: mains}", "'min' (4) must lie below 'max' (4)"),
        ("{min: 1, max: 4, until: mains}", "2"),
        ("{min: 2, max: 4}", "until"),
        ("{min: 2, max: 4, until: {half_width: 0}}", "half_width"),
    ],
)
def test_what_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], replicates: str, problem: str
) -> None:
    write(replicates)
    assert main(["plan", "waves.yaml"]) == 2
    error = capsys.readouterr().err
    assert "replicates" in error
    assert problem in error
    assert len(error.strip().splitlines()) == 1


def test_claims_to_be_decided_are_planned(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = FILE.replace("REPLICATES", "{min: 2, max: 4, until: claims}")
    Path("waves.yaml").write_text(text.replace('claims: ["aug: strong > none"]', ""))
    assert main(["plan", "waves.yaml"]) == 2
    assert "the file plans none" in capsys.readouterr().err


def test_what_nothing_can_be_decided_of_before_its_end_is_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("{min: 2, max: 4, until: mains}")
    assert main(["plan", "waves.yaml"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "with so few nothing can be decided before the last of them" in told
