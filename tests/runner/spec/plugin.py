"""A plugin as a user writes it: a level with every kind of parameter, a model, a data set."""

from ablations.registry import dataset, level, model


@level("optimizer")
def lookahead(parameters, *, lr: float = 0.1, steps: int = 5, betas: tuple[float, float] = (0, 1)):
    """Not a real optimizer: only its parameters are read here."""


@level("init", name="sparse")
def _sparse(layer, draw, *, share: float):
    """A level whose parameter has no default."""


@model()
def tiny(classes, block, *, blocks: int = 2):
    """A model with one parameter."""


@dataset(mirror_keeps_labels=False)
def blobs(root, *, classes: int = 4):
    """A data set with one parameter."""
