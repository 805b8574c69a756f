"""One small sweep, kept by each tool as its users keep it; run as a program, because tools do.

`python -m tests.analysis.importers.sweeps TOOL FOLDER`
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

EPOCHS = 3
HYDRA_APP = """
import json, os
import hydra
from hydra.core.hydra_config import HydraConfig
from tests.analysis.importers.sweeps import accuracy


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    name = config.optimizer.name
    value = accuracy(config.lr, name, config.seed)
    folder = HydraConfig.get().runtime.output_dir
    with open(os.path.join(folder, "results.json"), "w") as file:
        json.dump({"test": {"accuracy": value}}, file)


main()
"""


def accuracy(lr: float, optimizer: str, seed: int) -> float:
    """Better with 0.1 and with Adam, with noise of its own in each run."""
    rng = np.random.default_rng([int(lr * 1000), len(optimizer), seed])
    return round(0.6 + 0.2 * (lr == 0.1) + 0.02 * (optimizer == "adam") + 0.01 * rng.normal(), 4)


def rows() -> list[tuple[float, str, int]]:
    return list(itertools.product((0.1, 0.01), ("sgd", "adam"), range(3)))


def table() -> pd.DataFrame:
    """The same runs as anybody would have them in a table."""
    frame = pd.DataFrame(rows(), columns=["lr", "optimizer", "seed"])
    return frame.assign(accuracy=[accuracy(*row) for row in rows()])


def optuna(folder: Path) -> None:
    import optuna

    levels = {"lr": [0.1, 0.01], "optimizer": ["sgd", "adam"], "seed": [0, 1, 2]}
    study = optuna.create_study(
        storage=f"sqlite:///{folder}/study.db",
        study_name="sweep",
        direction="maximize",
        sampler=optuna.samplers.GridSampler(levels, seed=0),
    )

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_categorical("epochs", [EPOCHS])
        return accuracy(
            trial.suggest_float("lr", 1e-4, 1.0, log=True),
            trial.suggest_categorical("optimizer", ["sgd", "adam"]),
            trial.suggest_int("seed", 0, 9),
        )

    study.optimize(objective)


def wandb(folder: Path) -> None:
    import wandb

    for lr, optimizer, seed in rows():
        config = {"lr": lr, "optimizer": optimizer, "seed": seed, "epochs": EPOCHS}
        config["folder"] = f"runs/{optimizer}-{lr}-{seed}"
        run = wandb.init(project="sweep", dir=folder, config=config)
        for epoch in range(EPOCHS):
            run.log({"accuracy": accuracy(lr, optimizer, seed) - (EPOCHS - 1 - epoch) / 10})
        run.finish()


def mlflow(folder: Path) -> None:
    """With the parent run that sweeps have."""
    import mlflow

    uri = f"sqlite:///{folder}/mlflow.db" if folder.name.endswith("sql") else f"{folder}/mlruns"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("sweep")
    with mlflow.start_run():
        for lr, optimizer, seed in rows():
            with mlflow.start_run(nested=True):
                mlflow.log_params(
                    {"lr": lr, "optimizer": optimizer, "seed": seed, "epochs": EPOCHS}
                )
                for epoch in range(EPOCHS):
                    value = accuracy(lr, optimizer, seed) - (EPOCHS - 1 - epoch) / 10
                    mlflow.log_metric("accuracy", value, step=epoch)


def tensorboard(folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for lr, optimizer, seed in rows():
        writer = SummaryWriter(f"{folder}/{optimizer}-{lr}-{seed}")
        for epoch in range(EPOCHS):
            writer.add_scalar("loss", 1 / (1 + epoch), epoch)
        hparams = {"lr": lr, "optimizer": optimizer, "seed": seed, "epochs": EPOCHS}
        writer.add_hparams(hparams, {"accuracy": accuracy(lr, optimizer, seed)})
        writer.close()


def hydra(folder: Path) -> None:
    """Of a config group, a number and a seed; each group's file has more than its name."""
    config = folder / "conf"
    (config / "optimizer").mkdir(parents=True)
    (config / "config.yaml").write_text("defaults: [{optimizer: sgd}, _self_]\nlr: 1.0\nseed: 9\n")
    (config / "optimizer" / "sgd.yaml").write_text("name: sgd\nmomentum: 0.9\n")
    (config / "optimizer" / "adam.yaml").write_text("name: adam\n")
    (folder / "app.py").write_text(HYDRA_APP)
    told = ["lr=0.1,0.01", "optimizer=sgd,adam", "seed=range(3)", "hydra.sweep.dir=multirun"]
    subprocess.run([sys.executable, "app.py", "-m", *told], cwd=folder, check=True)


WRITERS = {
    "optuna": optuna,
    "wandb": wandb,
    "mlflow_files": mlflow,
    "mlflow_sql": mlflow,
    "tensorboard": tensorboard,
    "hydra": hydra,
}
SOURCES = {
    "optuna": ("optuna", "sqlite:///{}/study.db"),
    "wandb": ("wandb", "{}/wandb"),
    "mlflow_files": ("mlflow", "{}"),
    "mlflow_sql": ("mlflow", "{}"),
    "tensorboard": ("tensorboard", "{}"),
    "hydra": ("hydra", "{}/multirun"),
}
"""What stands behind `--from`, with the folder that the writer was given."""
NEEDS = {
    "wandb": "wandb",
    "mlflow_files": "mlflow",
    "mlflow_sql": "mlflow",
    "tensorboard": "tensorboard",
    "hydra": "hydra",
}
"""Libraries of the test extra, without which a writer cannot run."""


def write(tool: str, folder: Path) -> None:
    """Have a tool keep the sweep."""
    quiet = {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-m", "tests.analysis.importers.sweeps", tool, str(folder)],
        env={**os.environ, **quiet, "PYTHONPATH": path},
        cwd=folder,
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    WRITERS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"kept by": sys.argv[1]}))
