"""Compiling loops over pixels and activations for one core of the machine at hand, by numba."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config
import numpy as np
import platformdirs
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Kernel = TypeVar("Kernel", bound=Callable[..., object])


_folders: set[str] = set()


def to_be_compiled() -> bool:
    """Whether nothing of what was imported is kept yet, so that first calls take long."""
    return not any(file for one in _folders for file in Path(one).glob("*.nbi"))


def compiled(*, fuse: bool) -> Callable[[Kernel], Kernel]:
    """Compile a function when it is first called, and keep what was compiled on disk.

    It is kept in the user's cache folder (or `$NUMBA_CACHE_DIR`): beside the package it would stay
    when that is uninstalled. Where that folder cannot be written to, numba finds another.

    With `fuse` a multiplication and an addition may become one operation, which rounds once; in no
    other way does the compiler change what is computed.
    """
    options: dict[str, Any] = {"fastmath": {"contract"} if fuse else False}

    def decorate(function: Kernel) -> Kernel:
        try:
            with _kept_in_the_users_folder():
                kept: Any = numba.njit(cache=True, error_model="numpy", **options)(function)
            _folders.add(kept.stats.cache_path)
            return cast(Kernel, kept)
        except RuntimeError:  # no folder to keep the compiled code in
            return cast(Kernel, numba.njit(error_model="numpy", **options)(function))

    return decorate


@contextlib.contextmanager
def _kept_in_the_users_folder() -> Iterator[None]:
    """What is decorated within looks for its compiled code there, and nothing else of numba's."""
    settings: Any = numba.core.config  # a person's own functions are left to their settings
    before = settings.CACHE_DIR
    if not before and _can_be_made(
        folder := platformdirs.user_cache_path("ablations") / "compiled"
    ):
        settings.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def _can_be_made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
