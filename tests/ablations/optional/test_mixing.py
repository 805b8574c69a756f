"""Two images in one: shares that have the law they are said to have, labels that go with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional

from ablations.optional.mixing import cutmix, mixup, none

BATCH, SIDE = 2000, 32


def draw(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(dtype: torch.dtype = torch.uint8) -> tuple[torch.Tensor, torch.Tensor]:
    """Images that are all one grey, by which each is known, and one class an image."""
    greys = (torch.arange(BATCH) % 250).to(dtype)
    images = greys[:, None, None, None].expand(BATCH, 3, SIDE, SIDE).contiguous()
    return images, functional.one_hot(torch.arange(BATCH) % 10, 10).float()


def own(targets: torch.Tensor) -> torch.Tensor:
    """How much of each label is its own; neighbours have other classes."""
    return targets.gather(1, (torch.arange(BATCH) % 10)[:, None])[:, 0]


def test_none_changes_nothing():
    images, targets = batch()
    mixed, shares = none(images, targets, draw())
    assert mixed is images
    assert shares is targets


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_mixup_weighs_image_and_label_alike_by_a_beta(alpha: float):
    images, targets = batch()
    mixed, shares = mixup(images, targets, draw(), alpha=alpha)
    weight = own(shares)
    assert stats.kstest(weight.double(), stats.beta(alpha, alpha).cdf).pvalue > 0.01
    assert torch.allclose(shares.sum(1), torch.ones(BATCH))
    pixels = images[:, 0, 0, 0].float()
    expected = weight * pixels + (1 - weight) * pixels.roll(1)
    assert torch.allclose(mixed, expected[:, None, None, None].expand_as(mixed), atol=1e-3)
    assert mixed.is_contiguous()


def authors_areas() -> list[float]:
    """Areas of rectangles as the authors' program draws them for alpha 1, one for each call."""
    random, areas = np.random.default_rng(2), []
    for _ in range(BATCH):
        side = int(SIDE * np.sqrt(1 - random.beta(1, 1)))
        centre = random.integers(SIDE, size=2)
        low, high = np.clip([centre - side // 2, centre + side // 2], 0, SIDE)
        areas.append(float(np.prod(high - low)) / SIDE**2)
    return areas


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_cutmix_puts_a_rectangle_of_the_neighbour_in_and_counts_its_pixels(dtype: torch.dtype):
    images, targets = batch(dtype)
    mixed, shares = cutmix(images, targets, draw())
    assert mixed.dtype == dtype
    assert mixed.is_contiguous()
    foreign = mixed[:, 0] != images[:, 0]
    assert torch.equal(mixed[:, 0][foreign], images.roll(1, 0)[:, 0][foreign])
    area = foreign.float().mean((1, 2))
    assert torch.allclose(own(shares), 1 - area, atol=1e-6)
    rows, columns = foreign.any(2).sum(1), foreign.any(1).sum(1)
    assert torch.equal(rows * columns, foreign.sum((1, 2))), "rectangles"
    assert stats.ks_2samp(area, authors_areas()).pvalue > 0.01


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_a_share_of_images_is_mixed(mix):
    images, targets = batch()
    mixed, shares = mix(images, targets, draw(), alpha=1.0, share=0.5)
    left = own(shares) == 1
    assert 0.45 < float(left.float().mean()) < 0.6
    assert torch.equal(mixed[left].float(), images[left].float())


@pytest.mark.parametrize("alpha", [0.01, 1000.0])
def test_no_alpha_makes_a_share_that_is_none(alpha: float):
    images, targets = batch()
    for seed in range(20):
        _, shares = mixup(images, targets, draw(seed), alpha=alpha)
        assert shares.isfinite().all()
        assert ((shares >= 0) & (shares <= 1)).all()
