"""Two processes for a report: this one, and a helper that writes files while it estimates.

Laying out and writing a figure takes several times longer than making it. The helper is a fresh
interpreter and not a fork, because the caller may hold threads, connections and devices. It may be
started before the caller has imported anything, so that the imports of both pass together: that is
why this module imports none of the drawing libraries.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from concurrent.futures import Future
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO, Protocol

from _ablate import words

NEEDED = (
    "analysis.figures",
    "analysis.report.curve_files",
    "analysis.table.curves",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_svg",
    "runner.store",
)
"""What the helper imports before anybody asks it for something."""


class Task(Protocol):
    """Something that writes files; it can be pickled."""

    def save(self) -> None:
        """Write them; OSError where the folder cannot be."""


class Press:
    """Writes files while the caller makes more: `with Press() as press: press.put(...)`.

    Attributes:
        failed: what could not be saved, and why, once `finish` has been called.
    """

    def __init__(self, processes: int | None = None) -> None:
        """Start the helper.

        Args:
            processes: 1 writes everything here; by default two where there are two cores.
        """
        self._waiting: SimpleQueue[tuple[Task, Future[bool] | None] | None] = SimpleQueue()
        self._returned: list[Task] = []
        self.failed: list[tuple[Task, Exception]] = []
        self._helper: subprocess.Popen[bytes] | None = None
        self._feeder: Thread | None = None
        if (min(2, _cores()) if processes is None else processes) > 1:
            self._helper = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                words("analysis.report.press", *sys.path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._feeder = Thread(target=self._feed, name="press", daemon=True)
            self._feeder.start()

    def __enter__(self) -> Press:
        return self

    def __exit__(self, *error: object) -> None:
        """End the helper, whatever it is at."""
        if self._helper is not None:
            self._helper.kill()
            self._end()

    def ask(self, task: Task) -> Future[bool]:
        """Have the helper alone do something, before what is put later; tells if it did.

        Without a helper nobody does, and it tells that at once.
        """
        done: Future[bool] = Future()
        if self._helper is None:
            done.set_result(False)
        else:
            self._waiting.put((task, done))
        return done

    def put(self, task: Task) -> None:
        """Have something saved by either process; nobody may change it afterwards."""
        self._waiting.put((task, None))

    def finish(self) -> None:
        """Save with the helper until everything is on disk, or among what `failed`.

        Raises:
            OSError: a file cannot be written.
        """
        while True:
            try:
                waiting = self._waiting.get_nowait()
            except Empty:
                break
            if waiting is not None:
                task, future = waiting
                if future is None:
                    self._save(task)
                else:
                    future.set_result(False)
        self._end()
        while self._returned:
            self._save(self._returned.pop())

    def _save(self, task: Task) -> None:
        """One picture that cannot be laid out costs no other."""
        try:
            task.save()
        except OSError:
            raise
        except Exception as error:
            self.failed.append((task, error))

    def _end(self) -> None:
        """Let the helper save what it has begun, and end it."""
        if self._helper is not None and self._feeder is not None:
            self._waiting.put(None)
            self._feeder.join()
            self._helper.kill()  # nothing is left to write, and tidying up would take a second
            self._helper.wait()
            self._helper = None

    def _feed(self) -> None:
        """Hand the helper one task after the other; take back what it does not save."""
        helper = self._helper
        assert helper is not None and helper.stdin and helper.stdout  # noqa: S101, PT018 - pipes
        with helper.stdin as there, helper.stdout as back:
            while (waiting := self._waiting.get()) is not None:
                task, future = waiting
                try:
                    there.write(pickle.dumps(task))
                    there.flush()
                    done = bool(pickle.load(back))  # noqa: S301 - our own helper
                except Exception:  # whatever ails the helper or the pickle, the caller saves it
                    done = False
                if future is not None:
                    future.set_result(done)
                elif not done:
                    self._returned.append(task)


def serve() -> None:
    """The helper: save what comes on standard input until it ends, answer each with a bool."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may come between the answers
    for name in NEEDED:
        import_module(name)
    gc.disable()  # a tenth of its time; it lives for some dozens of figures
    with answers:
        while (done := _serve_one(jobs)) is not None:
            pickle.dump(done, answers)
            answers.flush()


def _serve_one(jobs: BinaryIO) -> bool | None:
    try:
        task: Task = pickle.load(jobs)  # noqa: S301 - from the process that started this one
    except EOFError:
        return None
    try:
        task.save()
    except Exception:  # the caller does it again, and raises what is wrong
        return False
    return True


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]  # what the caller finds is found here
    serve()
