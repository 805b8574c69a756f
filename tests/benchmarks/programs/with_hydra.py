"""Peer (e): Hydra's multirun with the joblib launcher plugin.

After the plugin's page: `python with_hydra.py --multirun hydra/launcher=joblib lr=... seed=...`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import MISSING
from tutorial import train_cell


@dataclass
class Config:
    workload: str = MISSING
    lr: float = 0.05
    seed: int = 0


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_name="config")
def main(config: Config) -> float:
    return train_cell(json.loads(Path(config.workload).read_text()), config.lr, config.seed)


if __name__ == "__main__":
    main()
