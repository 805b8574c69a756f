"""Factor `scheduler`: how the learning rate moves while a cell trains.

Contract of a level: `(optimizer, epochs, steps, *, parameters...) -> Stepper`, where `epochs` is
the training budget and `steps` the number of optimizer steps in an epoch. The optimizer level's
learning rate is the reference: constant, plateau, cosine and step start there; cyclic and one_cycle
peak there. Only the learning rate moves, never the momentum, so that the factor means the same
thing for every optimizer. Each is stepped at the granularity torch documents for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from ablations.bounds import (
    Count,
    CountOrZero,
    PositiveDecay,
    PositiveShare,
    Share,
)
from ablations.registry import level

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True, slots=True)
class Stepper:
    """A torch scheduler and when it wants to be stepped."""

    scheduler: LRScheduler
    per: Literal["batch", "epoch", "validation_loss"]

    def after_batch(self) -> None:
        """An optimizer step was taken."""
        if self.per == "batch":
            self.scheduler.step()

    def after_epoch(self, validation_loss: float) -> None:
        """An epoch ended; what is known of the test images never comes here."""
        if self.per == "epoch":
            self.scheduler.step()
        elif self.per == "validation_loss":
            # ReduceLROnPlateau takes the loss where other schedulers take an epoch's number.
            self.scheduler.step(validation_loss)  # type: ignore[arg-type]  # declared for both


def _peak(optimizer: Optimizer) -> float:
    """The optimizer level's learning rate."""
    return float(optimizer.param_groups[0]["lr"])


@level("scheduler")
def constant(optimizer: Optimizer, epochs: int, steps: int) -> Stepper:
    """The learning rate stays what the optimizer level says."""
    from torch.optim.lr_scheduler import ConstantLR

    return Stepper(ConstantLR(optimizer, factor=1.0, total_iters=0), "epoch")


@level("scheduler")
def plateau(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    factor: PositiveDecay = 0.1,
    patience: CountOrZero = 3,
    threshold: Share = 1e-4,
) -> Stepper:
    """Multiply by `factor` where the validation loss has not improved in over `patience` epochs.

    An improvement is one by more than the share `threshold`. torch's ReduceLROnPlateau has a
    patience of 10, a third of the usual budget here.
    """
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    scheduler = ReduceLROnPlateau(
        optimizer, mode="min", factor=factor, patience=patience, threshold=threshold
    )
    return Stepper(scheduler, "validation_loss")


@level("scheduler")
def cyclic(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    cycles: Count = 3,
    floor: PositiveShare = 0.1,
) -> Stepper:
    """Triangular waves up to the learning rate, from `floor` times it (Smith, 2017).

    As many whole waves as `cycles` says, the last of them down to `floor` as training ends. Smith's
    rule of thumb is a floor of 1/3 or 1/4 (section 3.3), torch's example has 1/10.
    """
    from torch.optim.lr_scheduler import CyclicLR

    peak = _peak(optimizer)
    # Whole steps would shift every wave a little: twenty of them end nearer to the peak than to the
    # floor. torch makes a float of it at once.
    half_wave = max(1.0, epochs * steps / (2 * cycles))
    scheduler = CyclicLR(
        optimizer,
        base_lr=floor * peak,
        max_lr=peak,
        step_size_up=half_wave,  # type: ignore[arg-type]  # declared int, made a float
        mode="triangular",
        cycle_momentum=False,
    )
    return Stepper(scheduler, "batch")


@level("scheduler")
def cosine(optimizer: Optimizer, epochs: int, steps: int, *, floor: Share = 0.0) -> Stepper:
    """Half a cosine, epoch by epoch, towards `floor` times the learning rate (SGDR, 2017).

    torch's CosineAnnealingLR over all epochs, no restarts; the floor itself would be the rate after
    the last epoch, so of 6 epochs the last is trained at 7 %, of 30 at 0.3 %.
    """
    from torch.optim.lr_scheduler import CosineAnnealingLR

    scheduler = CosineAnnealingLR(optimizer, T_max=epochs, eta_min=floor * _peak(optimizer))
    return Stepper(scheduler, "epoch")


@level("scheduler")
def one_cycle(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    rise: PositiveShare = 0.3,
    start: PositiveShare = 0.04,
    end: PositiveShare = 4e-6,
) -> Stepper:
    """Up to the learning rate in the share `rise` of all steps, then down (Smith and Topin, 2018).

    `start` and `end` are shares of the learning rate; torch's defaults 1/25 and 1/250,000, as its
    `rise` and cosine are. The learning rate is the peak: super-convergence asks for a higher one.
    """
    from torch.optim.lr_scheduler import OneCycleLR

    total = max(2, epochs * steps)
    # torch divides by the steps from the first to the peak and from there to the last: where there
    # are none, it gets a thousandth of one.
    if rise * total == 1:
        rise += 1e-3 / total
    elif rise == 1:
        rise -= 1e-3 / total
    scheduler = OneCycleLR(
        optimizer,
        max_lr=_peak(optimizer),
        total_steps=total,
        pct_start=rise,
        div_factor=1 / start,
        final_div_factor=start / end,
        cycle_momentum=False,
    )
    return Stepper(scheduler, "batch")


@level("scheduler")
def step(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    drops: Count = 2,
    factor: PositiveShare = 0.1,
) -> Stepper:
    """Multiply by `factor`, `drops` times, at equal distances over the budget.

    Each after a whole epoch; in fewer than `drops` + 1 epochs some fall together or not at all.
    """
    from torch.optim.lr_scheduler import MultiStepLR

    # Not StepLR: its distance is one for all, and rounded up it loses a drop (3 drops in 6 epochs).
    ends = [ceil(epochs * part / (drops + 1)) for part in range(1, drops + 1)]
    return Stepper(MultiStepLR(optimizer, ends, factor), "epoch")
