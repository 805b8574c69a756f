"""Hydra's multirun with the joblib launcher; each job is the command."""

import json
import subprocess

import hydra
from hydra.core.config_store import ConfigStore

ConfigStore.instance().store(name="config", node={"lr": 0.1, "seed": 0, "seconds": 0})


@hydra.main(version_base=None, config_name="config")
def main(config):
    words = ["sh", "fit.sh", "--seconds", str(config.seconds)]
    words += ["--lr", str(config.lr), "--seed", str(config.seed)]
    printed = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(printed)["accuracy"]


if __name__ == "__main__":
    main()
