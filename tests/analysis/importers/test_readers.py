"""What each tool keeps and how it is read, on files that the tools wrote here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest

from ablations.errors import InputError
from analysis import from_hydra, from_mlflow, from_optuna, from_tensorboard, from_wandb
from analysis.importers.readers import hydra_jobs, mlflow_runs, tensorboard_runs, wandb_runs
from analysis.study import Study
from tests.analysis.importers.conftest import Kept
from tests.analysis.importers.sweeps import accuracy, rows, table


def notes(study: Study) -> str:
    assert study.checked is not None
    return "\n".join(study.checked.notes)


# --- Optuna -----------------------------------------------------------------------------------


def in_memory(**about: Any) -> optuna.Study:
    """Twenty-four trials of a full grid, the fifth pruned, the tenth failed, another running."""
    levels = {"a": [1, 2], "b": ["x", "y"], "seed": [0, 1, 2, 3, 4, 5]}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(levels, seed=0), **about)

    def objective(trial: optuna.Trial) -> Any:
        a, seed = trial.suggest_int("a", 1, 9), trial.suggest_int("seed", 0, 9)
        trial.suggest_categorical("b", ["x", "y"])
        trial.set_user_attr("share", 0.5 + a / 100)
        trial.report(99.0, 0)  # which a pruned trial has as its value
        if trial.number == 4:
            raise optuna.TrialPruned
        if trial.number == 9:
            raise RuntimeError
        return [a + seed / 100] * len(study.directions) if len(study.directions) > 1 else a + seed

    if len(study.directions) == 1:
        study.optimize(objective, catch=(RuntimeError,))
        study.ask()
    return study


def test_trials_in_memory_with_pruned_failed_and_running_ones() -> None:
    study = from_optuna(in_memory(direction="minimize"))
    assert study.factors == {"a": ("1", "2"), "b": ("x", "y")}
    assert (study.replicate, study.response) == ("seed", "value")
    assert study.measure.better == "lower"
    assert len(study.frame) == 24
    assert study.frame["value"].max() < 99
    assert "of 25 trials 1 is still running: not counted here" in notes(study)
    assert "of 24 trials 1 was pruned and 1 failed: counted as lost" in notes(study)
    assert study.missing().lost == 2


def test_a_number_among_the_attributes_can_be_the_outcome() -> None:
    study = from_optuna(in_memory(direction="minimize"), response="share")
    assert study.response == "share"
    assert study.measure.better == "higher"  # which the direction of the objective says nothing of
    assert study.frame["share"].dropna().unique().round(2).tolist() == [0.51, 0.52]


def test_of_several_objectives_one_must_be_named() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(["loss", "gain"])
    for a in (1, 2):
        for seed in (0, 1):
            study.enqueue_trial({"a": a, "seed": seed})

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        a, seed = trial.suggest_int("a", 1, 2), trial.suggest_int("seed", 0, 1)
        return a + seed / 10, a - seed / 10

    study.optimize(objective, n_trials=4)
    with pytest.raises(InputError, match="one of loss, gain"):
        from_optuna(study)
    assert from_optuna(study, response="loss").measure.better == "lower"
    assert from_optuna(study, response="gain").measure.better == "higher"


def test_a_journal_and_a_file_of_sqlite_are_read_by_their_paths(tmp_path: Path) -> None:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    journal = tmp_path / "study.log"
    for storage, path in (
        (JournalStorage(JournalFileBackend(str(journal))), journal),
        (f"sqlite:///{tmp_path}/study.db", tmp_path / "study.db"),
    ):
        for name in ("one", "two"):
            study = optuna.create_study(storage=storage, study_name=name)
            for a, seed in ((1, 0), (1, 1), (2, 0), (2, 1)):
                study.enqueue_trial({"a": a, "seed": seed})
            study.optimize(
                lambda t: t.suggest_int("a", 1, 2) + t.suggest_int("seed", 0, 1) / 9, n_trials=4
            )
        with pytest.raises(InputError, match="has 2 studies, name one behind the URL: one, two"):
            from_optuna(path)
        with pytest.raises(InputError, match="has no study 'on'"):
            from_optuna(path, "on")
        before = path.read_bytes()
        assert from_optuna(path, "two").factors == {"a": ("1", "2")}
        assert path.read_bytes() == before


def test_a_sampler_that_follows_values_is_warned_of() -> None:
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(lambda t: t.suggest_int("a", 0, 3) + t.suggest_float("x", 0, 1), n_trials=20)
    made = from_optuna(study, bins={"x": 2})
    assert list(made.factors) == ["a", "x"]
    assert "trials were not spread evenly: if their sampler looked at earlier" in notes(made)
    assert "not spread evenly" not in notes(from_optuna(in_memory()))


# --- MLflow -----------------------------------------------------------------------------------


def test_mlflow_folders_are_read_without_mlflow(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, source = kept("mlflow_files")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    for folder in (source, f"{source}/mlruns", f"file://{source}/mlruns"):
        study = from_mlflow(folder)
        assert study.frame["accuracy"].tolist() == table()["accuracy"].tolist()
    with pytest.raises(InputError, match="no experiment 'sweeep' with runs: did you mean 'sweep'"):
        from_mlflow(source, "sweeep")


def test_of_mlflow_deleted_runs_are_none_and_endings_are_told(kept: Kept, tmp_path: Path) -> None:
    _, source = kept("mlflow_files")
    shutil.copytree(source, tmp_path / "copy")
    metas = sorted((tmp_path / "copy").rglob("*/*/meta.yaml"))
    runs = [meta for meta in metas if (meta.parent / "params" / "lr").exists()]
    assert len(runs) == len(rows())
    for meta, (old, new) in zip(
        runs,
        [("stage: active", "stage: deleted"), ("status: 3", "status: 4"),
         ("status: 3", "status: 1"), ("status: 3", "status: 5")],
        strict=False,
    ):  # fmt: skip
        text = meta.read_text("utf-8")
        assert old in text
        meta.write_text(text.replace(old, new), "utf-8")
    read = mlflow_runs.read(tmp_path / "copy")
    endings = sorted(run.ended for run in read.runs)
    assert endings == ["failed", *["finished"] * 8, "killed", "running"]
    said = notes(from_mlflow(tmp_path / "copy"))
    assert "of 11 runs 1 is still running: not counted here" in said
    assert "1 was killed" in said
    assert "1 failed" in said


def test_the_last_step_of_a_metric_counts_and_names_have_slashes(tmp_path: Path) -> None:
    run = tmp_path / "0" / "abc"
    (run / "metrics" / "val").mkdir(parents=True)
    (run / "params").mkdir()
    (tmp_path / "0" / "meta.yaml").write_text("name: e\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text("run_name: r\nlifecycle_stage: active\nstatus: 3\n")
    (run / "params" / "lr").write_text("0.1")
    (run / "metrics" / "val" / "acc").write_text("5 0.9 3\n6 0.8 2\n7 nan 1\n")
    (one,) = mlflow_runs.read(tmp_path).runs
    assert (one.name, one.params, one.metrics) == ("r", {"lr": "0.1"}, {"val/acc": 0.9})


# --- TensorBoard ------------------------------------------------------------------------------


def test_scalars_of_the_folder_above_belong_to_the_run(kept: Kept) -> None:
    _, source = kept("tensorboard")
    read = tensorboard_runs.read(source)
    assert read.responses == ("accuracy",)
    first = read.runs[0]
    assert first.params == {"epochs": 3.0, "lr": 0.1, "optimizer": "sgd", "seed": 0.0}
    assert first.metrics == {"accuracy": accuracy(0.1, "sgd", 0), "loss": pytest.approx(1 / 3)}
    study = from_tensorboard(source, response="loss")
    assert study.frame["loss"].nunique() == 1


def test_scalars_without_hyperparameters_are_refused(kept: Kept, tmp_path: Path) -> None:
    _, source = kept("tensorboard")
    only = next(path for path in Path(source).iterdir())
    shutil.copytree(only, tmp_path / "a", ignore=lambda _, names: [n for n in names if n[0] == "1"])
    with pytest.raises(InputError, match="event files in 1 folder, but no hyperparameters"):
        from_tensorboard(tmp_path)


# --- W&B --------------------------------------------------------------------------------------


def test_a_log_that_breaks_off_is_a_run_that_still_runs(kept: Kept, tmp_path: Path) -> None:
    _, source = kept("wandb")
    shutil.copytree(source, tmp_path / "wandb", symlinks=True)
    log = sorted((tmp_path / "wandb").rglob("run-*.wandb"))[0]
    log.write_bytes(log.read_bytes()[:-40])
    read = wandb_runs.read(tmp_path / "wandb")
    assert [run.ended for run in read.runs].count("running") == 1
    assert read.name == "sweep"
    log.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="is no log of W&B"):
        from_wandb(tmp_path / "wandb")


def test_a_record_may_be_longer_than_a_block_of_its_log(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    script = (
        "import wandb\n"
        "for a in 1, 2:\n"
        "    run = wandb.init(project='p', config={'a': a, 'note': 'x' * 100_000})\n"
        "    for k in range(400): run.log({'loss': a + k, 'more': 'y' * 200})\n"
        "    run.finish(exit_code=a - 1)\n"
    )
    env = {**os.environ, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=env, check=True, capture_output=True
    )
    read = wandb_runs.read(tmp_path)
    assert [run.params["a"] for run in read.runs] == [1, 2]
    assert all(len(str(run.params["note"])) == 100_000 for run in read.runs)
    assert [run.metrics["loss"] for run in read.runs] == [400.0, 401.0]
    assert [run.ended for run in read.runs] == ["finished", "failed"]


def test_config_and_summary_as_files_need_no_wandb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run that was online has them: values below their names, W&B's own beside."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    for k, (lr, optimizer, seed) in enumerate(rows()):
        files = tmp_path / "wandb" / f"run-20260101_0000{k:02}-id{k}" / "files"
        files.mkdir(parents=True)
        (files / "config.yaml").write_text(
            f"wandb_version: 1\n_wandb:\n  desc: null\n  value:\n    t: {{1: [1]}}\nlr:\n"
            f"  desc: null\n  value: {lr}\nopt:\n  value:\n    name: {optimizer}\n"
            f"seed:\n  value: {seed}\n"
        )
        summary = {"acc": accuracy(lr, optimizer, seed), "_runtime": k, "_wandb": {"runtime": 1}}
        (files / "wandb-summary.json").write_text(json.dumps(summary))
    study = from_wandb(tmp_path / "wandb")
    assert study.factors == {"lr": ("0.01", "0.1"), "opt.name": ("sgd", "adam")}
    assert (study.replicate, study.response) == ("seed", "acc")
    assert study.frame["acc"].tolist() == table()["accuracy"].tolist()


def test_an_export_asks_for_factors_and_outcome(tmp_path: Path) -> None:
    """The columns of an export of the table of runs; W&B's page writes them, no program does."""
    lines = ['"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","model.name",'
             '"seed","epochs","acc","loss","best"']  # fmt: skip
    for k, (lr, optimizer, seed) in enumerate(rows()):
        state = "crashed" if k == 3 else "finished"
        acc = "" if k == 3 else accuracy(lr, optimizer, seed)
        lines.append(f'"calm-wind-{k}","{state}","-","me","","2026-01-01T00:00:0{k % 10}.000Z",'
                     f'"{k + 60}","","{lr}","{optimizer}","{seed}","5","{acc}","0.{k}1","{k % 2}"'
                     )  # fmt: skip
    path = tmp_path / "wandb_export.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(InputError, match=r"say which is the outcome with --response NAME, one of"):
        from_wandb(path)
    with pytest.raises(InputError, match=r"which are results: name the factors with --factors lr "
                       r"model.name"):  # fmt: skip
        from_wandb(path, response="acc")
    study = from_wandb(path, response="acc", factors=["lr", "model.name"])
    assert study.factors == {"lr": ("0.01", "0.1"), "model.name": ("sgd", "adam")}
    assert study.replicate == "seed"
    assert "of 12 runs 1 failed: counted as lost" in notes(study)
    assert study.frame["acc"].notna().sum() == 11


