"""Levels that misbehave, each in one way: what a cell process must survive.

A plugin like any user's: the fault tests name this file under `plugins:` and use its levels of
`init`, so that the fault strikes inside the training code of a real cell process.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from ablations.registry import level


@level("init")
def exits_3(layer, draw):
    """Leave by sys.exit, as a plugin's argument parser would."""
    sys.exit(3)


@level("init")
def leaves_silently(layer, draw):
    """Exit code 0 and no outcome."""
    os._exit(0)


@level("init")
def segfaults(layer, draw):
    """Read address 0, as a broken extension would."""
    ctypes.string_at(0)


@level("init")
def is_killed(layer, draw):
    """Die by SIGKILL each time: a poison cell."""
    os.kill(os.getpid(), signal.SIGKILL)


@level("init")
def is_killed_once(layer, draw, *, marker: str = ""):
    """Die by SIGKILL at the first attempt only, whichever of several cells comes to it first."""
    try:
        with Path(marker).open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@level("init")
def lacks_memory(layer, draw):
    """What Python raises when it is out of memory."""
    raise MemoryError("no 4 GiB block left")


@level("init")
def lacks_device_memory(layer, draw):
    """What torch raises when a CUDA device is full: the fake of a real CUDA out-of-memory."""
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@level("init")
def needs_the_whole_device(layer, draw, *, folder: str = ""):
    """Run out of device memory unless no other cell with this level trains: a fake of sharing."""
    import torch

    me = Path(folder, str(os.getpid()))
    me.touch()
    others = [path for path in Path(folder).iterdir() if path != me]
    if any(Path("/proc", path.name).exists() for path in others):
        me.unlink()
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@level("init")
def fails_on_device(layer, draw):
    """What torch raises after a device-side assert: the fake of a poisoned CUDA context."""
    raise RuntimeError("CUDA error: device-side assert triggered")


class Unpicklable(Exception):
    """Has a constructor of two arguments, which pickle cannot call."""

    def __init__(self, first, second):
        super().__init__(first)
        self.second = (second, lambda: None)


@level("init")
def raises_unpicklable(layer, draw):
    """An exception that cannot cross a process boundary."""
    raise Unpicklable("cannot be pickled", 2)


@level("init")
def shouts(layer, draw):
    """Ten megabytes on standard error, then a failure."""
    line = "x" * 1023 + "\n"
    for _ in range(10 * 1024):
        sys.stderr.write(line)
    raise RuntimeError("said too much")


@level("init")
def loops(layer, draw):
    """Never comes back."""
    while True:
        pass


@level("init")
def waits(layer, draw, *, until: str = "", announce: str = ""):
    """Announce itself in a file, then wait until another file exists."""
    Path(announce, f"{os.getpid()}").write_text("here")
    while not Path(until).exists():
        time.sleep(0.01)


@level("optimizer")
def sgd_on_a_bus(parameters, *, vanished: str = ""):
    """SGD on a device that may fall off the bus: it then raises what torch raises on such a one.

    The numbers of the devices that have stand in the file `vanished`, as the inventory reads them.
    """
    import torch

    own = os.environ["CUDA_VISIBLE_DEVICES"].rpartition("-")[2]

    def is_there():
        return own not in Path(vanished).read_text().split()

    class OnTheBus(torch.optim.SGD):
        def step(self, closure=None):
            if not is_there():
                raise RuntimeError("CUDA error: unspecified launch failure")
            return super().step(closure)

    if not is_there():
        raise RuntimeError("No CUDA GPUs are available")
    return OnTheBus(parameters, lr=0.05)
