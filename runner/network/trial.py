"""One batch through a plugin's network, before a grid of cells finds out: `tried(cell)`.

Forward, loss and backward as the training does them, on the CPU and a few images. What is wrong is
one sentence; what a person can hardly have meant is advice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ablations import registry
from ablations.errors import InputError, raised_in
from runner.content.cell import Cell
from runner.content.level import Level
from runner.content.protocol import SIDE, DataSpec
from runner.data.folder import folder_facts
from runner.data.images import DataError, Images
from runner.data.loading import is_at_hand, load
from runner.network.found import Found
from runner.network.model import build, convolution_block, for_images, trainable_weights
from runner.network.weights import KEEP, is_filled, kinds_left
from runner.spec.catalog import DATASETS

IMAGES = 8
"""In the batch: norms need more than one, and a large network on large images some time."""

OWN_TRAINING = ("training_step", "configure_optimizers")
"""Methods by which a module says how it is trained; here the cell says it."""


class Untrainable(Exception):
    """Why a network cannot be trained, as the end of a sentence about it."""


def tried(cell: Cell) -> Found:
    """Build the cell's network and take it through one batch of the cell's images."""
    try:
        pixels, classes = batch_of(cell.data, cell.data_identity)
    except InputError as error:
        return Found(error.problem, about="data")
    name = cell.model.name
    try:
        return _tried(cell, pixels, classes)
    except Untrainable as problem:
        return Found(f"model {name!r} {problem}")
    except InputError as error:
        return Found(error.problem)


def batch_of(spec: DataSpec, identity: str = "") -> tuple[Tensor, int]:
    """Some images uint8 [B, 3, H, W] as the cells will see them, and the number of classes.

    Of images that this machine has not read yet the shape is enough: noise stands for them.
    """
    if spec.name not in DATASETS or (identity and is_at_hand(spec, identity)):
        images = load(spec, identity)
        _check_classes(images, spec.name)
        return torch.from_numpy(np.array(images.train_images[:IMAGES])), len(images.classes)
    known = DATASETS[spec.name]
    classes, grey, side = known.classes, known.grey, SIDE
    if classes is None:
        facts = folder_facts(spec)
        classes, grey, side = len(facts["images"]["train"]), facts["grey"], spec.side
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (IMAGES, 1 if grey else 3, side, side), dtype=np.uint8)
    return torch.from_numpy(noise).expand(-1, 3, -1, -1), classes


def _check_classes(images: Images, name: str) -> None:
    """Refuse a data set that is to be tested on what it cannot be trained on; DataError."""
    trained, tested = (set(np.unique(one)) for one in (images.train_labels, images.test_labels))
    if missing := sorted(tested - trained):
        label = images.classes[int(missing[0])]
        raise DataError(
            f"data set {name!r} has test images of class {label!r} and no training images of it",
            "data.name",
        )


def _tried(cell: Cell, pixels: Tensor, classes: int) -> Found:
    block = _Counting(convolution_block(cell))
    made = _asked(cell, "cannot be made", lambda: build(cell, classes, block))
    if own := [name for name in OWN_TRAINING if callable(getattr(made, name, None))]:
        raise Untrainable(
            f"has a {' and a '.join(own)} of its own, which would be ignored: a cell is trained "
            "with its own loss and optimizer; take them out of the class to say that this is meant"
        )
    if any(isinstance(one, nn.parameter.UninitializedParameter) for one in made.parameters()):
        raise Untrainable("has lazy layers, whose weights are not there yet; give their sizes")
    if not trainable_weights(made):
        raise Untrainable(
            "has no trainable weights; layers in a plain list are not found, put them into "
            "torch.nn.ModuleList"
        )
    network = made if cell.is_of_built_in_network else for_images(made, pixels)
    layout = torch.channels_last
    if cell.train.memory_format == "contiguous":
        layout = torch.contiguous_format
    # Wherever the model put it: cells move it to their own device.
    network = network.to("cpu").to(memory_format=layout)
    images = ((pixels.float() / 255 - 0.5) / 0.25).contiguous(memory_format=layout)
    start = [value.clone() for value in made.state_dict().values()]
    outputs, advice = _taken_through(cell, network, images, classes)
    gradients = [one.grad for one in made.parameters() if one.grad is not None]
    return Found(
        layers=tuple(_layers(made)),
        weights=trainable_weights(made),
        calls_block=block.calls > 0,
        filled=sum(map(is_filled, made.modules())),
        left=tuple(kinds_left(made)),
        brings_weights=_brings_weights(cell, classes),
        digest=_digest([*start, *outputs, *gradients]),
        advice=tuple(advice),
    )


def _digest(values: Sequence[Tensor]) -> str:
    """Of the bits of all values: equal for networks that cannot be told apart by them."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _taken_through(
    cell: Cell, network: nn.Module, images: Tensor, classes: int
) -> tuple[list[Tensor], list[str]]:
    """One step without the update, then an evaluation; the logits of both, and advice."""
    shape = list(images.shape)
    cannot = f"cannot take this data's images {shape}"
    network.train()
    logits = _logits(_asked(cell, cannot, lambda: network(images)), len(images), classes)
    truth = torch.arange(len(images)) % classes

    def learn() -> None:
        functional.cross_entropy(logits.float(), truth).backward()  # type: ignore[no-untyped-call]

    _asked(cell, "cannot be trained", learn)
    if all(weights.grad is None for weights in network.parameters()):
        raise Untrainable("gets no gradient: its logits do not depend on any of its weights")
    network.eval()
    with torch.no_grad():
        evaluated = _asked(cell, f"{cannot} when it is evaluated", lambda: network(images))
    outputs = [logits, _logits(evaluated, len(images), classes)]
    sums = logits.detach().float().sum(1)
    if bool((logits >= 0).all()) and bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-3)):
        return outputs, [
            f"model {cell.model.name!r} seems to end in a softmax: its outputs are positive and "
            "sum to 1; the loss takes logits, leave the softmax out"
        ]
    return outputs, []


