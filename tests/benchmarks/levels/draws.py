"""What the augmentations draw, read off marked images, ours and torchvision's alike.

Each property is measured with the others off: where a bright pixel went, how far a blob turned, how
much lighter a grey became, which part of a white image is black.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision import transforms

from ablations import registry
from ablations.pixels.operations import GREY

Augment = Callable[[Tensor], Tensor]
"""uint8 images [N, 3, H, W] to images of the same scale."""

BATCH = 500
"""Images at a time."""

STILL = {
    **{"padding": 0, "degrees": 0.0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    **{"hue": 0.0, "erasing": 0.0},
}
"""`strong` with everything off."""


def ours(name: str, mirror: bool = False, **given: object) -> Augment:
    """A level with some parameters of its own, one stream for all images."""
    parameters = registry.resolve("augmentation", name, given)
    function = registry.find("augmentation", name).function
    draw = torch.Generator().manual_seed(0)

    def apply(images: Tensor) -> Tensor:
        changed: Tensor = function(images, draw, mirror, **parameters)
        return changed

    return apply


def theirs(transform: Callable[[Tensor], Tensor]) -> Augment:
    """A transform of torchvision, image by image: on a batch it draws once for all."""

    def apply(images: Tensor) -> Tensor:
        return torch.stack([transform(image) for image in images])

    return apply


def strong(*properties: str, mirror: bool = False) -> Augment:
    """`strong` with nothing but these properties, at their defaults."""
    off = {key: value for key, value in STILL.items() if key not in properties}
    return ours("strong", mirror, **off)


def right(augment: Augment, count: int) -> Tensor:
    """Pixels a mark moved to the left: what the window moved to the right."""
    return (8 - _marked(augment, count)).float()


def mirrored(augment: Augment, count: int) -> Tensor:
    """1 where the mark changed sides."""
    return (_marked(augment, count) >= 16).float()


def _marked(augment: Augment, count: int) -> Tensor:
    images = torch.zeros(count, 3, 32, 32, dtype=torch.uint8)
    images[:, :, 16, 8] = 255
    return augment(images)[:, 0].flatten(1).argmax(1) % 32


def degrees(augment: Augment, count: int) -> Tensor:
    """Counter-clockwise turn of a blob 60 pixels right of the middle."""
    images = torch.zeros(count, 3, 129, 129, dtype=torch.uint8)
    images[:, :, 61:68, 121:128] = 255
    weight = augment(images)[:, 0].float()
    places = torch.arange(129.0) - 64
    total = weight.sum((1, 2))
    x = (weight.sum(1) * places).sum(1) / total
    y = (weight.sum(2) * places).sum(1) / total
    turned: Tensor = torch.rad2deg(torch.atan2(-y, x))
    return turned


def brightness(augment: Augment, count: int) -> Tensor:
    """Factor of a grey image."""
    grey = torch.full((count, 3, 32, 32), 120, dtype=torch.uint8)
    return augment(grey).float().mean((1, 2, 3)) / 120


def contrast(augment: Augment, count: int) -> Tensor:
    """Factor of the difference between two halves, of 80 and 160."""
    halves = torch.full((count, 3, 32, 32), 80, dtype=torch.uint8)
    halves[..., 16:] = 160
    changed = augment(halves).float()
    return (changed[..., 16:] - changed[..., :16]).mean((1, 2, 3)) / 80


def saturation(augment: Augment, count: int) -> Tensor:
    """Factor of a colour's distance from grey."""
    factor: Tensor = _chroma(augment, count).norm(dim=1) / _chroma(lambda images: images, 1).norm()
    return factor


def hue(augment: Augment, count: int) -> Tensor:
    """Turn of a colour about the grey axis, as a share of the circle."""
    before, after = _chroma(lambda images: images, 1)[0], _chroma(augment, count)
    axis = torch.ones(3) / 3**0.5
    sine = torch.linalg.cross(before.expand_as(after), after) @ axis
    return torch.atan2(sine, after @ before) / (2 * torch.pi)


def _chroma(augment: Augment, count: int) -> Tensor:
    colour = torch.tensor([150, 110, 100], dtype=torch.uint8)
    pixels = augment(colour[:, None, None].expand(3, 8, 8).repeat(count, 1, 1, 1)).float()
    mean = pixels.mean((2, 3))
    grey = torch.tensor(GREY) / sum(GREY)
    return mean - (mean @ grey)[:, None] - (mean - (mean @ grey)[:, None]).mean(1, keepdim=True)


