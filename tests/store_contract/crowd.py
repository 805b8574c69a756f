"""Many processes that do one thing at one instant.

`crowd` starts one interpreter that imports what is needed, forks it N times before any connection
is open, lets all go at once and collects what each returned. So 16 processes start within
milliseconds of each other, which 16 interpreters would not.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def crowd(
    function: str, n: int, *arguments: Any, environment: dict[str, str] | None = None
) -> list[Any]:
    """What `module:function(index, *arguments)` returned in each of `n` processes.

    A process that raised gives "ExceptionName: message", one that was killed "signal N".
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.store_contract.crowd", function, str(n)],
        input=json.dumps(arguments),
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    results: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return results


def _main() -> None:
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), name)
    arguments = json.load(sys.stdin)
    go_read, go_write = os.pipe()
    members = [_fork(function, index, arguments, go_read, go_write) for index in range(_count())]
    os.close(go_write)  # the starting shot: every child's read ends
    results = []
    for pid, channel in members:
        text = channel.read()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        results.append(f"signal {os.WTERMSIG(status)}" if killed else json.loads(text))
    print(json.dumps(results))


def _count() -> int:
    return int(sys.argv[2])


def _fork(function: Any, index: int, arguments: list[Any], go_read: int, go_write: int) -> Any:
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, os.fdopen(read)
    signal.alarm(200)
    os.close(go_write)
    os.read(go_read, 1)
    try:
        result = function(index, *arguments)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    os.write(write, json.dumps(result).encode())
    os._exit(0)


if __name__ == "__main__":
    _main()
