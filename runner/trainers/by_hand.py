"""One cell of a trainer of one's own as a line for a shell, to repeat it by hand."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from runner.content.cell import Cell
from runner.trainers.command import command_words
from runner.trainers.place import Place


def line(cell: Cell, folder: Path, device: str = "cpu") -> str:
    """The line; it begins in the folder that the cell ran in.

    Args:
        cell: whose trainer is a function or a command.
        folder: the cell's own.
        device: "cpu" or "cuda:0".
    """
    trainer = cell.trainer
    assert trainer is not None  # noqa: S101 - whoever calls has seen it
    place = Place(device, folder, Path(), cell.train.threads, cell.train.time_limit)
    begin = f"cd {shlex.quote(trainer.folder)} && OMP_NUM_THREADS={cell.train.threads}"
    if trainer.kind == "command":
        return f"{begin} {shlex.join(command_words(trainer, cell, place))}"
    call = (
        "from runner.trainers.function import call; "
        f"print(call({trainer.call!r}, {cell.arguments!r}, seed={cell.seed}, device={device!r}, "
        f"folder={str(folder)!r}))"
    )
    return f"{begin} {shlex.quote(sys.executable)} -c {shlex.quote(call)}"
