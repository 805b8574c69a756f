"""The network of a cell: VGG for 32x32 images, or a plugin's, with the cell's norm and weights.

`build` returns it on the CPU with weights drawn from the replicate's own streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ablations import registry
from ablations.errors import InputError, raised_in
from runner.content.cell import Cell
from runner.content.protocol import ModelSpec
from runner.network.fused_norm import FusedNorm
from runner.network.layout import stages
from runner.network.weights import initialise


class ConvolutionBlock(Protocol):
    """A convolution and what the cell's `bn_placement` puts after it, the activation included."""

    def __call__(
        self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1
    ) -> nn.Sequential:
        """`kernel` is odd; with stride 1 the size of the image stays."""
        ...


class VGG(nn.Module):
    """Five stages of 3x3 convolutions, then dropout and a linear classifier; [B,3,H,W] -> [B,C].

    Images need at least 32 pixels a side: the stages halve them five times.
    """

    def __init__(self, classes: int, block: ConvolutionBlock, spec: ModelSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage in stages(spec):
            layers.extend(block(inputs, outputs) for inputs, outputs in stage)
            layers.append(halve(layers.pop()))
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(spec.dropout)
        self.classifier = nn.Linear(stages(spec)[-1][-1][1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, 3, H, W]."""
        # 32x32 images are down to one pixel here; larger ones are averaged.
        pooled = self.features(images).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def halve(block: nn.Module) -> nn.Module:
    """The block with a 2x2 maximum at its end.

    Maximum and ReLU commute, values and gradients alike, so where the ReLU is last the maximum
    comes before it and leaves it a quarter of the pixels: 6 % of a narrow network's step.
    """
    if isinstance(block, nn.Sequential) and isinstance(block[-1], FusedNorm):
        return nn.Sequential(*block[:-1], block[-1].halved())
    if isinstance(block, nn.Sequential) and isinstance(block[-1], nn.ReLU):
        return nn.Sequential(*block[:-1], nn.MaxPool2d(2), block[-1])
    return nn.Sequential(block, nn.MaxPool2d(2))


def build(cell: Cell, classes: int, block: ConvolutionBlock | None = None) -> nn.Module:
    """The cell's network with its initial weights, on the CPU.

    Args:
        cell: whose.
        classes: logits it is to give.
        block: what its convolutions are made with; the cell's own where it is left out.

    Raises:
        InputError: the model is not registered, what a plugin returned is no module, or a level or
            the plugin refused its parameters.
    """
    block = block or convolution_block(cell)
    # Modules draw weights when they are made; `initialise` replaces those of convolutions and
    # linear layers unless the level is `keep`, and what is left was drawn from the cell's stream
    # too, or brought by a plugin's model.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(cell.stream("init"))
        if cell.model.name == "vgg":
            network: Any = VGG(classes, block, cell.model)
        else:
            network = _of_plugin(cell.model, classes, block)
    if not isinstance(network, nn.Module):
        raise InputError(
            f"model {cell.model.name!r} returned {type(network).__name__}; "
            "expected a torch.nn.Module"
        )
    with levels_may_refuse("init"):
        initialise(network, cell)
    return network


def _of_plugin(model: ModelSpec, classes: int, block: ConvolutionBlock) -> Any:
    """What a plugin's model returns; InputError where it refuses its parameters."""
    registered = registry.find("model", model.name)
    try:
        return registered.function(classes, block, **model.parameters)
    except (TypeError, ValueError) as error:
        raise InputError(f"model {model.name!r}: {raised_in(error, registered.source)}") from error


@contextmanager
def levels_may_refuse(factor: str) -> Iterator[None]:
    """A level that refuses its parameters is the user's to mend, not a bug: InputError."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InputError(f"{factor}: a level refused its parameters: {error}") from error


def convolution_block(cell: Cell) -> ConvolutionBlock:
    """What a model calls for each of its convolutions: the cell's `bn_placement` applied."""
    chosen = cell.level("bn_placement")
    follow: Callable[..., list[nn.Module]] = registry.find("bn_placement", chosen.name).function

    def block(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
        with levels_may_refuse("bn_placement"):
            rest = follow(outputs, **chosen.parameters)
        # A norm that comes next would subtract the bias again.
        bias = not (rest and isinstance(rest[0], nn.modules.batchnorm._BatchNorm))
        convolution = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=bias
        )
        return nn.Sequential(convolution, *_fused(rest))

    return block


def _fused(follow: list[nn.Module]) -> list[nn.Module]:
    """What follows a convolution, its batch norm joined with the ReLU that comes next."""
    for place, module in enumerate(follow):
        if type(module) is nn.BatchNorm2d and module.affine and module.track_running_stats:
            end = place + 1
            if end < len(follow) and type(follow[end]) is nn.ReLU:
                end += 1
            joined = FusedNorm(module, *follow[place + 1 : end])
            return [*follow[:place], joined, *_fused(follow[end:])]
    return follow


class FirstChannel(nn.Module):
    """A network for grey images, given images whose three channels are the same: it sees one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, 3, H, W]."""
        logits: Tensor = self.network(images[:, :1])
        return logits


def for_images(network: nn.Module, pixels: Tensor) -> nn.Module:
    """A plugin's network as it takes these images: one channel of grey ones, where it wants one.

    Args:
        network: on the CPU; it is asked without training, and nothing of it changes.
        pixels: uint8 [N, 3, H, W], those it will be trained with.
    """
    height, width = pixels.shape[2:]
    if _takes(network, torch.zeros(2, 3, height, width)):
        return network
    if _takes(network, torch.zeros(2, 1, height, width)) and is_grey(pixels):
        return FirstChannel(network)
    return network  # what it says of them is said where it is trained


def is_grey(pixels: Tensor) -> bool:
    """Whether the three channels of all images [N, 3, H, W] are the same."""
    return all(
        bool((part[:, :1] == part).all()) for part in (pixels[:1], *torch.split(pixels, 4096))
    )


def _takes(network: nn.Module, images: Tensor) -> bool:
    training = network.training
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            network(images)
    except Exception:  # whatever its own code raises at images of another shape
        return False
    finally:
        network.train(training)
    return True


def trainable_weights(network: nn.Module) -> int:
    """Number of trainable weights."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
