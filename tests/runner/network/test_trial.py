"""Networks as people have them: a mistake is one sentence after one batch, not a grid of bugs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ablations import registry
from runner.content.cell import Cell
from runner.data import Images
from runner.network.model import FirstChannel, for_images
from runner.network.trial import tried
from tests.runner.cells import make_cell


def layers(channels: int = 3, outputs: int = 10) -> list[nn.Module]:
    return [nn.Conv2d(channels, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, outputs)]


class Wrapped(nn.Module):
    """A small network, what it computes changed by a function."""

    def __init__(self, change: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.body, self.change = nn.Sequential(*layers()), change

    def forward(self, images: torch.Tensor) -> Any:
        return self.change(self.body(images))


class Lightning(Wrapped):
    """As somebody trains it elsewhere."""

    def training_step(self, batch: object, index: int) -> None:
        """Never called."""

    def configure_optimizers(self) -> None:
        """Never called."""


class Listed(nn.Module):
    """Layers in a plain list, where torch does not find them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = layers()


def cell_of(make: Callable[..., Any], **more: Any) -> Cell:
    @registry.model("theirs")
    def theirs(classes: int, block: Callable[..., nn.Module]) -> Any:
        """The model under test."""
        return make(classes, block)

    return make_cell(model={"name": "theirs"}, **more)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda classes, block: Wrapped(lambda logits: (logits, logits.softmax(1))),
            r"'theirs' returns a tuple of 2; expected one tensor of logits \[8, 10\]",
        ),
        (
            lambda classes, block: Wrapped(lambda logits: {"logits": logits}),
            "returns a dict; expected one tensor",
        ),
        (
            lambda classes, block: nn.Sequential(*layers(outputs=7)),
            r"returns \[8, 7\]; expected one tensor of logits \[8, 10\], one for each of the 10",
        ),
        (
            lambda classes, block: Wrapped(lambda logits: logits.argmax(1)),
            r"returns \[8\]; expected",
        ),
        (
            lambda classes, block: Wrapped(lambda logits: logits.detach()),
            "cannot be trained: RuntimeError",
        ),
        (
            lambda classes, block: nn.Sequential(*layers(channels=4)),
            r"cannot take this data's images \[8, 3, 32, 32\]: RuntimeError: .*to have 4 channels",
        ),
        (
            lambda classes, block: nn.Sequential(nn.Flatten(), nn.Linear(3 * 28 * 28, classes)),
            r"cannot take this data's images \[8, 3, 32, 32\]: RuntimeError: .*mat1 and mat2",
        ),
        (lambda classes, block: 1 / 0, r"cannot be made: ZeroDivisionError: .*test_trial\.py:\d+"),
        (lambda classes, block: "network", r"returned str; expected a torch\.nn\.Module"),
        (lambda classes, block: Listed(), "has no trainable weights; layers in a plain list"),
        (lambda classes, block: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), "has lazy layers"),
        (
            lambda classes, block: Lightning(lambda logits: logits),
            "has a training_step and a configure_optimizers of its own, which would be ignored",
        ),
    ],
)
def test_a_network_that_cannot_be_trained_is_one_sentence(
    make: Callable[..., Any], says: str
) -> None:
    found = tried(cell_of(make))
    assert found.about == "model"
    assert "\n" not in found.problem
    assert re.search(says, found.problem), found.problem


def test_a_sound_network_is_counted(image_cache: object) -> None:
    def make(classes: int, block: Callable[..., nn.Module]) -> nn.Module:
        body = [block(3, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*body, nn.Linear(8, classes))

    found = tried(cell_of(make))
    assert found.problem == ""
    assert dict(found.layers) == {"Conv2d": 1, "BatchNorm2d": 1, "Linear": 1}
    assert found.weights == 8 * 27 + 2 * 8 + 90
    assert found.calls_block
    assert found.filled == 2
    assert found.left == (), "norms start as constants"
    assert not found.brings_weights
    assert not tried(cell_of(lambda classes, block: nn.Sequential(*layers()))).calls_block


def test_weights_that_no_seed_made_are_noticed() -> None:
    def make(classes: int, block: object) -> nn.Module:
        network = nn.Sequential(*layers())
        network.load_state_dict({k: v * 0 + 0.123 for k, v in network.state_dict().items()})
        return network

    assert tried(cell_of(make)).brings_weights


def test_a_softmax_at_the_end_is_advised_against() -> None:
    found = tried(cell_of(lambda classes, block: Wrapped(lambda logits: logits.softmax(1))))
    assert found.problem == ""
    assert "leave the softmax out" in found.advice[0]


def test_grey_images_stay_one_channel_where_the_model_takes_one() -> None:
    def make(classes: int, block: object) -> nn.Module:
        return nn.Sequential(*layers(channels=1))

    assert tried(cell_of(make)).problem == "", "digits are grey"
    coloured = tried(cell_of(make, data={"name": "cifar10", "limit": None}))
    assert "to have 1 channels, but got 3 channels" in coloured.problem
    grey = torch.randint(0, 256, (4, 1, 32, 32), dtype=torch.uint8).expand(-1, 3, -1, -1)
    network = for_images(nn.Sequential(*layers(channels=1)), grey)
    assert isinstance(network, FirstChannel)
    assert network(grey.float()).shape == (4, 10)
    three = nn.Sequential(*layers())
    assert for_images(three, grey) is three


def test_a_plugins_grey_images_are_given_to_every_network(few_digits: Images) -> None:
    @registry.dataset("grey")
    def grey(root: object) -> Images:
        """The digits in one channel."""
        one = {name: getattr(few_digits, name)[:, :1] for name in ("train_images", "test_images")}
        none: Any = {"validation_images": np.empty((0, 1, 0, 0), np.uint8), "mean": (), "std": ()}
        return replace(few_digits, **one, **none, validation_labels=np.empty(0, np.int64))

    for channels in (1, 3):
        cell = cell_of(
            lambda classes, block, channels=channels: nn.Sequential(*layers(channels=channels)),
            data={"name": "grey", "limit": None},
        )
        assert tried(cell).problem == ""


def test_a_class_to_be_tested_that_is_not_trained_is_refused(few_digits: Images) -> None:
    @registry.dataset("lacking")
    def lacking(root: object) -> Images:
        """No nine among the training images."""
        some = few_digits.train_labels < 9
        return replace(
            few_digits,
            train_images=few_digits.train_images[some],
            train_labels=few_digits.train_labels[some],
        )

    found = tried(make_cell(data={"name": "lacking", "limit": None}))
    assert found.about == "data"
    assert "has test images of class '9' and no training images of it" in found.problem


def test_a_data_set_that_fails_is_one_sentence_about_the_data() -> None:
    @registry.dataset("broken")
    def broken(root: object) -> Images:
        """Not there."""
        raise FileNotFoundError("no such file: images.npz")

    found = tried(make_cell(data={"name": "broken"}))
    assert found.about == "data"
    assert "data set 'broken' cannot be read: FileNotFoundError: no such file" in found.problem
    assert "test_trial.py:" in found.problem
