"""Why an exception that left the training means what it means for the cell.

Imports no torch: what a training without it raises is named here too.
"""

from __future__ import annotations

from ablations.errors import InputError
from runner.content.outcome import Reason
from runner.data.images import DataError
from runner.machine.memory import lacks_memory

# Parts of messages by which CUDA libraries report a device in trouble through RuntimeError.
CUDA_SIGNS = (
    "CUDA error",
    "CUDA driver",
    "CUDA unknown error",
    "No CUDA GPUs are available",  # a fresh process whose device has fallen off the bus
    "cudaGetDeviceCount",
    "cuDNN error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
    "NCCL",
)


def reason_of(exception: BaseException) -> Reason:
    """The reason a cell failed with `exception`, following what it was raised from."""
    seen: BaseException | None = exception
    while seen is not None:
        reason = _own_reason(seen)
        if reason is not None:
            return reason
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return Reason.BUG


def _own_reason(exception: BaseException) -> Reason | None:
    text = str(exception)
    if isinstance(exception, KeyboardInterrupt):
        return Reason.INTERRUPTED
    if isinstance(exception, MemoryError) or type(exception).__name__ == "OutOfMemoryError":
        return Reason.OOM  # the latter is torch's, whose name is `torch.OutOfMemoryError`
    if isinstance(exception, RuntimeError | OSError | ImportError) and lacks_memory(text):
        return Reason.OOM
    if isinstance(exception, RuntimeError) and any(sign in text for sign in CUDA_SIGNS):
        return Reason.CUDA
    if isinstance(exception, DataError):
        return Reason.DATA
    if isinstance(exception, InputError):
        return Reason.BAD_LEVEL
    return None
