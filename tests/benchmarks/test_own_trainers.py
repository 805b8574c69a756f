"""The benchmark of trainers of one's own works and counts right; nothing of it is timed."""

import json
from dataclasses import asdict, replace
from itertools import pairwise

import pytest

from tests.benchmarks.machine import machine
from tests.benchmarks.own_trainers import page
from tests.benchmarks.own_trainers.__main__ import main
from tests.benchmarks.own_trainers.contestants import EVERYBODY, PEERS, RUNNER
from tests.benchmarks.own_trainers.rounds import Bench, lines_written
from tests.benchmarks.own_trainers.run import PROGRAMS, bare, lines, run
from tests.benchmarks.own_trainers.workload import EMPTY, ONE_SECOND, Plan
from tests.benchmarks.peers import to_json

TRIED = [pytest.param(one, marks=pytest.mark.slow, id=one.name) for one in EVERYBODY]


@pytest.mark.long
@pytest.mark.parametrize("job", EMPTY, ids=lambda job: job.name)
@pytest.mark.parametrize("contestant", TRIED)
def test_everybody_runs_every_cell_of_the_same_function_and_command(contestant, job, tmp_path):
    if contestant.needs:
        pytest.importorskip(contestant.needs, reason="the bench extra is not installed")
    found = run(contestant, job, 4, tmp_path / "scratch")
    ran = {(record["lr"], record["seed"]) for record in found["records"]}
    assert [sum(lr == rate for lr, _seed in ran) for rate in (0.1, 0.01)] == [2, 2]
    assert found["meter"]["cpu_seconds"] > 0
    assert str(tmp_path) not in json.dumps(found)  # no paths in what is published


def test_a_command_that_fails_is_no_measurement(tmp_path):
    failing = replace(EMPTY[1], argument="a-second")  # no number of seconds
    with pytest.raises(RuntimeError, match=r"this runner, 2 slots: exit code \d, 0 of 4 cells"):
        run(RUNNER, failing, 4, tmp_path / "scratch")


def test_the_command_alone_is_measured(tmp_path):
    found = bare("0", 2, tmp_path)
    assert found["wall_seconds"] > 0
    assert found["cpu_seconds"] >= 0


def test_no_program_changes_the_function_or_the_command():
    for one in EVERYBODY:
        for kind, named in (("function", ("from fit import fit", "fit.py:fit")), ("command", ())):
            text = (PROGRAMS / one.program(kind)).read_text()
            assert any(word in text for word in named or ("fit.sh",))
    assert sorted(file.name for file in PROGRAMS.glob("fit.*")) == ["fit.py", "fit.sh"]


def test_lines_are_counted_without_comments_and_docstrings(tmp_path):
    file = tmp_path / "program.py"
    file.write_text('"""What it is."""\n\nimport os\n\n# why\nos.getpid()  # and more\n')
    assert lines(file) == 2