def _black(augment: Augment, count: int) -> tuple[Tensor, Tensor]:
    """Height and width of the black rectangle of each image that has one."""
    white = torch.full((count, 3, 32, 32), 255, dtype=torch.uint8)
    black = augment(white)[:, 0] == 0
    return black.any(2).sum(1).float(), black.any(1).sum(1).float()


def erased(augment: Augment, count: int) -> Tensor:
    """1 where an image has a black rectangle."""
    return (_black(augment, count)[0] > 0).float()


def area(augment: Augment, count: int) -> Tensor:
    """Share of the image that its rectangle takes."""
    tall, wide = _black(augment, count)
    return (tall * wide / 1024)[tall > 0]


def ratio(augment: Augment, count: int) -> Tensor:
    """Height of the rectangle over its width; small ones are coarse in whole pixels."""
    tall, wide = _black(augment, count)
    big = tall * wide > 100
    return (tall / wide)[big]


def change(augment: Augment, count: int) -> Tensor:
    """Mean change of a pixel of smooth coloured noise."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 255
    images = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear").to(torch.uint8)
    return (augment(images).float() - images.float()).abs().mean((1, 2, 3))


@dataclass(frozen=True)
class Drawn:
    """A property of a level: what its documentation says, and how it is measured on both sides."""

    level: str
    name: str
    documented: str
    measure: Callable[[Augment, int], Tensor]
    ours: Augment
    theirs: Augment


def properties() -> tuple[Drawn, ...]:
    """All that is drawn, with the transform of torchvision that draws it."""
    crop = theirs(transforms.RandomCrop(32, padding=4))
    flip = theirs(transforms.RandomHorizontalFlip())
    jitter = transforms.ColorJitter
    erasing = theirs(transforms.RandomErasing())
    return (
        Drawn("basic", "shift, pixels", "-4 to 4", right, ours("basic"), crop),
        Drawn("basic", "mirrored, share", "0.5", mirrored, ours("basic", mirror=True), flip),
        Drawn("strong", "shift, pixels", "-4 to 4", right, strong("padding"), crop),
        Drawn("strong", "mirrored, share", "0.5", mirrored, strong(mirror=True), flip),
        Drawn("strong", "turn, degrees", "-15 to 15", degrees, strong("degrees"),
              theirs(transforms.RandomRotation(15))),
        Drawn("strong", "brightness, factor", "0.8 to 1.2", brightness, strong("brightness"),
              theirs(jitter(brightness=0.2))),
        Drawn("strong", "contrast, factor", "0.8 to 1.2", contrast, strong("contrast"),
              theirs(jitter(contrast=0.2))),
        Drawn("strong", "saturation, factor", "0.8 to 1.2", saturation, strong("saturation"),
              theirs(jitter(saturation=0.2))),
        Drawn("strong", "hue, circles", "-0.1 to 0.1", hue, strong("hue"),
              theirs(jitter(hue=0.1))),
        Drawn("strong", "erased, share", "0.5", erased, strong("erasing"), erasing),
        Drawn("strong", "erased area, share", "0.02 to 0.33", area, strong("erasing"), erasing),
        Drawn("strong", "erased height/width", "0.3 to 3.3", ratio, strong("erasing"), erasing),
        Drawn("trivial_augment", "change of a pixel, of 255", "as TrivialAugmentWide", change,
              ours("trivial_augment"), theirs(transforms.TrivialAugmentWide())),
    )  # fmt: skip


def quantiles(drawn: Tensor) -> tuple[float, ...]:
    """Least, quarter, middle, three quarters, greatest and mean."""
    points = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    return (*drawn.double().quantile(points.double()).tolist(), float(drawn.double().mean()))


def table(count: int) -> str:
    """One row a property and side: what is documented and what was drawn of `count` images."""
    torch.manual_seed(0)  # torchvision draws from torch's own generator
    lines = [
        f"{count:,} images each, of which ratio and area count the erased ones.",
        "",
        "| level, property | documented | by | least | 25 % | 50 % | 75 % | greatest | mean |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in properties():
        for by, augment in (("here", one.ours), ("torchvision", one.theirs)):
            drawn = torch.cat([one.measure(augment, BATCH) for _ in range(count // BATCH)])
            numbers = " | ".join(f"{x:.3g}" for x in quantiles(drawn))
            lines.append(f"| {one.level}, {one.name} | {one.documented} | {by} | {numbers} |")
    return "\n".join(lines)
