"""Compiling loops over pixels and activations for one core of the machine at hand, by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(*, fuse: bool) -> Callable[[Kernel], Kernel]:
    """Compile a function when it is first called, and keep what was compiled on disk.

    With `fuse` a multiplication and an addition may become one operation, which rounds once; in no
    other way does the compiler change what is computed.
    """
    options: dict[str, Any] = {"fastmath": {"contract"} if fuse else False}

    def decorate(function: Kernel) -> Kernel:
        try:
            return cast(Kernel, numba.njit(cache=True, error_model="numpy", **options)(function))
        except RuntimeError:  # no folder to keep the compiled code in
            return cast(Kernel, numba.njit(error_model="numpy", **options)(function))

    return decorate
