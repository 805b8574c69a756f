"""Levels that make a number stop being finite, each at a moment of its own.

A plugin like any user's, for the fault tests of divergence.
"""

from ablations.registry import level
from ablations.scheduler import Stepper


@level("scheduler")
def explodes(optimizer, epochs, steps, *, after: int = 0):
    """A learning rate that becomes absurd after so many epochs."""
    from torch.optim.lr_scheduler import LambdaLR

    return Stepper(LambdaLR(optimizer, lambda epoch: 1.0 if epoch < after else 1e30), "epoch")


def _answers_nan(layer, when):
    layer.register_forward_hook(
        lambda layer, given, answer: answer * float("nan") if when(layer, answer) else answer
    )


@level("init")
def nan_when_measured(layer, draw):
    """Trains soundly, and answers NaN to validation images."""
    _answers_nan(layer, lambda layer, answer: not layer.training)


@level("init")
def nan_on_test_images(layer, draw):
    """Sound to the last epoch: only the test, of more images at a time, is answered by NaN."""
    _answers_nan(layer, lambda layer, answer: not layer.training and len(answer) > 100)
