"""The trainer of a grid that could refute a diagnosis: one training, with its repair or without.

`python -m runner doctor my_train.py:make --repair` writes the file of such a grid; its cells call
`fit`. The trainings are the doctor's trials, from the cell's own seed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

import torch

from runner.content.own.trainer import Trainer
from runner.doctor.causes.changes.named import read_change
from runner.doctor.watching.batches import Batches
from runner.doctor.watching.made import Start, make_training
from runner.doctor.watching.task import Task, task_of
from runner.doctor.watching.trial import Trial, run_trial
from runner.trainers.run import Run

CALL = f"{__name__}:fit"
"""As a file names it."""
POINTS = 100
"""Of the curve of the loss, at most."""


def fit(
    make: str,
    steps: int,
    repair: Mapping[str, Any] | None = None,
    as_used: bool = False,
    *,
    seed: int,
    device: str,
    run: Run,
) -> dict[str, float]:
    """Train what `make` returns for so many steps; how well it does on its validation data.

    Args:
        make: "my_train.py:make", seen from the folder where the grid was started, or
            "package.module:make".
        steps: of the loop body.
        repair: {name: settings} of `causes.changes`, in force from the first step on; None: the
            training as it is.
        as_used: judge with running statistics of batch norm; else with those of each batch, which
            do not lag behind in the first steps.
        seed: given to `make`.
        device: a CUDA device that is made the current one; else `make` decides.
        run: for the curve of the loss.

    Returns:
        {"accuracy": ...}, or of a regression {"variance_explained": ...}.

    Raises:
        InputError: `make` cannot be used, or the repair is none.
    """
    change = read_change(repair)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    where, _, name = make.rpartition(":")
    if where.endswith(".py"):
        where = str(Path(where).absolute())
    made = make_training(Trainer("function", f"{where}:{name}", os.getcwd()), seed)
    start = Start(made)
    held_out = Batches(made.val_loader, "val_loader", made.device).some()
    looked_at = Batches(made.train_loader, "train_loader", made.device).some()
    task = task_of(made, looked_at, held_out)
    start.again()
    with nullcontext(made) if change is None else change(made) as repaired:
        batches = Batches(repaired.train_loader, "train_loader", made.device)
        trial = run_trial(repaired, task, batches, held_out, steps, inf)
    _report(trial, run)
    return outcome(task, (trial.used if as_used else trial.judged).score)


def outcome(task: Task, score: float) -> dict[str, float]:
    """A score by the name of what people call it: a share of 1, NaN where it is not finite."""
    if not isfinite(score):
        return {outcome_name(task): nan}
    if task.kind == "classes":
        return {outcome_name(task): task.chance + score * (1 - task.chance)}
    return {outcome_name(task): max(score, 0.0)}


def outcome_name(task: Task) -> str:
    """What a score is the score of."""
    return "accuracy" if task.kind == "classes" else "variance_explained"


def _report(trial: Trial, run: Run) -> None:
    """The curve of the loss; a training that broke ends as diverged."""
    every = max(-(-trial.steps // POINTS), 1)
    for number, loss in enumerate(trial.losses, 1):
        if number % every == 0 or not isfinite(loss):
            run.report(number, loss=loss)
    if trial.broke:
        run.report(trial.steps, loss=nan)
