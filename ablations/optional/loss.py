"""Factor `loss`: what a step makes smaller. Left out: `cross_entropy`.

Contract of a level: `(logits, targets, *, parameters...) -> Tensor`, one number. `logits` are
float32 [B, C]; `targets` are the shares of the classes, float32 [B, C] of sum 1 a row: 1 for the
image's class where nothing smooths (`train.label_smoothing`) or mixes. A level registered with
`hard_labels=True` gets the number of the class instead, int64 [B], and can be neither smoothed nor
mixed.

Only training minimises it: the losses of validation and test images are cross-entropy under every
level, so that they compare. A loss has a scale of its own, and so a best learning rate of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.bounds import Positive
from ablations.registry import level

if TYPE_CHECKING:
    from torch import Tensor


@level("loss")
def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Minus the logarithm of the softmax probability of the class, the mean over images."""
    from torch.nn import functional

    return functional.cross_entropy(logits, targets)


@level("loss")
def focal(logits: Tensor, targets: Tensor, *, gamma: Positive = 2.0) -> Tensor:
    """Cross-entropy times (1 - p)^gamma, p the probability of the class (Lin et al., 2017, eq. 4).

    The mean over images, without the weights alpha of the classes, which that paper has for the
    background of detection. Of shared targets each class has its term, times its share.
    """
    from torch.nn import functional

    logarithm = functional.log_softmax(logits, 1)
    # 1 - p from p would be 0 for what is nearly sure, and its power's slope not a number below 1.
    miss = (-logarithm.expm1()).clamp(min=1e-7)
    return -(targets * miss.pow(gamma) * logarithm).sum(1).mean()


@level("loss")
def mean_squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of (logit - target)^2 over images and classes, no softmax (Hui and Belkin, 2021).

    torch's MSELoss on one-hot labels. The paper rescales it for more than 42 classes.
    """
    from torch.nn import functional

    return functional.mse_loss(logits, targets)


@level("loss")
def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Each class against the rest by a sigmoid, the mean over images and classes.

    torch's BCEWithLogitsLoss on one-hot labels, as Wightman et al. (2021) train ResNets.
    """
    from torch.nn import functional

    return functional.binary_cross_entropy_with_logits(logits, targets)


@level("loss", hard_labels=True)
def hinge(logits: Tensor, labels: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """How far each other class comes within `margin` of the right one (Weston and Watkins, 1999).

    torch's MultiMarginLoss: the sum over the other classes, divided by the number of classes.
    """
    from torch.nn import functional

    return functional.multi_margin_loss(logits, labels, margin=margin)
