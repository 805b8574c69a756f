"""What changes after a plan: code, place and disk; and the names that it may have."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.commands.running.grid import register_design
from runner.design import design_of
from runner.spec import load_spec
from runner.store import open_store
from tests.faults.harness import ROOT, finish
from tests.faults.own.study import KINDS, QUICKLY, specification, write

pytestmark = pytest.mark.fault

SCRIPT = """\
import json, sys
def fit(way, lr, seed):
    return {"accuracy": 0.5 + lr}
if __name__ == "__main__":
    print(json.dumps(fit(sys.argv[1], float(sys.argv[2]), 0)))
"""


def own_script(folder, kind, text=SCRIPT, **changes):
    """A specification of four cells whose trainer is a file in `folder`."""
    script = write(folder, text)
    trainer = f"{script}:fit"
    if kind == "command":
        command = f"python {script} {{way}} {{lr}}"
        trainer = {"command": command, "code": ["train.py"], "unseeded": True}
    return specification(folder, kind, ["plain", "other"], trainer=trainer, **changes)


def within(bench, folder, *words):
    """Exit code and output of `python -m runner WORDS`, given in `folder`."""
    prefix = ("env", "-C", folder, sys.executable)
    run = bench.program("-m", "runner", *words, prefix=prefix, PYTHONPATH=str(ROOT), **QUICKLY)
    return finish(run)


def grid(bench, file, folder):
    return within(bench, folder, "grid", file, "--no-report")


@pytest.mark.parametrize("kind", KINDS)
def test_changed_code_is_other_cells_and_the_same_again_trains_nothing(bench, tmp_path, kind):
    file = own_script(tmp_path, kind)
    code, output = grid(bench, file, tmp_path)
    assert code == 0, output
    first = {run["cell"] for run in bench.runs()}
    own_script(tmp_path, kind, SCRIPT.replace("0.5", "0.6"))
    code, output = grid(bench, file, tmp_path)
    assert code == 0, output
    assert "4 cells trained here" in output
    second = bench.runs()
    assert not first & {run["cell"] for run in second}
    assert {run["responses"]["accuracy"] for run in second} == {0.7, 0.61}
    own_script(tmp_path, kind)
    code, output = grid(bench, file, tmp_path)
    assert code == 0, output
    assert {run["cell"] for run in bench.runs()} == first
    assert len(bench.attempts()) == 8, "a cell was trained again"


def planned(bench, tmp_path, kind):
    """A study that is planned and of which nothing has run."""
    spec = load_spec(own_script(tmp_path, kind), cuda_visible=False)
    with open_store(bench.storage, create=True) as store:
        register_design(store, spec, design_of(spec), "cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_elsewhere_trains_only_the_code_of_the_plan(bench, tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned(bench, tmp_path, kind)
    script = tmp_path / "train.py"
    kept = script.read_text()
    script.unlink()
    code, output = bench.run("work", "own", **QUICKLY)
    assert code == 2, output
    assert output.rstrip().endswith("train.py is not on this machine"), output
    script.write_text(kept + "# edited\n")
    code, output = bench.run("work", "own", **QUICKLY)
    assert code == 2, output
    assert "is not what it was when this was planned" in output
    assert "Traceback" not in output
    assert {run["state"] for run in bench.runs()} == {"waiting"}
    script.write_text(kept)
    code, output = bench.run("work", "own", **QUICKLY)
    assert code == 0, output
    bench.assert_exact(4)


@pytest.mark.parametrize("kind", KINDS)
def test_plugins_confine_a_worker_to_reviewed_code(bench, tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned(bench, tmp_path, kind)
    (tmp_path / "reviewed").mkdir()
    code, output = bench.run("work", "own", "--plugins", tmp_path / "reviewed", **QUICKLY)
    assert code == 2, output
    assert output.count("\n") == 1
    assert "--plugins" in output or "confined to" in output
    assert {run["state"] for run in bench.runs()} == {"waiting"}
    if kind == "function":
        code, output = bench.run("work", "own", "--plugins", tmp_path, **QUICKLY)
        assert code == 0, output
        bench.assert_exact(4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_whose_folder_cannot_be_made_fails_in_words(bench, tmp_path, kind):
    file = own_script(tmp_path, kind)
    code, output = within(bench, tmp_path, "plan", file)
    name = next(word for word in output.split() if word.startswith("own-default-")).rstrip(":")
    (bench.results / name).mkdir(parents=True)
    (bench.results / name / "cells").write_text("a file where a folder should be")
    code, output = grid(bench, file, tmp_path)
    assert code == 3, output
    assert "Traceback" not in output
    for run in bench.runs():
        assert run["state"] == "failed"
        assert "cells" in run["detail"], run["detail"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB, so that it can be full."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True
    )
    if made.returncode:
        pytest.skip("NOT TESTED: a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_stops_the_run_and_loses_nothing(bench, tmp_path, small_disk, kind):
    file = specification(tmp_path, kind, ["shouts", "plain"])
    code, output = bench.run(
        "grid", file, "--no-report", **QUICKLY, ABLATIONS_RESULTS=str(small_disk)
    )
    assert code != 0, output
    assert "Traceback" not in output
    bench.assert_no_orphans()
    assert "running" not in {run["state"] for run in bench.runs()}
    code, output = bench.run("retry", "own")
    code, output = bench.run("grid", file, "--no-report", **QUICKLY)
    assert code == 0, output
    bench.assert_exact(4)


ODD = (
    *("seconds", "loss", "state", "epoch", "a b", "mAP@0.5", "p<0.05", "f1/macro", "détails"),
    "x" * 60,
)


TAKEN = ("lr", "model", "cell", "step", "replicate", "status", "name", "value", "level", "median")
"""Names of factors and of columns, which a curve may have."""


def test_responses_and_curves_may_have_any_name(bench, tmp_path):
    script = write(
        tmp_path, "def fit(lr, model, seed, run):\n"
        "    for step in range(3):\n        run.report(step, **{n: lr + step for n in CURVES})\n"
        f"    return {{n: lr + seed % 10 for n in NAMES}}\nNAMES = {ODD!r}\n"
        f"CURVES = {[*ODD, *TAKEN]!r}\n",
    )  # fmt: skip
    file = specification(
        tmp_path, "function", [], trainer=f"{script}:fit", replicates=2,
        factors={"lr": [0.1, 0.01], "model": ["a", "b"]},
        responses={name: {"better": "lower"} for name in ODD},
    )  # fmt: skip
    code, output = bench.run("grid", file, **QUICKLY)
    assert code == 0, output
    bench.assert_exact(8)
    for run in bench.runs():
        assert set(run["responses"]) == set(ODD)
    code, output = bench.run("show", bench.runs()[0]["cell"])
    assert code == 0, output
    assert list(bench.results.glob("own-*/report.html"))
