"""What Lightning offers to find out what is wrong, each as its documentation describes it.

`ask`: `Trainer(detect_anomaly=True)` over the whole training with the warnings that come up, and
`Trainer(overfit_batches=1)`, of which its documentation says ("Debugging") that a model that cannot
overfit a tiny part of the data is a sign that something is wrong: the loss has to fall to a half.

`ask_rate`: `Tuner.lr_find`; a rate ten times off what it suggests is taken for too high or too low.
Apart from the others, because this reading of a suggestion is ours.

A loop body of one's own runs under manual optimization, else Lightning's own loop runs.
"""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cache
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from runner.doctor.watching.made import Made
from tests.benchmarks.doctor.beside.answer import Answer, Meaning, Notes, steps_of
from tests.benchmarks.doctor.beside.meanings import NO_CAUSE, NOT_FINITE
from tests.benchmarks.doctor.beside.plain import note_warnings

HALF = 0.5
"""The loss of the one batch has to fall to this share of what it was."""
OFF = 10.0
"""Times that a rate may differ from the suggested one."""


@cache
def _module() -> Any:
    """A training as a LightningModule: its class, made when Lightning is first needed."""
    from lightning.pytorch import LightningModule

    class Module(LightningModule):  # type: ignore[misc]  # of a library without types
        def __init__(self, made: Made, *, manual: bool) -> None:
            super().__init__()
            self.model, self.losses = made.model, list[float]()
            self.automatic_optimization = not manual
            self._made, self._optimizer = made, made.optimizer
            self.lr = float(made.optimizer.param_groups[0]["lr"])

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            x, y = batch
            if self.automatic_optimization:
                loss = self._made.loss(self.model(x), y)
            else:
                loss = self._made.step(
                    self.model, self._made.loss, self.optimizers(), x, y
                ).detach()
            self.losses.append(loss.detach().item())
            return loss

        def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
            x, y = batch
            self.log("val_loss", self._made.loss(self.model(x), y))

        def configure_optimizers(self) -> Optimizer:
            return self._optimizer

    return Module


Check = Callable[[Made, str, Notes], None]


def ask(make: Callable[[], Made]) -> Answer:
    """The whole training with anomalies detected, then one batch, each from its start."""
    return _asked(make, (_whole, _one_batch))


def ask_rate(make: Callable[[], Made]) -> Answer:
    """The range test of the rate."""
    return _asked(make, (_rate,), warned=False)


def _asked(make: Callable[[], Made], checks: tuple[Check, ...], *, warned: bool = True) -> Answer:
    """What checks found; with `warned` the warnings on the way as well."""
    notes, failed = Notes(), []
    for check in checks:
        try:
            kept = notes if warned else Notes()
            with tempfile.TemporaryDirectory() as folder, _quiet(kept):
                check(make(), folder, notes)
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            if "returned nan values" in first:
                notes.add(f"detect_anomaly: {first[:120]}", NOT_FINITE)
            else:
                failed.append(f"{check.__name__[1:]}: {type(error).__name__}: {first[:120]}")
    return notes.answer("; ".join(failed))


def _whole(made: Made, folder: str, notes: Notes) -> None:
    trainer = _trainer(made, folder, detect_anomaly=True)
    trainer.fit(_module()(made, manual=made.own_step), made.train_loader, made.val_loader)


def _one_batch(made: Made, folder: str, notes: Notes) -> None:
    module = _module()(made, manual=made.own_step)
    steps = steps_of(made)
    trainer = _trainer(made, folder, overfit_batches=1, max_epochs=steps, limit_val_batches=0)
    trainer.fit(module, made.train_loader)
    first, last = module.losses[0], module.losses[-1]
    if not last <= HALF * first:
        notes.add(f"overfit_batches: the loss went from {first:.3g} to {last:.3g}", NO_CAUSE)


def _rate(made: Made, folder: str, notes: Notes) -> None:
    from lightning.pytorch.tuner import Tuner

    module = _module()(made, manual=False)
    found = Tuner(_trainer(made, folder)).lr_find(module, made.train_loader, update_attr=False)
    suggested = None if found is None else found.suggestion()
    if not suggested:
        return
    words = f"lr_find: suggests {suggested:.2g}, the rate is {module.lr:.2g}"
    if module.lr >= OFF * suggested:
        notes.add(words, Meaning(("learning_rate_too_high",)))
    elif module.lr <= suggested / OFF:
        notes.add(words, Meaning(("learning_rate_too_low",)))


def _trainer(made: Made, folder: str, **more: Any) -> Any:
    from lightning.pytorch import Trainer

    given = {"max_epochs": made.epochs, **more}
    return Trainer(
        accelerator="cpu", devices=1, max_steps=steps_of(made), logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, **given,
    )  # fmt: skip


@contextmanager
def _quiet(notes: Notes) -> Iterator[None]:
    """Warnings become notes; what Lightning logs of itself is kept away."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning")]
    levels = [one.level for one in loggers]
    with (
        redirect_stderr(io.StringIO()),  # progress bars
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)
            note_warnings(notes, caught)
