"""Run a command and measure everything it starts: wall time, CPU time, memory, and who else ran.

`python meter.py OUT.json COMMAND...`. Needs Linux. The meter becomes the reaper of all orphans, so
that the CPU time of daemons (a fork server's) is counted too; its own time is left out. Ray's
daemon lets the kernel drop the times of its ended workers: for such trees the last sample of each
process counts, which misses at most the last fifth of a second of each.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 20.0  # seconds that daemons get to end by themselves after the command


def tree(root: int) -> dict[int, float]:
    """Every living descendant of `root` with the CPU seconds it has used itself."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError):
                # The name in parentheses may hold spaces; what follows the last one may not.
                words = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(words[1]), []).append(int(entry))
                seconds[int(entry)] = (int(words[11]) + int(words[12])) / TICK
    found: dict[int, float] = {}
    open_ends = [root]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found |= {process: seconds[process] for process in below}
        open_ends += below
    return found


def kilobytes(path: str, field: str) -> int:
    """A field such as `Pss:` of a /proc file; 0 where the process has gone."""
    with contextlib.suppress(OSError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    return 0


def machine_busy() -> tuple[float, float]:
    """Seconds of CPU time used by anyone, and stolen by the hypervisor, since boot."""
    user, nice, system, _idle, _wait, irq, softirq, steal = (
        int(word) / TICK for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    )
    return user + nice + system + irq + softirq, steal


def own_seconds(who: int) -> float:
    """User and system time of this process or of all descendants it has reaped."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure(command: list[str]) -> dict[str, object]:
    """Run the command to its end and say what it took."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    busy_before, steal_before = machine_busy()
    load = os.getloadavg()[0]
    began = time.time()
    clock = time.perf_counter()
    main = subprocess.Popen(command)
    peak_pss = peak_process = peak_processes = 0
    sampled: dict[int, float] = {}
    next_sample = clock + 0.3
    while main.poll() is None:
        time.sleep(0.02)
        now = time.perf_counter()
        if now < next_sample:
            continue
        processes = tree(os.getpid())
        sampled |= processes
        peak_processes = max(peak_processes, len(processes))
        peak_pss = max(
            peak_pss, sum(kilobytes(f"/proc/{p}/smaps_rollup", "Pss:") for p in processes)
        )
        largest = max((kilobytes(f"/proc/{p}/status", "VmHWM:") for p in processes), default=0)
        peak_process = max(peak_process, largest)
        # At most four per cent of one core goes into looking.
        next_sample = now + max(0.2, 25 * (time.perf_counter() - now))
    wall = time.perf_counter() - clock
    _reap()
    cpu = max(own_seconds(resource.RUSAGE_CHILDREN), sum(sampled.values()))
    elapsed = time.perf_counter() - clock
    busy, steal = machine_busy()
    foreign = busy - busy_before - cpu - own_seconds(resource.RUSAGE_SELF)
    cores = os.cpu_count() or 1
    return {
        "command": command,
        "returncode": main.returncode,
        "began": began,
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "cpu_seconds_sampled": sum(sampled.values()),
        "peak_pss_bytes": peak_pss * 1024,
        "peak_process_bytes": peak_process * 1024,
        "peak_processes": peak_processes,
        "foreign_share": max(0.0, foreign) / (elapsed * cores),
        "steal_share": (steal - steal_before) / (elapsed * cores),
        "load_before": load,
    }


def _reap() -> None:
    """Wait for orphans until none is left; end those that do not end by themselves."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            reaped, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if reaped == 0:
            if time.monotonic() > deadline:
                for process in tree(os.getpid()):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            time.sleep(0.02)


if __name__ == "__main__":
    result = measure(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps(result))
