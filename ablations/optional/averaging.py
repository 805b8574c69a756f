"""Factor `averaging`: an average of the weights is evaluated instead of the last ones.

Left out: `none`. Contract of a level: `(epochs, *, parameters...) -> Average | None`, where
`epochs` is the training budget; None averages nothing. Training itself is the same, bit by bit,
under every level: what differs is the network that validation and test images see, and with it what
a scheduler that watches the validation loss does. Batch norms of the average are measured anew, on
batches as training sees them: those of the last weights do not fit it (Izmailov et al., 2018,
section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Annotated, Literal

from annotated_types import Ge, Lt

from ablations.bounds import PositiveDecay
from ablations.registry import level


@dataclass(frozen=True, slots=True)
class Average:
    """A running mean of weights: which enter it, and by which share.

    Attributes:
        per: whether the weights after each optimizer step enter it, or those after each epoch.
        share: of the n-th weights that enter (n = 1, 2, ...) in the mean, above 0 and at most 1.
        first: the first epoch whose weights do; until then the last weights are evaluated.
    """

    per: Literal["batch", "epoch"]
    share: Callable[[int], float]
    first: int = 1


@level("averaging")
def none(epochs: int) -> None:
    """The last weights."""


@level("averaging")
def ema(epochs: int, *, decay: PositiveDecay = 0.999) -> Average:
    """An exponential moving average over steps: `decay` is the weight of the past.

    Polyak and Juditsky (1992) for the mean, Tarvainen and Valpola (2017) for its exponential form.
    Without a trace of the initial weights (Kingma and Ba's correction, 2015, section 3): shares of
    the first steps are larger, so that 1 / (1 - decay) steps need not have passed.
    """
    return Average("batch", lambda n: (1 - decay) / (1 - decay**n))


@level("averaging")
def swa(epochs: int, *, start: Annotated[float, Ge(0), Lt(1)] = 0.75) -> Average:
    """Stochastic weight averaging: the mean of the weights after each epoch from `start` on.

    Izmailov et al. (2018); `start` is a share of the budget. Their learning rate, constant or
    cyclic while the mean is taken, is the factor `scheduler`.
    """
    return Average("epoch", lambda n: 1 / n, first=floor(start * epochs) + 1)
