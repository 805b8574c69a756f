"""The batch operations give what torchvision's give for one image and the same parameters."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as vision

from ablations import augmentation
from ablations.pixels import operations, warp

BATCH = 48


@pytest.fixture
def draw() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.fixture
def images(draw: torch.Generator) -> Tensor:
    """Half noise, half smooth gradients: hard and typical content."""
    noise = torch.randint(0, 256, (BATCH // 2, 3, 32, 32), generator=draw, dtype=torch.uint8)
    coarse = torch.rand(BATCH // 2, 3, 4, 4, generator=draw) * 255
    smooth = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")
    return torch.cat([noise, smooth.to(torch.uint8)])


@pytest.fixture(params=[1, 2], ids=["compiled", "of torch's operations"])
def way(request: pytest.FixtureRequest):
    """With one thread the maps are `ablations.pixels.warp`'s."""
    threads = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(threads)


def uniform(draw: torch.Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(BATCH, generator=draw)


def one_by_one(images: Tensor, function) -> Tensor:
    return torch.stack([function(index, image) for index, image in enumerate(images)])


@pytest.mark.usefixtures("way")
def test_rotation_equals_torchvision_pixel_for_pixel(images, draw):
    degrees = uniform(draw, -135, 135)
    ours = operations.affine(images, *operations.rotation(degrees))
    theirs = one_by_one(images, lambda i, x: vision.rotate(x, float(degrees[i])))
    # Only ties of rounding may fall differently.
    assert (ours != theirs).float().mean() < 1e-3


@pytest.mark.parametrize("shape", [(32, 32), (9, 14), (1, 2)])
def test_maps_on_one_core_are_bit_by_bit_those_of_torchs_operations(shape, draw, monkeypatch):
    images = torch.randint(1, 256, (BATCH, 3, *shape), generator=draw, dtype=torch.uint8)
    down, right = (torch.randint(-9, 10, (BATCH,), generator=draw) for _ in range(2))
    flip = uniform(draw, 0, 1) < 0.5
    degrees = uniform(draw, -180, 180)
    degrees[:8] = torch.arange(8) * 45 - 180  # where rounding has ties
    linear = torch.randn(BATCH, 2, 2, generator=draw)
    shift = torch.randn(BATCH, 2, generator=draw) * 3

    def all_three() -> list[Tensor]:
        return [
            operations.crop_and_flip(images, down, right, flip),
            operations.crop_flip_rotate(images, down, right, flip, degrees),
            operations.affine(images, linear, shift),
        ]

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        compiled = all_three()
        monkeypatch.setattr(warp, "_warp", None)
        with pytest.raises(TypeError):  # or torch is compared with itself
            all_three()
        torch.set_num_threads(2)
        plain = all_three()
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(compiled, plain, strict=True):
        assert torch.equal(one, other)


def test_warming_compiles_what_the_levels_call(images, draw):
    warp.warm()
    kernel: Any = warp._warp
    known = len(kernel.signatures)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        for level in (augmentation.basic, augmentation.strong, augmentation.trivial_augment):
            level(images, draw, True)
    finally:
        torch.set_num_threads(threads)
    assert len(kernel.signatures) == known == 1


@pytest.mark.usefixtures("way")
def test_crop_and_flip_equal_torchvision_exactly(images, draw):
    down = torch.randint(-4, 5, (BATCH,), generator=draw)
    right = torch.randint(-4, 5, (BATCH,), generator=draw)
    flip = uniform(draw, 0, 1) < 0.5
    theirs = one_by_one(images, lambda i, x: cropped_and_flipped(x, down[i], right[i], flip[i]))
    assert torch.equal(operations.crop_and_flip(images, down, right, flip), theirs)


@pytest.mark.usefixtures("way")
def test_crop_flip_and_rotation_in_one_gather_equal_the_three_in_a_row(images, draw):
    down = torch.randint(-4, 5, (BATCH,), generator=draw)
    right = torch.randint(-4, 5, (BATCH,), generator=draw)
    flip = uniform(draw, 0, 1) < 0.5
    degrees = uniform(draw, -15, 15)

    def in_a_row(i: int, image: Tensor) -> Tensor:
        image = cropped_and_flipped(image, down[i], right[i], flip[i])
        return vision.rotate(image, float(degrees[i]))

    ours = operations.crop_flip_rotate(images, down, right, flip, degrees)
    assert (ours != one_by_one(images, in_a_row)).float().mean() < 1e-3


def cropped_and_flipped(image: Tensor, down: Tensor, right: Tensor, flip: Tensor) -> Tensor:
    image = vision.crop(vision.pad(image, [4]), 4 + int(down), 4 + int(right), 32, 32)
    return vision.hflip(image) if flip else image


@pytest.mark.parametrize("axis", ["x", "y"])
def test_shear_equals_torchvision(images, draw, axis):
    amount = uniform(draw, -0.99, 0.99)
    linear = torch.eye(2).repeat(BATCH, 1, 1)
    shift = torch.zeros(BATCH, 2)
    row, column = (0, 1) if axis == "x" else (1, 0)
    linear[:, row, column] = amount
    shift[:, row] = amount * 16
    ours = operations.affine(images, linear, shift)

    def theirs(i: int, image: Tensor) -> Tensor:
        degrees = math.degrees(math.atan(float(amount[i])))
        shear = [degrees, 0.0] if axis == "x" else [0.0, degrees]
        return vision.affine(
            image, 0.0, [0, 0], 1.0, shear, InterpolationMode.NEAREST, center=[0, 0]
        )

    assert (ours != one_by_one(images, theirs)).float().mean() < 1e-3


@pytest.mark.parametrize(
    ("which", "theirs"),
    [
        ("brightness", vision.adjust_brightness),
        ("contrast", vision.adjust_contrast),
        ("saturation", vision.adjust_saturation),
    ],
)
def test_each_colour_adjustment_equals_torchvision_to_a_thousandth_of_a_level(
    images, draw, which, theirs
):
    factor = uniform(draw, 0.01, 1.99)
    neutral = dict.fromkeys(("brightness", "contrast", "saturation"), torch.ones(BATCH))
    matrix, bias = operations.jitter(images, **{**neutral, which: factor}, hue=torch.zeros(BATCH))
    ours = operations.colour(images, matrix, bias)
    unit = images.float() / 255
    expected = one_by_one(unit, lambda i, x: theirs(x, float(factor[i]))) * 255
    # The luma weights sum to 0.9999: a grey image is not quite its own grey.
    torch.testing.assert_close(ours, expected, rtol=0, atol=0.06)


def test_jitter_without_hue_equals_the_three_adjustments_in_a_row(draw):
    # Values in the middle of the range, where torchvision's clamping between steps does nothing.
    images = torch.randint(90, 150, (BATCH, 3, 32, 32), generator=draw, dtype=torch.uint8)
    brightness, contrast, saturation = (uniform(draw, 0.8, 1.2) for _ in range(3))
    matrix, bias = operations.jitter(images, brightness, contrast, saturation, torch.zeros(BATCH))

    def in_a_row(i: int, image: Tensor) -> Tensor:
        image = vision.adjust_brightness(image, float(brightness[i]))
        image = vision.adjust_contrast(image, float(contrast[i]))
        return vision.adjust_saturation(image, float(saturation[i]))

    expected = one_by_one(images.float() / 255, in_a_row) * 255
    torch.testing.assert_close(operations.colour(images, matrix, bias), expected, rtol=0, atol=0.1)


def test_hue_turns_chroma_and_leaves_luma_and_grey(draw):
    hue = uniform(draw, -0.5, 0.5)
    turn = operations.hue_rotation(hue)
    grey = torch.tensor(operations.GREY)
    torch.testing.assert_close(grey @ turn, grey.expand(BATCH, 3), rtol=0, atol=1e-6)
    ones = torch.ones(3)
    torch.testing.assert_close(turn @ ones, ones.expand(BATCH, 3), rtol=0, atol=1e-6)
    back = turn @ operations.hue_rotation(-hue)
    torch.testing.assert_close(back, torch.eye(3).expand(BATCH, 3, 3), rtol=0, atol=1e-5)


def test_hue_turns_the_same_way_as_torchvision_and_about_as_far(draw):
    """What is approximate about it, in numbers: uniformly random colours, a tenth of the circle."""
    images = torch.randint(60, 190, (BATCH, 3, 8, 8), generator=draw, dtype=torch.uint8)
    ones = torch.ones(BATCH)
    matrix, bias = operations.jitter(images, ones, ones, ones, torch.full((BATCH,), 0.1))
    ours = operations.colour(images, matrix, bias) - images.float()
    theirs = one_by_one(images, lambda i, x: vision.adjust_hue(x, 0.1)).float() - images.float()
    grey = torch.tensor(operations.GREY)[:, None, None]
    # Luma stays here and moves there; what is left is the turn of the chroma.
    theirs = theirs - (theirs * grey).sum(1, keepdim=True)
    correlation = torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1]
    assert correlation > 0.85
    assert 0.8 < ours.std() / theirs.std() < 1.25


