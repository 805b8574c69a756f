"""Training one cell: images and levels in, an outcome out; no store, no pool, no processes.

loop       the whole training          step        one optimizer step
capture    steps recorded once         scoring     how well a network does
normalise  pixels to network input     numerics    the arithmetic a cell asks for
checkpoint  half a training on disk    parts/      the learner, its loss, its averages
watching   evidence of what its layers did, beside the steps
"""

from runner.training.loop import train

__all__ = ["train"]
