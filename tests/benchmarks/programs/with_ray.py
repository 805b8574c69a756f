"""Peer (c): Ray Tune's `grid_search` on as many CPUs as there are workers.

After "Running Basic Tune Experiments": a function that returns its final result, one CPU a trial
(Ray then computes with one thread).
"""

import json
import sys
from pathlib import Path

import ray
from ray import tune
from tutorial import train_cell

if __name__ == "__main__":
    workload = json.loads(Path(sys.argv[1]).read_text())

    def trainable(config: dict) -> dict:
        return {"accuracy": train_cell(workload, config["lr"], config["seed"])}

    ray.init(num_cpus=workload["workers"])
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={
            "lr": tune.grid_search(workload["lrs"]),
            "seed": tune.grid_search(workload["seeds"]),
        },
        tune_config=tune.TuneConfig(metric="accuracy", mode="max"),
        run_config=tune.RunConfig(storage_path=workload["scratch"], name="grid"),
    )
    results = tuner.fit()
    sys.exit(1 if results.errors else 0)