def test_sharpness_equals_torchvision_within_its_rounding(images, draw):
    factor = uniform(draw, 0.01, 1.99)
    ours = operations.sharpen(images, factor)
    expected = one_by_one(images, lambda i, x: vision.adjust_sharpness(x, float(factor[i])))
    # It rounds the smooth image and truncates the blend.
    assert (ours - expected.float()).abs().max() <= 1.51


def test_posterize_solarize_equalize_equal_torchvision_exactly(images, draw):
    dropped = torch.randint(0, 7, (BATCH,), generator=draw, dtype=torch.uint8)
    expected = one_by_one(images, lambda i, x: vision.posterize(x, 8 - int(dropped[i])))
    assert torch.equal(operations.posterize(images, dropped), expected)
    threshold = uniform(draw, 0, 255)
    expected = one_by_one(images, lambda i, x: vision.solarize(x, float(threshold[i])))
    assert torch.equal(operations.solarize(images, threshold), expected)
    flat = torch.full_like(images[:2], 9)  # nothing to equalise, and nothing to divide by
    for batch in (images, images // 8, flat):
        expected = one_by_one(batch, lambda i, x: vision.equalize(x))
        assert torch.equal(operations.equalize(batch), expected)


def test_autocontrast_equals_torchvision_within_its_truncation(images):
    flat = torch.full_like(images[:1], 9)
    batch = torch.cat([images // 3 + 20, flat])
    ours = operations.colour(batch, *operations.autocontrast(batch))
    expected = one_by_one(batch, lambda i, x: vision.autocontrast(x)).float()
    assert (ours - expected).abs().max() <= 1.01


def test_erase_equals_torchvision_and_an_empty_rectangle_does_nothing(images, draw):
    top, left = (torch.randint(0, 20, (BATCH,), generator=draw) for _ in range(2))
    height, width = (torch.randint(0, 13, (BATCH,), generator=draw) for _ in range(2))
    expected = one_by_one(
        images,
        lambda i, x: vision.erase(
            x,
            int(top[i]),
            int(left[i]),
            int(height[i]),
            int(width[i]),
            torch.zeros((), dtype=torch.uint8),
        ),
    )
    ours = operations.erase(images, top, left, height, width)
    assert torch.equal(ours, expected)
    assert (height * width == 0).any()
