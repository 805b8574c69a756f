"""Who holds a lease, and whether the holder still lives. Reads no calendar clock.

A lease is judged by watching: it is lost when its beat counter was seen not to move for the
lease's length, measured by the watcher's own monotonic clock, and only while it really watched.
So neither a clock that jumps, nor hosts that disagree, nor a database that was away for minutes
makes a live lease look dead (docs/decisions/030). A holder on this very machine whose process is
gone is lost at once.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


@functools.cache
def machine() -> str:
    """This boot of this machine, seen from this process-id namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        return socket.gethostname()
    return f"{boot} {namespace}"


def owner() -> str:
    """The identity of this process: process numbers are reused, starting moments are not."""
    return f"{machine()} {os.getpid()} {_started(os.getpid())}"


def is_gone(holder: str) -> bool:
    """Whether `holder` was a process of this machine that no longer exists. False when unknown."""
    try:
        where, pid, started = holder.rsplit(" ", 2)
        return where == machine() and _started(int(pid)) != started
    except ValueError:
        return False


def _started(pid: int) -> str | None:
    """When a process started; None when there is none, or a zombie."""
    if sys.platform == "linux":
        try:
            # Name may hold spaces and parentheses: the fields are counted after the last one.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]  # ticks since boot: no calendar in it
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


@dataclass(slots=True)
class _Seen:
    beats: int
    when: float
    still: float = 0.0  # seconds the counter was watched and did not move


class Watch:
    """What one process has seen of the leases of a study."""

    LOOKS = 4
    """A lease needs at least so many looks: time between two rare looks does not count in full."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def expired(self, leases: Iterable[tuple[str, int, float]]) -> set[str]:
        """Look at all leases of the study; returns the tokens of those that have run out.

        Args:
            leases: (token, beats, length in seconds) of every running cell.
        """
        now = self._clock()
        out: set[str] = set()
        with self._lock:
            before, self._seen = self._seen, {}
            for token, beats, seconds in leases:
                seen = before.get(token)
                if seen is None or seen.beats != beats:
                    self._seen[token] = _Seen(beats, now)
                    continue
                seen.still += min(now - seen.when, seconds / self.LOOKS)
                seen.when = now
                self._seen[token] = seen
                if seen.still >= seconds:
                    out.add(token)
        return out
