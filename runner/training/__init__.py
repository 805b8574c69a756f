"""Training one cell: images and levels in, an outcome out; no store, no pool, no processes."""

from runner.training.failure import reason_of
from runner.training.loop import train

__all__ = ["reason_of", "train"]
