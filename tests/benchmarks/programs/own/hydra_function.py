"""Hydra's multirun with the joblib launcher, after the plugin's page."""

import hydra
from fit import fit
from hydra.core.config_store import ConfigStore

ConfigStore.instance().store(name="config", node={"lr": 0.1, "seed": 0, "kind": "nothing"})


@hydra.main(version_base=None, config_name="config")
def main(config):
    return fit(config.lr, config.seed, config.kind)


if __name__ == "__main__":
    main()
