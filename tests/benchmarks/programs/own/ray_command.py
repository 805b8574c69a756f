"""Ray Tune's grid search, two trials at a time; each trial is the command."""

import json
import subprocess
import sys
from pathlib import Path

import ray
from ray import tune

seconds, seeds = sys.argv[1], range(int(sys.argv[2]))
script = str(Path("fit.sh").resolve())  # a trial works in a folder that Ray makes


def trainable(config):
    words = ["sh", script, "--seconds", seconds]
    words += ["--lr", str(config["lr"]), "--seed", str(config["seed"])]
    printed = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    return {"accuracy": json.loads(printed)["accuracy"]}


ray.init(num_cpus=2)
tuner = tune.Tuner(
    tune.with_resources(trainable, {"cpu": 1}),
    param_space={"lr": tune.grid_search([0.1, 0.01]), "seed": tune.grid_search(list(seeds))},
    tune_config=tune.TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=2),
    run_config=tune.RunConfig(storage_path=str(Path.cwd()), name="grid"),
)
sys.exit(1 if tuner.fit().errors else 0)
