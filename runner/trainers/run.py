"""What a function of one's own may use while it trains: `run.report`, `run.save`, `run.load`.

It is given to whoever has a parameter called `run`; nothing of it has to be imported.
"""

from __future__ import annotations

import io
import math
import pickle
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from runner.content.outcome import Point
from runner.program.files import replacing
from runner.trainers.endings import number
from runner.trainers.place import Place, Report

TOLD_EVERY = 0.2
"""Seconds between two points that are told to the run: it shows the newest."""

CHECKPOINT = "run.checkpoint"


class Diverged(BaseException):
    """A reported value is not finite: the training ends here, whatever it catches itself."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__(f"{name} was not finite at step {step}")
        self.name, self.step = name, step


class OutOfTime(BaseException):
    """The cell has taken longer than it may."""


class Run:
    """One attempt, as the function that trains sees it.

    Attributes:
        folder: a directory of the cell's own, kept from one attempt to the next.
        device: "cpu" or "cuda:0".
        seed: the cell's.
        points: what was reported so far, earlier attempts that were resumed included.
    """

    def __init__(self, place: Place, seed: int, report: Report) -> None:
        self.folder, self.device, self.seed = place.folder, place.device, seed
        self.points: list[Point] = []
        self._seconds = place.seconds
        self._tell = report
        self._told = -math.inf
        self._began = time.monotonic()

    def report(self, step: int | None = None, /, **values: Any) -> None:
        """Say how far the training is: a point of its curves.

        Args:
            step: epoch or iteration; by default one more than the last.
            values: numbers by name; tensors of one element are numbers.

        Raises:
            Diverged: one of them is not finite; not to be caught.
            OutOfTime: the time limit has passed; not to be caught.
            TypeError: one of them is no number.
        """
        if step is None:
            step = self.points[-1].step + 1 if self.points else 0
        numbers: dict[str, float] = {}
        for name, value in values.items():
            known = number(value)
            if known is None:
                raise TypeError(f"run.report: {name} is {value!r}, expected a number")
            numbers[name] = known
        bad = next((name for name, value in numbers.items() if not math.isfinite(value)), None)
        self.points.append(
            Point(int(step), {name: v for name, v in numbers.items() if math.isfinite(v)})
        )
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            self._tell(self.points[-1])
        if bad is not None:
            raise Diverged(bad, int(step))
        if now - self._began > self._seconds:
            raise OutOfTime

    def save(self, state: Any) -> None:
        """Keep a state, so that `load` gives it back after a kill; the newest one is kept.

        Written aside, synced and renamed: a kill in the middle leaves the one before.

        Args:
            state: whatever pickle or torch can write: state_dicts, numbers, generators.
        """
        uses_torch = "torch" in sys.modules
        points = [(point.step, dict(point.values)) for point in self.points]
        with replacing(self._file, synced=True) as file:
            pickle.dump((points, uses_torch), file)
            if uses_torch:
                sys.modules["torch"].save(state, file)
            else:
                pickle.dump(state, file)

    def load(self) -> Any:
        """What `save` kept before this attempt; None where there is nothing, or it is unreadable.

        What was reported until then is part of the curve again.
        """
        try:
            with self._file.open("rb") as file:
                # The cell's own file, in the results folder of whoever runs this function anyway.
                points, uses_torch = pickle.load(file)  # noqa: S301
                state = _of_torch(file) if uses_torch else pickle.load(file)  # noqa: S301
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged file fails in as many ways as it has bytes
            print(f"{self._file} is of no use ({type(error).__name__}: {error}); starting over")
            return None
        self.points = [Point(step, values) for step, values in points]
        return state

    @property
    def _file(self) -> Path:
        return self.folder / CHECKPOINT


def _of_torch(file: BinaryIO) -> Any:
    """What `torch.save` wrote; on the CPU where this machine has no other device."""
    import torch

    device = None if torch.cuda.is_available() else "cpu"
    return torch.load(io.BytesIO(file.read()), map_location=device, weights_only=False)
