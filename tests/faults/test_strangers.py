"""Fault matrix, row S10: trials of other tools in the study, under a whole life of commands."""

from __future__ import annotations

import json
import subprocess
import sys

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from runner.optuna_mirror.mirror import optuna_storage
from runner.store import open_store
from tests.faults.harness import ROOT, specification

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.both_databases]


def strangers(bench, study):
    """Leave what other tools leave in a study: trials asked for, queued, copied, of other kinds."""
    theirs = optuna.load_study(
        study_name=study,
        storage=optuna_storage(bench.store()),
        sampler=optuna.samplers.RandomSampler(seed=0),
    )
    asked = theirs.ask()  # RUNNING, and nobody will ever tell it
    asked.suggest_float("momentum", 0.0, 1.0)
    asked.report(0.5, step=1)
    theirs.add_trial(create_trial(state=TrialState.RUNNING))
    theirs.enqueue_trial({"momentum": 0.9})
    theirs.add_trial(create_trial(value=0.99, user_attrs={"note": "by hand"}))
    own = next(t for t in theirs.trials if "cell" in t.user_attrs)
    theirs.add_trial(  # a copy of one of ours, left running
        create_trial(
            state=TrialState.RUNNING,
            params=own.params,
            distributions=own.distributions,
            user_attrs=own.user_attrs,
        )
    )
    return [t for t in theirs.trials if t.number >= asked.number]


def seen(trials):
    return [(t.number, t.state, t.params, t.user_attrs, t.intermediate_values) for t in trials]


@pytest.mark.long
def test_s10_trials_that_others_left_running_are_ignored(bench, tmp_path):
    code, output = bench.run("grid", specification(tmp_path, replicates=1))
    assert code == 0, output
    study = bench.store().studies()[0].name
    left = strangers(bench, study)
    assert [t.state for t in left].count(TrialState.RUNNING) == 3

    file = specification(tmp_path, replicates=2)
    code, output = bench.run("grid", file)
    assert code == 0, output
    assert "Traceback" not in output
    bench.assert_exact(8)
    assert len(bench.attempts()) == 8
    code, output = bench.run("grid", file)
    assert code == 0, output
    assert "nothing to do" in output

    for command in (
        ("status", study),
        ("show", bench.runs()[0]["cell"]),
        ("export", study, "--out", tmp_path / "tables"),
        ("retry", study),
    ):
        code, output = bench.run(*command)
        assert (code, "Traceback" in output) == (0, False), output
    code, output = bench.run("status", study)
    assert "running" not in output.partition("replicate")[0].replace("0 running", "")
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "effects", study, "--storage", bench.storage],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_runs"] == 8, "a trial by hand is no run of the grid"

    storage = optuna_storage(bench.store())
    trials = optuna.load_study(study_name=study, storage=storage).trials
    numbers = {t.number for t in left}
    assert seen(t for t in trials if t.number in numbers) == seen(left), "theirs are untouched"
    ours = [t for t in trials if t.number not in numbers]
    assert sorted(t.user_attrs["cell"] for t in ours) == sorted(r["cell"] for r in bench.runs())
    assert {t.state for t in ours} == {TrialState.COMPLETE}


def test_s10_a_stranger_with_our_parameter_as_a_number_ends_no_run(bench, tmp_path):
    code, output = bench.run("plan", specification(tmp_path, replicates=1))
    assert code == 0, output
    name = output.split("study ")[1].split(":")[0]
    store = open_store(bench.storage, create=True)
    optuna.create_study(study_name=name, storage=optuna_storage(store)).add_trial(
        create_trial(
            value=0.5,
            params={"optimizer": 0.5},
            distributions={"optimizer": optuna.distributions.FloatDistribution(0, 1)},
        )
    )
    store.close()
    code, output = bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    assert code == 0, output
    assert "no longer kept up to date" in output
    assert "optimizer" in output
    bench.assert_exact(4)
