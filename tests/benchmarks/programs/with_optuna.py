"""Peer (d): Optuna's `GridSampler`, two processes that share a study in SQLite.

After "Easy Parallelization": the study is created once, then the same script runs in several
processes. One thread each (the environment says so); Optuna itself leaves threads alone.
"""

import json
import subprocess
import sys
from pathlib import Path

import optuna


def search_space(workload: dict) -> dict:
    return {"lr": workload["lrs"], "seed": workload["seeds"]}


def optimize(workload: dict, storage: str) -> None:
    from tutorial import train_cell

    space = search_space(workload)

    def objective(trial: optuna.Trial) -> float:
        lr = trial.suggest_float("lr", min(space["lr"]), max(space["lr"]))
        seed = trial.suggest_int("seed", min(space["seed"]), max(space["seed"]))
        return train_cell(workload, lr, seed)

    study = optuna.load_study(
        study_name="grid", storage=storage, sampler=optuna.samplers.GridSampler(space)
    )
    study.optimize(objective)  # ends when the grid is exhausted


if __name__ == "__main__":
    workload = json.loads(Path(sys.argv[1]).read_text())
    storage = f"sqlite:///{workload['scratch']}/optuna.db"
    if sys.argv[2:] == ["process"]:
        optimize(workload, storage)
    else:
        optuna.create_study(study_name="grid", storage=storage, direction="maximize")
        again = [sys.executable, __file__, sys.argv[1], "process"]
        started = [subprocess.Popen(again) for _ in range(workload["workers"])]
        sys.exit(max([process.wait() for process in started]))