def test_each_round_begins_with_another_contestant(tmp_path, monkeypatch):
    order = []

    def noted(contestant, job, cells, scratch):
        scratch.mkdir()
        order.append(contestant.name)
        return run_of(contestant, job, cells)

    monkeypatch.setattr("tests.benchmarks.own_trainers.rounds.run", noted)
    bench = Bench(Plan(rounds=2, bare=1), tmp_path)
    rounds = [bench.round(number) for number in range(2)]
    assert order[0] == EVERYBODY[0].name
    assert order[len(order) // 2] == EVERYBODY[1].name
    assert all(one == other for one, other in pairwise(order[:2]))  # few, then many
    pair = rounds[0]["empty"]["command"]["runner"]
    assert [one["cells"] for one in pair] == [20, 200]
    assert pair[0]["mean_cpu_seconds"] == rounds[0]["bare"]["cpu_seconds"]


def test_a_run_that_others_disturbed_is_repeated(tmp_path, monkeypatch):
    shares = iter([0.5, 0.2, 0.0])

    def disturbed(contestant, job, cells, scratch):
        scratch.mkdir()
        found = run_of(contestant, job, cells)
        found["meter"]["foreign_share"] = next(shares)
        return found

    monkeypatch.setattr("tests.benchmarks.own_trainers.rounds.run", disturbed)
    found = Bench(Plan(), tmp_path, retries=1)._run(RUNNER, EMPTY[0], 4)
    assert (found["tries"], found["meter"]["foreign_share"]) == (2, 0.2)


def test_a_slow_contestant_gets_a_smaller_second_grid():
    plan = Plan(few=20, many=200, patience=60.0)
    assert [plan.cells_to_afford(seconds) for seconds in (0.01, 1.0, 9.0)] == [200, 60, 40]


def run_of(contestant, job, cells, a_cell=0.1):
    """A run of 2 s of start-up and 1 s of CPU time for it, then a cell every `a_cell` seconds."""
    ends = [2 + a_cell * (number + 1) for number in range(cells)]
    return {
        "contestant": contestant.name,
        "job": job.name,
        "meter": {"wall_seconds": ends[-1], "cpu_seconds": 1 + 0.04 * cells, "foreign_share": 0.01},
        "records": [
            {"lr": 0.1, "seed": seed, "ended": end} for seed, end in enumerate(ends)
        ],
        "cells": cells,
        "trained": cells,
        "seconds_between_ends": a_cell,
    }  # fmt: skip


def raw_of(seconds):
    """Raw data of two rounds: of each contestant a cell of 1 s every so many `seconds`."""
    own = {"mean_cpu_seconds": 0.01, "mean_seconds": 0.05}
    one_round = {
        "bare": {"cpu_seconds": 0.01, "wall_seconds": 0.05},
        "empty": {
            job.name: {
                one.name: [{**run_of(one, job, 20), **own}, {**run_of(one, job, 200), **own}]
                for one in EVERYBODY
            }
            for job in EMPTY
        },
        "one_second": {
            job.name: {one.name: run_of(one, job, 60, seconds[one.name]) for one in EVERYBODY}
            for job in ONE_SECOND
        },
    }
    return {
        **{"command": "x", "quick": False, "plan": asdict(Plan()), "seconds": 60},
        **{"date": "2026-01-01", "commit": "0" * 12, "machine": machine()},
        **{"lines": lines_written(), "rounds": [one_round, one_round]},
    }


def test_the_page_tells_costs_rates_and_which_goals_were_missed():
    raw = raw_of({"runner": 0.5, "optuna": 1.0, "ray": 1.0, "hydra": 0.625})
    text = page.render(json.loads(to_json(raw)))
    # 0.04 s of CPU a further cell less its own 0.01; 2 slots x 0.1 s less its own 0.05.
    assert "| this runner, 2 slots | 30 (30 to 30) | 150 (150 to 150) | 2.0 | 1.0 |" in text
    assert "| 7200 (7200 to 7200) | 100.0% | 1 | 1.00 |" in text
    assert "| 5760 (5760 to 5760) | 80.0% | 1.25 (1.25 to 1.25) | 1.25 |" in text
    assert "at most 1% in any" in text
    found = {goal: (shown, met) for goal, shown, met in page.goals(raw)}
    assert len(found) == 2 + 3 * (1 + len(PEERS)) + 2
    assert found["≤ 0.1 s of CPU: a function that returns at once"] == ("0.030 s", True)
    assert found["≥ 95% of 7,200 cells/h: a command of 1 s"] == ("100.0%", True)
    ray, hydra = (next(one.label for one in PEERS if one.name == name) for name in ("ray", "hydra"))
    assert found[f"≥ 1.5x {ray}: a command of 1 s"] == ("2.00x", True)
    assert found[f"≥ 1.5x {hydra}: a command of 1 s"] == ("1.25x, most possible 1.25x", False)


def test_a_quick_run_says_that_it_measures_nothing():
    raw = raw_of(dict.fromkeys(("runner", "optuna", "ray", "hydra"), 0.5))
    assert "measures nothing" in page.render({**raw, "quick": True})


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tests.benchmarks.own_trainers.__main__.find_spec", lambda module: None)
    assert main(["--output", str(tmp_path)]) == 2
    assert "error: optuna is missing: pip install -e '.[bench]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
