"""The training alone, as its person has it: what it costs, and what torch itself says."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import isfinite

from runner.doctor.watching.made import Made
from tests.benchmarks.doctor.beside.answer import Answer, Notes, batches, steps_of
from tests.benchmarks.doctor.beside.meanings import NOT_FINITE, of_warning


def ask(make: Callable[[], Made]) -> Answer:
    """Warnings that torch gives, and a loss that is not finite."""
    notes, made = Notes(), make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number, (x, y) in enumerate(batches(made, steps_of(made)), 1):
            loss = made.step(made.model, made.loss, made.optimizer, x, y).item()
            if not isfinite(loss):
                notes.add(f"the loss is {loss} at step {number}", NOT_FINITE)
                break
    note_warnings(notes, caught)
    return notes.answer()


def note_warnings(notes: Notes, caught: list[warnings.WarningMessage]) -> None:
    """Those that are about the training."""
    for one in caught:
        text = " ".join(str(one.message).split())
        meaning = of_warning(text)
        if meaning is not None:
            notes.add(f"warning: {text[:90]}", meaning)
