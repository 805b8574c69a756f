"""The weights a network starts with: the cell's `init` level, layer by layer, and what it leaves.

A built-in level fills every convolution and every linear layer of any model, each from a stream of
its own. Whatever else has weights (embeddings, recurrent layers, parameters of a module's own,
norms that came with weights) stays as the model made it, and `left_by_init` says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ablations import registry
from runner.content.cell import Cell
from runner.content.seeds import generator
from runner.program.wording import counted, listed

KEEP = "keep"
"""The level that fills nothing."""

Filled = (
    nn.Conv1d | nn.Conv2d | nn.Conv3d
    | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d | nn.Linear
)  # fmt: skip
"""Layers that an `init` level fills. Of a transposed convolution fan in and fan out are counted as
torch counts them, from the weight as it lies: they have changed places."""

NORMS = (
    nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.PReLU,
)  # fmt: skip
"""Modules whose weights are constants at the start: not what an `init` level is about."""


def initialise(network: nn.Module, cell: Cell) -> None:
    """Apply the cell's `init` level to every layer it fills, each from its own stream."""
    chosen = cell.level("init")
    fill = registry.find("init", chosen.name).function
    layers = [module for module in network.modules() if is_filled(module)]
    with torch.no_grad():
        for index, layer in enumerate(layers, start=1):
            draw = generator(cell.stream("init", index))
            fill(layer, draw, **chosen.parameters)


def is_filled(module: nn.Module) -> bool:
    """Whether an `init` level fills the module.

    Not one whose weight is worked out from others (weight norm and its like): what is written into
    it would be gone at the next step.
    """
    if not isinstance(module, Filled):
        return False
    weight = module._parameters.get("weight")
    return weight is not None and not isinstance(weight, nn.parameter.UninitializedParameter)


def left_by_init(network: nn.Module, cell: Cell) -> str | None:
    """A line for the outcome's notes: which modules with weights the `init` level left alone."""
    level = cell.level("init").name
    if level == KEEP:
        return None
    kinds = kinds_left(network)
    if not kinds:
        return None
    filled = sum(map(is_filled, network.modules()))
    return (
        f"init {level} filled {counted(filled, 'layer')}; {listed(kinds)} kept the model's own "
        "weights"
    )


def kinds_left(network: nn.Module) -> list[str]:
    """Modules with weights that no level fills, by kind: "LSTM", "2 Embedding"."""
    kinds = Counter(type(module).__name__ for module in _left(network))
    return [kind if n == 1 else f"{n} {kind}" for kind, n in sorted(kinds.items())]


def _left(network: nn.Module) -> Iterator[nn.Module]:
    """Modules with weights of their own that no level fills; norms only if theirs were set."""
    for module in network.modules():
        own = [*module.parameters(recurse=False)]
        if not own or is_filled(module):
            continue
        if isinstance(module, NORMS) and all(map(_is_constant, own)):
            continue
        yield module


def _is_constant(weights: Tensor) -> bool:
    return bool((weights == weights.flatten()[:1]).all())
