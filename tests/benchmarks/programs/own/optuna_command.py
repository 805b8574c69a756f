"""`study.optimize` with two threads and SQLite; each trial is the command."""

import json
import subprocess
import sys

import optuna

seconds, seeds = sys.argv[1], range(int(sys.argv[2]))
space = {"lr": [0.1, 0.01], "seed": list(seeds)}


def objective(trial):
    lr = trial.suggest_categorical("lr", space["lr"])
    seed = trial.suggest_categorical("seed", space["seed"])
    words = ["sh", "fit.sh", "--seconds", seconds, "--lr", str(lr), "--seed", str(seed)]
    printed = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(printed)["accuracy"]


sampler = optuna.samplers.GridSampler(space)
study = optuna.create_study(storage="sqlite:///optuna.db", sampler=sampler, direction="maximize")
study.optimize(objective, n_jobs=2)
