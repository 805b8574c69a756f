"""How a lack of memory shows: in words of the system and of libraries, in the kernel's count."""

from __future__ import annotations

from pathlib import Path

SIGNS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "out of memory",
    "MemoryError",
    "Cannot allocate memory",  # ENOMEM, of whatever call
    "failed to map segment",  # the loader of shared libraries
    "std::bad_alloc",
)


def lacks_memory(said: str) -> bool:
    """Whether these words of a program say that it was refused memory."""
    return any(sign in said for sign in SIGNS)


def out_of_memory_kills() -> int:
    """How many processes the kernel has killed for memory since boot; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
