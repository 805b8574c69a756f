"""A trainer of somebody's own that misbehaves: a function, and the same as a command.

It imports nothing of the project and no torch. The factor `way` says how it misbehaves: the name of
a function below, or of what is returned.
"""

import argparse
import ctypes
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


def plain(folder, run):
    """Nothing."""


def killed_once(folder, run):
    """Die by SIGKILL at the first attempt: the folder is the cell's own and is kept."""
    marker = Path(folder, "died")
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def killed_always(folder, run):
    os.kill(os.getpid(), signal.SIGKILL)


def segfaults(folder, run):
    """Read address 0, as a broken extension would."""
    ctypes.string_at(0)


def memory_error(folder, run):
    raise MemoryError("no 4 GiB block left")


def exits_137(folder, run):
    """What a shell says of a program that was killed."""
    sys.exit(137)


def busy_once(folder, run):
    """Ask once to be tried again."""
    marker = Path(folder, "asked")
    if not marker.exists():
        marker.touch()
        sys.exit(75)


def busy_always(folder, run):
    sys.exit(75)


def exits_with_words(folder, run):
    sys.exit("the learning rate is too high\x1b[31m")


def raises(folder, run):
    raise ValueError("shapes do not match: (3, 4) and (5,)")


class Unpicklable(Exception):
    """Has a constructor of two arguments, which pickle cannot call."""

    def __init__(self, first, second):
        super().__init__(first)
        self.second = (second, lambda: None)


def raises_unpicklable(folder, run):
    raise Unpicklable("cannot be pickled", 2)


def exits_0(folder, run):
    """End without an error and without a number."""
    sys.exit(0)


def leaves_silently(folder, run):
    """Exit code 0 and no word, past every handler."""
    os._exit(0)


def shouts(folder, run):
    """Ten megabytes on both streams."""
    for stream in (sys.stdout, sys.stderr):
        for _ in range(5 * 1024):
            stream.write("x" * 1023 + "\n")


def mumbles(folder, run):
    """Bytes that are no UTF-8, a NUL, and no end of line."""
    sys.stdout.flush()
    os.write(1, b"loss \xff\xfe\x00 \xe4\xf6\xfc\r50%\r100%\n")


def moves(folder, run):
    """Change the working directory to one that is then removed."""
    gone = Path(folder, "gone")
    gone.mkdir(exist_ok=True)
    os.chdir(gone)
    gone.rmdir()


def replaces_stdout(folder, run):
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as people do


def closes_stdout(folder, run):
    sys.stdout.close()
    sys.stderr.close()


def leaves_a_thread(folder, run):
    """A thread that never ends and, in a daemon, holds nobody."""
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


def leaves_a_child(folder, run):
    """A child that never ends and ignores SIGTERM."""
    subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 3600 & sleep 3600"])


def half(number):
    return number / 2


def forks(folder, run):
    """Workers as a DataLoader's: forked."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(half, range(4)) == [0, 0.5, 1, 1.5]


def spawns(folder, run):
    """Workers as a DataLoader's on other systems: spawned."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(half, range(4)) == [0, 0.5, 1, 1.5]


def handles_signals(folder, run):
    """Take the signals for itself and its own process group."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def unsets_everything(folder, run):
    os.environ.clear()


def waits(folder, run):
    """Announce itself, then wait until a file exists."""
    Path(os.environ["ANNOUNCE"], str(os.getpid())).touch()
    while not Path(os.environ["GO"]).exists():
        time.sleep(0.01)


def waits_with_a_child(folder, run):
    leaves_a_child(folder, run)
    waits(folder, run)


def tidies_up(folder, run):
    """Say so when SIGTERM comes, then end."""

    def end(number, frame):
        Path(os.environ["ANNOUNCE"], "tidied").touch()
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)
    waits(folder, run)


def ignores_sigterm(folder, run):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    waits(folder, run)


def loops(folder, run):
    while True:
        pass


def sleeps(folder, run):
    time.sleep(3600)


def sleeps_deaf(folder, run):
    """Ignore SIGTERM and never end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def leaves_deaf_children(folder, run):
    leaves_a_child(folder, run)
    sleeps_deaf(folder, run)


def reports_for_ever(folder, run):
    """Say how far it is, without an end."""
    step = 0
    while True:
        time.sleep(0.05)
        run.report(step, accuracy=0.5)
        step += 1


def reports_nan(folder, run):
    """A curve that stops being finite; whoever catches every exception does not catch that."""
    for step, loss in enumerate((1.0, 0.5, math.nan, 0.1)):
        try:
            run.report(step, loss=loss)
        except Exception:
            raise AssertionError("it could be caught") from None


RETURNS = {
    "returns_nan": {"accuracy": math.nan},
    "returns_infinity": {"accuracy": math.inf},
    "returns_none": None,
    "returns_text": {"accuracy": "good"},
    "returns_another": {"acuracy": 0.5},
    "returns_nothing": {},
    "returns_a_bare_number": 0.75,
    "returns_twice_nan": {"accuracy": 0.5, "seconds_used": math.nan},
}


def fit(way, lr=0.1, *, seed, folder, run):
    """The function."""
    if way in RETURNS:
        return RETURNS[way]
    globals()[way](folder, run)
    return {"accuracy": 0.5 + lr + seed % 100 / 1e4}


def main():
    """The command: the same, its number a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", required=True)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--folder", required=True)
    args = parser.parse_args()
    answer = os.dup(1)
    returned = fit(args.way, args.lr, seed=args.seed, folder=args.folder, run=None)
    if returned is not None:
        os.write(answer, (json.dumps(returned) + "\n").encode())


if __name__ == "__main__":
    main()
