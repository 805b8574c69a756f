"""Exceptions and the reasons they stand for."""

import pytest
import torch

from ablations.errors import InputError
from runner.content.outcome import Reason
from runner.data import DataError
from runner.trainers.failure import reason_of


@pytest.mark.parametrize(
    ("exception", "reason"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), Reason.OOM),
        (MemoryError(), Reason.OOM),
        (RuntimeError("CUDA error: out of memory"), Reason.OOM),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), Reason.CUDA),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), Reason.CUDA),
        (RuntimeError("No CUDA GPUs are available"), Reason.CUDA),
        (RuntimeError("CUDA unknown error - this may be due to an incorrectly"), Reason.CUDA),
        (RuntimeError("Unexpected error from cudaGetDeviceCount()"), Reason.CUDA),
        (DataError("data.root: no folder"), Reason.DATA),
        (InputError("optimizer: a level refused"), Reason.BAD_LEVEL),
        (KeyboardInterrupt(), Reason.INTERRUPTED),
        (RuntimeError("shapes do not match"), Reason.BUG),
        (ZeroDivisionError(), Reason.BUG),
    ],
)
def test_each_exception_has_its_reason(exception, reason):
    assert reason_of(exception) is reason


def test_the_cpus_own_allocator_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert reason_of(caught.value) is Reason.OOM


def test_the_cause_counts_where_the_exception_itself_says_nothing():
    error = ValueError("in a plugin")
    error.__cause__ = MemoryError()
    assert reason_of(error) is Reason.OOM
    cleanup = ValueError("while cleaning up")
    cleanup.__context__ = RuntimeError("CUDA error: device-side assert triggered")
    assert reason_of(cleanup) is Reason.CUDA
