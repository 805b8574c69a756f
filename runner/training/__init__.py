"""Training one cell: images and levels in, an outcome out; no store, no pool, no processes.

loop       the whole training          step        one optimizer step
capture    steps recorded once         scoring     how well a network does
normalise  pixels to network input     numerics    the arithmetic a cell asks for
checkpoint  half a training on disk    failure     what an exception means
parts/     the learner, its loss, the average of its weights
"""

from runner.training.failure import reason_of
from runner.training.loop import train

__all__ = ["reason_of", "train"]
