"""`study.optimize` with two threads and SQLite, after Optuna's "Easy Parallelization"."""

import sys

import optuna
from fit import fit

kind, seeds = sys.argv[1], range(int(sys.argv[2]))
space = {"lr": [0.1, 0.01], "seed": list(seeds)}


def objective(trial):
    lr = trial.suggest_categorical("lr", space["lr"])
    seed = trial.suggest_categorical("seed", space["seed"])
    return fit(lr, seed, kind)


sampler = optuna.samplers.GridSampler(space)
study = optuna.create_study(storage="sqlite:///optuna.db", sampler=sampler, direction="maximize")
study.optimize(objective, n_jobs=2)
