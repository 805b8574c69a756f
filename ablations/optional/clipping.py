"""Factor `clipping`: what is done with gradients that are too large. Left out: `none`.

Contract of a level: `(parameters, norm, *, parameters...) -> None`, called after every backward
pass; it changes the gradients of `parameters` (the list of the network's tensors; `grad` may be
None) in place. `norm` is their total 2-norm before, a number on their device: nothing may wait for
it. The gradient norm of the curves is the one before clipping, so they say what a limit would cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.bounds import Positive
from ablations.registry import level

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter


@level("clipping")
def none(parameters: list[Parameter], norm: Tensor) -> None:
    """Gradients as they are."""


@level("clipping")
def norm(parameters: list[Parameter], norm: Tensor, *, max_norm: Positive = 1.0) -> None:
    """All gradients times one number, so that their total norm is at most `max_norm`.

    Pascanu et al. (2013, algorithm 1), by torch's clip_grads_with_norm_.
    """
    from torch.nn.utils import clip_grads_with_norm_

    clip_grads_with_norm_(parameters, max_norm, norm)


@level("clipping")
def value(parameters: list[Parameter], norm: Tensor, *, limit: Positive = 0.5) -> None:
    """Each number of a gradient by itself into -limit..limit; the direction changes.

    torch's clip_grad_value_. Mikolov's recurrent networks (2012) did so, with a limit of 15.
    """
    from torch.nn.utils import clip_grad_value_

    clip_grad_value_(parameters, limit)
