"""An application of Hydra, which writes its score on its last line."""

import logging

import hydra
import numpy as np
from omegaconf import DictConfig

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> None:
    rng = np.random.default_rng(cfg.seed)
    x = rng.normal(size=(200, cfg.model.width))
    true = np.linspace(-1, 1, cfg.model.width)
    y = x @ true + rng.normal(0, 0.5, 200)
    w = np.zeros(cfg.model.width)
    v = np.zeros_like(w)
    for epoch in range(cfg.epochs):
        gradient = x.T @ (x @ w - y) / len(x) + cfg.optim.weight_decay * w
        v = cfg.optim.momentum * v - cfg.optim.lr * gradient
        w = w + v
        log.info("epoch %d error %.5f", epoch, float(np.abs(w - true).mean()))


if __name__ == "__main__":
    main()
