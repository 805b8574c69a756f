"""Levels of augmentation draw what they say, for each image anew, and repeat from one seed."""

import pytest
import torch
from torchvision.transforms import RandomErasing, TrivialAugmentWide

from ablations import augmentation, registry

LEVELS = registry.names("augmentation")


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_images(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(30, 226, (count, 3, 32, 32), generator=draw(seed), dtype=torch.uint8)


def apply(name: str, images: torch.Tensor, seed: int = 0, mirror: bool = True, **given: object):
    parameters = registry.resolve("augmentation", name, given)
    return registry.find("augmentation", name).function(images, draw(seed), mirror, **parameters)


@pytest.mark.parametrize("name", LEVELS)
def test_shape_and_scale_stay_and_the_given_batch_is_not_touched(name):
    images = some_images(64)
    before = images.clone()
    result = apply(name, images)
    assert result.shape == images.shape
    assert result.dtype in (torch.uint8, torch.float32)
    assert 0 <= result.min() <= result.max() <= 255
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", LEVELS)
def test_one_seed_gives_the_same_bits_and_another_gives_others(name):
    images = some_images(64)
    assert torch.equal(apply(name, images, seed=3), apply(name, images, seed=3))
    if name != "none":
        assert not torch.equal(apply(name, images, seed=3), apply(name, images, seed=4))


@pytest.mark.parametrize("name", [name for name in LEVELS if name != "none"])
def test_every_image_draws_for_itself(name):
    twins = some_images(1).expand(200, -1, -1, -1).contiguous()
    distinct = apply(name, twins).float().flatten(1).unique(dim=0)
    assert len(distinct) > 80


@pytest.mark.parametrize("name", LEVELS)
def test_no_global_randomness_is_consumed(name):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    apply(name, some_images(8))
    assert torch.equal(torch.get_rng_state(), state)


def test_basic_shifts_uniformly_and_mirrors_half_of_the_time():
    # One bright pixel shows where each image went and whether it was mirrored.
    images = torch.zeros(8000, 3, 32, 32, dtype=torch.uint8)
    images[:, :, 16, 12] = 255
    where = apply("basic", images)[:, 0].flatten(1).argmax(1)
    rows, columns = where // 32, where % 32
    # Unmirrored, the pixel lies in columns 8..16; mirrored, in 31 - 16 .. 31 - 8.
    counts = torch.bincount(rows - 12, minlength=9)
    expected = 8000 / 9
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 26.1  # 0.999 quantile of chi-square with 8 degrees of freedom
    mirrored = (columns > 16).sum() + 0.5 * ((columns == 15) | (columns == 16)).sum()
    assert abs(mirrored / 8000 - 0.5) < 0.03


@pytest.mark.parametrize("name", augmentation.MIRRORING)
def test_nothing_is_mirrored_where_mirroring_changes_labels(name):
    # Left half dark, right half bright: a mirrored image is brighter on the left.
    images = torch.full((500, 3, 32, 32), 60, dtype=torch.uint8)
    images[:, :, :, 16:] = 180
    quiet = {} if name == "basic" else {"erasing": 0.0}

    def mirrored(mirror: bool) -> int:
        # The middle, which shifts and small rotations do not blacken.
        middle = apply(name, images, mirror=mirror, **quiet).float()[:, :, 10:22]
        return int((middle[..., 6:12].mean((1, 2, 3)) > middle[..., 20:26].mean((1, 2, 3))).sum())

    assert mirrored(False) == 0
    assert 200 < mirrored(True) < 300


def test_strong_turns_up_to_its_degrees_and_no_further():
    # With everything else off, the number of uncovered corners tells the angle's size.
    off = {"padding": 0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    white = torch.full((2000, 3, 32, 32), 255, dtype=torch.uint8)
    turned = apply("strong", white, degrees=15.0, erasing=0.0, **off)
    black = (turned[:, 0] == 0).float().mean((1, 2))
    assert 0.10 < black.max() < 0.125  # 15 degrees uncover 11.4 per cent of a square
    assert black.min() < 0.01
    still = apply("strong", white, degrees=0.0, erasing=0.0, **off)
    torch.testing.assert_close(still, white.float(), rtol=0, atol=0.06)


def test_strong_changes_colours_within_its_spread():
    grey = torch.full((4000, 3, 32, 32), 100, dtype=torch.uint8)
    off = {"padding": 0, "degrees": 0.0, "erasing": 0.0}
    # Of a flat grey image only the brightness can change: contrast, saturation, hue keep it.
    level = apply("strong", grey, **off).mean((1, 2, 3)) / 100
    assert 0.80 - 1e-3 < level.min() < 0.81
    assert 1.19 < level.max() < 1.20 + 1e-3
    assert abs(level.mean() - 1) < 0.01


def test_erasing_matches_torchvision_in_distribution():
    off = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    white = torch.full((4000, 3, 32, 32), 255, dtype=torch.uint8)
    ours = apply("strong", white, padding=0, degrees=0.0, **off)
    torch.manual_seed(0)
    theirs = torch.stack([RandomErasing()(image) for image in white])
    ours_share = (ours[:, 0] == 0).float().mean((1, 2))
    theirs_share = (theirs[:, 0] == 0).float().mean((1, 2))
    assert abs((ours_share > 0).float().mean() - (theirs_share > 0).float().mean()) < 0.04
    for quantile in (0.6, 0.75, 0.9, 0.99):
        assert abs(ours_share.quantile(quantile) - theirs_share.quantile(quantile)) < 0.02
    # Where the rectangles lie: every pixel is hit about as often.
    difference = (ours[:, 0] == 0).float().mean(0) - (theirs[:, 0] == 0).float().mean(0)
    assert difference.abs().max() < 0.05


def test_trivial_augment_matches_torchvision_in_distribution():
    """Per-image change of mean and spread, against torchvision's own class on the same images."""
    coarse = torch.rand(1500, 3, 4, 4, generator=draw(1)) * 255
    images = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear").to(torch.uint8)
    # torchvision truncates to whole levels; the hundredth absorbs luma weights that sum to 0.9999.
    ours = (apply("trivial_augment", images).float() + 0.01).floor()
    torch.manual_seed(0)
    augment = TrivialAugmentWide()
    theirs = torch.stack([augment(image) for image in images]).float()
    before = images.float()
    for statistic in (
        lambda x: x.mean((1, 2, 3)) - before.mean((1, 2, 3)),
        lambda x: x.std((1, 2, 3)) / before.std((1, 2, 3)),
        lambda x: (x - before).abs().mean((1, 2, 3)),
    ):
        # Rounded, so that an image left alone is a tie with one left alone but for 1e-5.
        a, b = (statistic(x).mul(20).round().sort().values for x in (ours, theirs))
        # Kolmogorov-Smirnov distance: its 0.999 quantile for two samples of 1500 is 0.071.
        grid = torch.cat([a, b])
        distance = (torch.searchsorted(a, grid) - torch.searchsorted(b, grid)).abs().max() / 1500
        assert distance < 0.071


def test_trivial_augment_leaves_about_a_fourteenth_of_images_alone():
    images = some_images(4000)
    result = apply("trivial_augment", images).float()
    untouched = (result - images.float()).abs().amax((1, 2, 3)) < 0.06
    # Identity, and the weakest strengths of other operations.
    assert 1 / 14 - 0.02 < untouched.float().mean() < 0.16
