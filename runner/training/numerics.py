"""The arithmetic a cell asks for, set for the time of its training and put back afterwards.

Threads, precision and determinism are fields of the protocol; torch keeps them in globals, which
another cell of the same process may have left otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.utils.deterministic

from runner.content.protocol import TrainSpec

# A module that torch replaces by an object with this property, which type checkers cannot see.
_memory: Any = torch.utils.deterministic


@contextmanager
def numerics(train: TrainSpec, device: torch.device) -> Iterator[None]:
    """Within the block torch computes as `train` says; its default generators are put back too.

    Kernels that cannot repeat bit by bit are refused on the CPU where there is another and warned
    about on CUDA: a plugin's network may have no other.
    """
    # Read by cuBLAS when its handle is made; harmless where CUDA is never used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = _memory.fill_uninitialized_memory
    benchmark = torch.backends.cudnn.benchmark
    matmul, convolution = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            torch.set_num_threads(train.threads)
            torch.use_deterministic_algorithms(train.deterministic, warn_only=device.type == "cuda")
            # Our code reads no memory it has not written; filling it costs a pass over each buffer.
            _memory.fill_uninitialized_memory = False
            torch.backends.cudnn.benchmark = not train.deterministic
            torch.backends.cuda.matmul.allow_tf32 = train.precision != "fp32"
            torch.backends.cudnn.allow_tf32 = train.precision != "fp32"
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            _memory.fill_uninitialized_memory = fill
            torch.backends.cudnn.benchmark = benchmark
            torch.backends.cuda.matmul.allow_tf32 = matmul
            torch.backends.cudnn.allow_tf32 = convolution


def autocast(train: TrainSpec, device: torch.device) -> AbstractContextManager[object]:
    """The block in which forward passes run: bf16 autocast where the protocol says so."""
    if train.precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def memory_format(train: TrainSpec) -> torch.memory_format:
    """The layout of images and weights."""
    if train.memory_format == "channels_last":
        return torch.channels_last
    return torch.contiguous_format
