"""Saving many figures with two processes: this one and a helper take the next in turn.

Laying out and writing a figure takes several times longer than making it. The helper is a fresh
interpreter and not a fork, because the caller may hold threads, connections and devices; it is
started early, so that its imports pass while the caller still estimates. What the helper cannot
save, the caller saves itself.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO

from analysis.figures.saving import Drawing, save
from analysis.figures.style import settings, take_settings

SERVE = "import sys; sys.path[:] = sys.argv[1:]; from analysis.figures.press import serve; serve()"


@dataclass(frozen=True, slots=True)
class Job:
    """A drawing, where it goes, and the formats it is written in."""

    drawing: Drawing
    folder: Path
    formats: tuple[str, ...]
    numbers: bool = True  # whether the CSV is written too

    def save(self) -> None:
        """Write the files of `analysis.figures.save`; OSError where the folder cannot be."""
        one = self.drawing
        data = one.data if self.numbers else None
        save(one.figure, self.folder, one.name, data, one.caption, self.formats)


class Press:
    """Saves figures while the caller makes more: `with Press() as press: press.put(...)`."""

    def __init__(self, processes: int | None = None) -> None:
        """Start the helper.

        Args:
            processes: 1 saves everything here; by default two where there are two cores.
        """
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        self._returned: list[Job] = []
        self._helper: subprocess.Popen[bytes] | None = None
        self._feeder: Thread | None = None
        if (min(2, _cores()) if processes is None else processes) > 1:
            self._helper = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                [sys.executable, "-c", SERVE, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._feeder = Thread(target=self._feed, name="figures", daemon=True)
            self._feeder.start()

    def __enter__(self) -> Press:
        return self

    def __exit__(self, *error: object) -> None:
        """End the helper, whatever it is at."""
        if self._helper is not None:
            self._helper.kill()
            self._end()

    def put(self, job: Job) -> None:
        """Have a drawing saved; nobody may change it afterwards."""
        self._waiting.put(job)

    def finish(self) -> None:
        """Save with the helper until every figure is on disk.

        Raises:
            OSError: a figure cannot be written.
        """
        while True:
            try:
                job = self._waiting.get_nowait()
            except Empty:
                break
            if job is not None:
                job.save()
        self._end()
        while self._returned:
            self._returned.pop().save()

    def _end(self) -> None:
        """Let the helper save what it has begun, and wait for its end."""
        if self._helper is not None and self._feeder is not None:
            self._waiting.put(None)
            self._feeder.join()
            self._helper.wait()
            self._helper = None

    def _feed(self) -> None:
        """Hand the helper one figure after the other; take back what it does not save."""
        helper = self._helper
        assert helper is not None and helper.stdin and helper.stdout  # noqa: S101, PT018 - pipes
        with helper.stdin as there, helper.stdout as back:
            while (job := self._waiting.get()) is not None:
                try:
                    there.write(pickle.dumps((settings(), job)))
                    there.flush()
                    done = pickle.load(back)  # noqa: S301 - our own helper
                except (OSError, EOFError, pickle.PickleError, AttributeError, TypeError):
                    done = False
                if not done:
                    self._returned.append(job)


def serve() -> None:
    """The helper: save what comes on standard input until it ends, answer each with a bool."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may come between the answers
    with answers:
        while (done := _serve_one(jobs)) is not None:
            pickle.dump(done, answers)
            answers.flush()


def _serve_one(jobs: BinaryIO) -> bool | None:
    try:
        look, job = pickle.load(jobs)  # noqa: S301 - from the process that started this one
    except EOFError:
        return None
    take_settings(look)
    try:
        job.save()
    except Exception:  # the caller saves it again, and raises what is wrong
        return False
    return True


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
