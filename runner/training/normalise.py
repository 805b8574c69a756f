"""From pixels to what a network sees: mean 0 and deviation 1 a channel, in the layout of a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablations.pixels.compiled import Floats, compiled
from runner.content.protocol import TrainSpec
from runner.training.numerics import memory_format


@dataclass(frozen=True, slots=True)
class Normalise:
    """From pixels 0..255 to float32 of mean 0 and deviation 1 a channel, in the cell's layout."""

    scale: Tensor  # [1, 3, 1, 1]
    shift: Tensor
    layout: torch.memory_format

    @staticmethod
    def of(
        mean: tuple[float, ...], std: tuple[float, ...], train: TrainSpec, device: torch.device
    ) -> Normalise:
        """For values whose mean and deviation are given on the scale 0..1."""
        scale = [1 / (255 * max(s, 1e-6)) for s in std]
        shift = [-m / max(s, 1e-6) for m, s in zip(mean, std, strict=True)]
        return Normalise(
            torch.tensor(scale, device=device).view(1, -1, 1, 1),
            torch.tensor(shift, device=device).view(1, -1, 1, 1),
            memory_format(train),
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Normalised float32 images [B, 3, H, W]."""
        if self._compiled_for(images):
            out = torch.empty(images.shape, memory_format=self.layout)
            places = out.permute(0, 2, 3, 1).flatten(1, 2)
            scale, shift = self.scale.flatten(), self.shift.flatten()
            _normalise(images.flatten(2).numpy(), places.numpy(), scale.numpy(), shift.numpy())
            return out
        pixels = images.to(dtype=torch.float32, memory_format=self.layout)
        return torch.addcmul(self.shift, pixels, self.scale)

    def _compiled_for(self, images: Tensor) -> bool:
        """On one CPU core torch takes four times as long to rearrange and then normalise."""
        return (
            images.device.type == "cpu"
            and images.dtype in (torch.uint8, torch.float32)
            and images.shape[1] == 3
            and images.is_contiguous()
            and self.layout == torch.channels_last
            and torch.get_num_threads() == 1
        )


def warm() -> None:
    """Compile for bytes and float32, or read from where it was kept."""
    places, channel = np.zeros((1, 1, 3), np.float32), np.ones(3, np.float32)
    _normalise(np.zeros((1, 3, 1), np.uint8), places, channel, channel)
    _normalise(np.zeros((1, 3, 1), np.float32), places, channel, channel)


@compiled(fuse=True)
def _normalise(
    images: NDArray[np.uint8] | Floats, out: Floats, scale: Floats, shift: Floats
) -> None:
    """Pixels * scale + shift by channel: planes [N, 3, H*W] to places [N, H*W, 3]."""
    (red, green, blue), (to_red, to_green, to_blue) = scale, shift
    for image in range(len(images)):
        reds, greens, blues = images[image]
        places = out[image]
        for j in range(len(places)):
            places[j, 0] = np.float32(reds[j]) * red + to_red
            places[j, 1] = np.float32(greens[j]) * green + to_green
            places[j, 2] = np.float32(blues[j]) * blue + to_blue