# --- Hydra ------------------------------------------------------------------------------------


def test_jobs_that_did_not_override_have_what_their_config_says(kept: Kept, tmp_path: Path) -> None:
    _, source = kept("hydra")
    shutil.copytree(source, tmp_path / "sweep")
    jobs = [tmp_path / "sweep" / str(k) for k in range(len(rows()))]
    told = jobs[0] / ".hydra" / "overrides.yaml"
    assert "lr=0.1" in told.read_text("utf-8")
    told.write_text(told.read_text("utf-8").replace("- lr=0.1\n", ""), "utf-8")
    read = hydra_jobs.read(tmp_path / "sweep")
    assert read.runs[0].params == {"lr": 0.1, "optimizer": "sgd", "seed": 0}
    (jobs[11] / "results.json").unlink()
    study = from_hydra(tmp_path)
    assert "1 of 12 runs has no test.accuracy" in notes(study)
    assert study.missing().lost == 1


def test_the_last_number_of_each_column_counts(tmp_path: Path) -> None:
    job = tmp_path / "0"
    (job / ".hydra").mkdir(parents=True)
    (job / ".hydra" / "overrides.yaml").write_text("- +model.depth='3'\n- ~lr\n")
    (job / "metrics.csv").write_text("epoch,acc,loss\n0,0.1,2\n1,0.2,\n2,,1.5\n")
    (job / "log.jsonl").write_text('{"acc": 0.7}\n{"time": {"train": 3}}\n')
    (job / "broken.json").write_text("{")
    read = hydra_jobs.read(tmp_path)
    (one,) = read.runs
    assert one.params["model.depth"] == "3"
    assert one.metrics == {
        "epoch": 2.0, "metrics/acc": 0.2, "log/acc": 0.7, "loss": 1.5, "time.train": 3.0
    }  # fmt: skip
    assert read.notes == (
        "results are those in log.jsonl, metrics.csv, of several rows the last number of each",
    )
    (job / ".hydra" / "overrides.yaml").write_text("a: [")
    with pytest.raises(InputError, match=r"overrides.yaml' cannot be read"):
        hydra_jobs.read(tmp_path)
