"""Ray Tune's grid search, two trials at a time, after "Running Basic Tune Experiments"."""

import sys
from pathlib import Path

import ray
from fit import fit
from ray import tune

kind, seeds = sys.argv[1], range(int(sys.argv[2]))


def trainable(config):
    return {"accuracy": fit(config["lr"], config["seed"], kind)}


ray.init(num_cpus=2)
tuner = tune.Tuner(
    tune.with_resources(trainable, {"cpu": 1}),
    param_space={"lr": tune.grid_search([0.1, 0.01]), "seed": tune.grid_search(list(seeds))},
    tune_config=tune.TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=2),
    run_config=tune.RunConfig(storage_path=str(Path.cwd()), name="grid"),
)
sys.exit(1 if tuner.fit().errors else 0)
