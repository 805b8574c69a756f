"""Discs in noise, segmented by a small U-net with a loss of its own; continued where it was killed.

The images and the masks are made here.
"""

import torch
from torch import nn
from torch.nn import functional as F


class UNet(nn.Module):
    def __init__(self, width, skip):
        super().__init__()
        self.skip = skip
        self.down = nn.Conv2d(1, width, 3, padding=1)
        self.bottom = nn.Conv2d(width, width, 3, padding=1)
        self.up = nn.Conv2d(2 * width if skip else width, width, 3, padding=1)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        high = F.relu(self.down(x))
        low = F.relu(self.bottom(F.max_pool2d(high, 2)))
        low = F.interpolate(low, scale_factor=2)
        return self.out(F.relu(self.up(torch.cat((high, low), 1) if self.skip else low)))


def discs(count, generator):
    grid = torch.arange(32.0)
    centre = torch.rand(count, 2, generator=generator) * 20 + 6
    radius = torch.rand(count, 1, 1, generator=generator) * 4 + 2
    away = (grid - centre[:, :1])[:, :, None] ** 2 + (grid - centre[:, 1:])[:, None, :] ** 2
    mask = (away < radius**2).float()[:, None]
    return mask + torch.randn(mask.shape, generator=generator) * 0.8, mask


def dice_loss(logits, mask):
    share = logits.sigmoid()
    both = (share * mask).sum((1, 2, 3))
    return (1 - (2 * both + 1) / (share.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)).mean()


def overlap(logits, mask):
    found, true = logits > 0, mask > 0
    return ((found & true).sum() / (found | true).sum()).item()


LOSSES = {"dice": dice_loss, "bce": F.binary_cross_entropy_with_logits}


def fit(loss, skip, lr, epochs=4, *, seed, device, run):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images, masks = (one.to(device) for one in discs(96, generator))
    model = UNet(8, skip).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    kept = run.load()
    if kept:
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    for epoch in range(kept["epoch"] + 1 if kept else 0, epochs):
        for batch in range(0, 64, 16):
            value = LOSSES[loss](model(images[batch : batch + 16]), masks[batch : batch + 16])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        with torch.no_grad():
            iou = overlap(model(images[64:]), masks[64:])
        run.report(epoch, train_loss=value, iou=iou)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        run.save({"epoch": epoch, **state})
    return {"iou": iou}