def _logits(given: Any, images: int, classes: int) -> Tensor:
    expected = f"expected one tensor of logits [{images}, {classes}]"
    if not isinstance(given, Tensor):
        what = type(given).__name__
        if isinstance(given, tuple | list):
            what += f" of {len(given)}"
        raise Untrainable(f"returns a {what}; {expected}, an image a row and a class a column")
    if list(given.shape) != [images, classes]:
        raise Untrainable(
            f"returns {list(given.shape)}; {expected}, one for each of the {classes} classes"
        )
    if not given.is_floating_point():
        raise Untrainable(f"returns numbers of type {given.dtype}; {expected}")
    return given


def _asked(cell: Cell, cannot: str, ask: Callable[[], Any]) -> Any:
    """What the network's own code gives; an exception of it ends a sentence that begins so."""
    torch.manual_seed(0)
    try:
        return ask()
    except InputError:
        raise
    except Exception as error:  # a plugin's code may raise whatever it likes
        source = ""
        if not cell.is_of_built_in_network:
            source = registry.find("model", cell.model.name).source
        raise Untrainable(f"{cannot}: {raised_in(error, source)}") from error


def _layers(network: nn.Module) -> list[tuple[str, int]]:
    """Kinds of modules with weights of their own, in the order of the network."""
    kinds = (
        type(module).__name__
        for module in network.modules()
        if any(True for _ in module.parameters(recurse=False))
    )
    return list(Counter(kinds).items())


def _brings_weights(cell: Cell, classes: int) -> bool:
    """Whether weights are there that two seeds give alike: not drawn, but from elsewhere."""
    if cell.is_of_built_in_network:
        return False
    networks = [build(_kept(cell, seed), classes, convolution_block(cell)) for seed in (0, 1)]
    return any(
        is_filled(one) and bool((one.weight == other.weight).all()) and bool(one.weight.any())
        for one, other in zip(*(network.modules() for network in networks), strict=False)
        if type(one) is type(other) and is_filled(other) and one.weight.shape == other.weight.shape
    )


def _kept(cell: Cell, seed: int) -> Cell:
    """The cell as it keeps what its model makes from another seed."""
    keep = Level("init", KEEP, KEEP, {})
    return replace(
        cell,
        levels=tuple(keep if one.factor == "init" else one for one in cell.levels),
        held=tuple(keep if one.factor == "init" else one for one in cell.held),
        train=cell.train.model_copy(update={"seed": seed}),
    )


class _Counting:
    """A block that knows how often it was called."""

    def __init__(self, block: Callable[..., nn.Sequential]) -> None:
        self.block = block
        self.calls = 0

    def __call__(
        self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1
    ) -> nn.Sequential:
        self.calls += 1
        return self.block(inputs, outputs, kernel=kernel, stride=stride)
