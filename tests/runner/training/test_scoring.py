"""Scores in large batches, and the test that tells learning from guessing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from runner.content.outcome import Status
from runner.content.protocol import TrainSpec
from runner.training import normalise
from runner.training.normalise import Normalise
from runner.training.scoring import score, verdict


@pytest.mark.parametrize(("classes", "images"), [(10, 360), (2, 40), (100, 10_000), (10, 20)])
def test_the_verdict_is_scipys_exact_binomial_test(classes: int, images: int):
    labels = torch.arange(images) % classes
    for correct in range(min(images, images // classes * 2 + 2) + 1):
        p_value = binomtest(correct, images, 1 / classes, alternative="greater").pvalue
        expected = Status.LEARNED if p_value < 0.05 else Status.STALLED
        assert verdict(correct, labels) is expected, correct


def test_always_answering_the_most_frequent_class_is_not_learning():
    labels = torch.tensor([0] * 300 + [1] * 100 + [2] * 100)
    assert verdict(300, labels) is Status.STALLED
    assert verdict(340, labels) is Status.LEARNED


class Weights(nn.Module):
    """Logits that depend on each image alone, and on being in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(self.linear(images.mean((2, 3))))


def test_a_score_is_the_mean_over_all_images_whatever_the_batches():
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (700, 3, 8, 8), generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, 4, (700,), generator=draw)
    network, train = Weights(), TrainSpec()
    normalised = Normalise.of((0.5, 0.4, 0.3), (0.2, 0.3, 0.4), train, torch.device("cpu"))
    found = score(network, images, labels, normalised, train)
    assert network.training
    network.eval()
    pixels = (images.double() / 255 - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor(
        [0.2, 0.3, 0.4]
    ).view(3, 1, 1)
    logits = network(pixels.float()).detach()
    assert found.loss == pytest.approx(float(nn.functional.cross_entropy(logits, labels)), rel=1e-5)
    assert found.correct == int((logits.argmax(1) == labels).sum())
    assert found.accuracy == found.correct / 700
    assert network.norm.num_batches_tracked == 0


def test_normalised_images_have_mean_zero_and_deviation_one(few_digits):
    train = TrainSpec()
    normalised = Normalise.of(few_digits.mean, few_digits.std, train, torch.device("cpu"))
    everything = torch.from_numpy(
        np.concatenate([few_digits.train_images, few_digits.validation_images])
    )
    pixels = normalised(everything)
    # The statistics are those of all 1,438 training images; these are 100 of them.
    assert abs(float(pixels.mean())) < 0.05
    assert float(pixels.std()) == pytest.approx(1, abs=0.05)
    assert pixels.is_contiguous(memory_format=torch.channels_last)


def test_warming_compiles_what_normalising_calls():
    normalise.warm()
    kernel: Any = normalise._normalise
    known = len(kernel.signatures)
    ours = Normalise.of((0.5, 0.4, 0.3), (0.2, 0.3, 0.4), TrainSpec(), torch.device("cpu"))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        for kind in (torch.uint8, torch.float32):
            ours(torch.zeros(2, 3, 4, 4, dtype=kind))
    finally:
        torch.set_num_threads(threads)
    assert len(kernel.signatures) == known == 2


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_normalising_on_one_core_is_bit_by_bit_what_torch_computes(kind, monkeypatch):
    draw = torch.Generator().manual_seed(0)
    images = (torch.rand(9, 3, 6, 10, generator=draw) * 255).to(kind)
    normalised = Normalise.of((0.5, 0.4, 0.3), (0.2, 0.3, 0.4), TrainSpec(), torch.device("cpu"))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        compiled = normalised(images)
        monkeypatch.setattr(normalise, "_normalise", None)
        with pytest.raises(TypeError):  # or torch is compared with itself
            normalised(images)
        torch.set_num_threads(2)
        plain = normalised(images)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(compiled, plain)
    assert compiled.stride() == plain.stride()


def test_a_constant_channel_does_not_divide_by_zero():
    normalised = Normalise.of((0.5,) * 3, (0.0,) * 3, TrainSpec(), torch.device("cpu"))
    assert math.isfinite(float(normalised(torch.full((1, 3, 2, 2), 127, dtype=torch.uint8)).sum()))
