"""Training one cell, from its content to its outcome.

Reads top to bottom: prepare, then epochs of steps, then one look at the test images. The last
incomplete batch of an epoch is left out (another order follows in the next), so every step weighs
the same. Divergence and a passed time limit are outcomes; what the machine or a level does wrong
leaves as an exception, which `runner.trainers.failure` names. Reading this one file is reading
the whole training.
"""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isfinite, log
from pathlib import Path

import torch
from torch import Tensor, nn

from ablations import registry
from ablations.augmentation import MIRRORING
from runner.content.cell import Cell
from runner.content.outcome import Epoch, Outcome, Reason, Status
from runner.content.seeds import generator
from runner.data.images import DataError, Images
from runner.network.model import trainable_weights
from runner.network.weights import left_by_init
from runner.training.capture import captured
from runner.training.checkpoint import Progress, restore_checkpoint, save_checkpoint
from runner.training.normalise import Normalise
from runner.training.numerics import autocast, numerics
from runner.training.parts.averaged import BATCHES
from runner.training.parts.kept import Kept
from runner.training.parts.learner import Learner, new_learner
from runner.training.parts.objective import Objective, function_of
from runner.training.parts.warming import at_share
from runner.training.scoring import Score, score, verdict
from runner.training.step import Step
from runner.training.watching import Watch

logger = logging.getLogger(__name__)


def _ignore(epoch: Epoch) -> None:
    """Nobody wants to hear of epochs."""


def train(
    cell: Cell,
    images: Images,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = _ignore,
    checkpoint: Path | None = None,
    *,
    watched: bool = True,
    kept: Kept | None = None,
) -> Outcome:
    """Train and measure one cell.

    The same cell on the same kind of device gives the same bits, whatever ran before in the
    process and wherever a checkpoint interrupted it (on the CPU; on CUDA as far as the kernels of
    the network repeat).

    Args:
        cell: what to train.
        images: what `runner.data.load(cell.data)` returned.
        device: "cpu" or "cuda:0".
        on_epoch: called after each epoch with its row of the curve.
        checkpoint: file to resume from and to write to; the caller removes it in the end.
        watched: whether the outcome holds evidence of what its layers did, which changes nothing
            else of it (`runner.training.watching`).
        kept: where its weights are left, which changes nothing of the outcome; by default nowhere.

    Raises:
        DataError: the images are not those the cell was planned for.
        InputError: a level refused its parameters, or a plugin is not the one planned with.
    """
    registry.load_plugins(cell.plugins)
    cell.check_code()
    if cell.data_identity and cell.data_identity != images.identity:
        raise DataError(
            f"the images changed since the study was planned: expected {cell.data_identity}, "
            f"found {images.identity}"
        )
    where = torch.device(device)
    with numerics(cell.train, where):
        return _Training(cell, images, where, watched, kept).run(on_epoch, checkpoint)


class _Training:
    """A cell, its images on the device, and the clock that started when it was made."""

    def __init__(
        self, cell: Cell, images: Images, device: torch.device, watched: bool, kept: Kept | None
    ) -> None:
        self.cell, self.protocol, self.device = cell, cell.train, device
        self.watched, self.kept = watched, kept
        self.watch: Watch | None = None
        self.classes = len(images.classes)
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        self.so_far = Progress()
        self.notes: list[str] = []
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.train_split = _on_device(images.train_images, images.train_labels, device)
        self.validation = _on_device(images.validation_images, images.validation_labels, device)
        self.test = _on_device(images.test_images, images.test_labels, device)
        self.normalise = Normalise.of(images.mean, images.std, self.protocol, device)
        self.mirror = images.mirror_keeps_labels
        self.batch = min(self.protocol.batch_size, len(images.train_labels))
        self.steps = len(images.train_labels) // self.batch
        self.warmup = function_of(cell, "warmup")
        if cell.level("augmentation").name in MIRRORING and not self.mirror:
            self.notes.append("horizontal flip left out: mirroring changes labels")

    def run(self, on_epoch: Callable[[Epoch], None], checkpoint: Path | None) -> Outcome:
        """All epochs, resumed where the checkpoint left off, then the test."""
        learner = self._begin(checkpoint)
        outcome = self._train(learner, on_epoch, checkpoint)
        return outcome if self.kept is None else self._leave(self.kept, outcome, learner)

    def _train(
        self, learner: Learner, on_epoch: Callable[[Epoch], None], checkpoint: Path | None
    ) -> Outcome:
        tally = torch.zeros(3, dtype=torch.float64, device=self.device)
        eager = self._step(learner, tally)
        step, note = captured(eager, self.cell, self.batch)
        if note:
            self.notes.append(note)
        if self.watched:
            self._watch(eager)
        saved = time.perf_counter()
        for number in range(len(self.so_far.curve) + 1, self.protocol.epochs + 1):
            epoch = self._epoch(number, learner, eager, step)
            if epoch is None:
                return self._timed_out(learner.network)
            self.so_far = replace(self.so_far, curve=(*self.so_far.curve, epoch))
            if self.kept is not None:
                self.kept.after_epoch(epoch, learner.judged)
            on_epoch(epoch)
            if not isfinite(epoch.validation_loss):
                return self._diverged(learner.network, number)
            if checkpoint and number < self.protocol.epochs and self._due(number, saved):
                self._save(checkpoint, learner)
                saved = time.perf_counter()
        return self._finished(learner.judged)

    def _leave(self, kept: Kept, outcome: Outcome, learner: Learner) -> Outcome:
        """Leave its weights behind, or say why not: the outcome is none the worse."""
        ended = outcome.status in (Status.LEARNED, Status.STALLED)
        last = self.so_far.curve[-1] if ended else None
        try:
            kept.write(self.cell, self.classes, last, learner.judged)
        except OSError as error:
            note = f"the weights could not be written: {error.strerror or error}"
            logger.warning("%s (%s)", note, kept.path)
            return replace(outcome, notes=(*outcome.notes, note))
        return outcome

    def _watch(self, eager: Step) -> None:
        """Look at it from now on, beginning before the first step."""
        built_in = self.cell.is_built_in
        self.watch = Watch(
            eager, self.classes, self.steps, self.protocol.epochs, self.batch, copied=not built_in
        )
        self.watch.resume(self.so_far.evidence)
        if not self.so_far.curve:
            self.watch.begin()

    def _save(self, checkpoint: Path, learner: Learner) -> None:
        """Keep a checkpoint, or say why not: the cell can do without one."""
        try:
            save_checkpoint(checkpoint, self.cell.id, self.device, learner, self._progress())
        except OSError as error:
            note = f"a checkpoint could not be written: {error.strerror or error}"
            logger.warning("%s (%s); training goes on", note, checkpoint)
            if note not in self.notes:
                self.notes.append(note)

    def _begin(self, checkpoint: Path | None) -> Learner:
        """A learner at its first epoch, or where the checkpoint left it."""
        if checkpoint is not None and checkpoint.exists():
            learner = self._new_learner()
            progress = restore_checkpoint(checkpoint, self.cell.id, self.device, learner)
            if progress is not None:
                self.so_far = progress
                if self.kept is not None:
                    self.kept.state = progress.kept
                done = len(progress.curve)
                logger.info("continues after epoch %d from checkpoint %s", done, checkpoint)
                return learner
        return self._new_learner()

    def _new_learner(self) -> Learner:
        cell, pixels = self.cell, self.train_split[0]
        learner = new_learner(cell, self.classes, pixels, self.steps, self.device)
        if left := left_by_init(learner.network, cell):
            self.notes.append(left)
        return learner

    def _step(self, learner: Learner, tally: Tensor) -> Step:
        chosen = self.cell.level("augmentation")
        level = registry.find("augmentation", chosen.name).function
        augment = partial(level, mirror=self.mirror, **chosen.parameters)
        return Step(
            learner, augment, self.normalise, *self.train_split, self.protocol,
            Objective.of(self.cell, self.classes, self.device), function_of(self.cell, "clipping"),
            tally, list(learner.network.parameters()),
        )  # fmt: skip

    def _epoch(
        self, number: int, learner: Learner, eager: Step, step: Callable[[Tensor], None]
    ) -> Epoch | None:
        """Train and validate once; None when the time limit passed on the way.

        `step` is `eager` or does the same recorded.
        A loss or weight that is not finite shows as a validation loss of NaN.
        """
        started = time.perf_counter()
        count = len(self.train_split[1])
        order = torch.randperm(count, generator=learner.order)[: self.steps * self.batch]
        batches = order.to(self.device).view(self.steps, self.batch)
        eager.tally.zero_()
        rate = 0.0
        for taken, index in enumerate(batches, start=(number - 1) * self.steps + 1):
            if self._seconds() > self.protocol.time_limit:
                return None
            if self.watch is not None:
                self.watch.before_step(taken)
            with at_share(learner.optimizer, self._warmth(taken)):
                step(index)
                rate = learner.optimizer.param_groups[0]["lr"]
            if self.watch is not None:
                self.watch.after_step(taken)
            learner.stepper.after_batch()
            if learner.average is not None:
                learner.average.after_batch(number)
        loss, correct, norm = eager.tally.tolist()  # the one wait for the device
        trained = time.perf_counter() - started
        if learner.average is not None:
            learner.average.after_epoch(number)
        if isfinite(loss) and _finite(learner.network):
            self._settle(number, learner, eager, batches)
            validation = score(learner.judged, *self.validation, self.normalise, self.protocol)
        else:
            validation = Score(float("nan"), 0, len(self.validation[1]))
        learner.stepper.after_epoch(validation.loss)
        finite = isfinite(validation.loss)
        if self.watch is not None:
            self.watch.end_epoch(number, finite=finite)
        return Epoch(
            epoch=number,
            train_loss=loss / self.steps,
            train_accuracy=correct / (self.steps * self.batch),
            validation_loss=validation.loss if finite else float("nan"),
            validation_accuracy=validation.accuracy if finite else 1 / self.classes,
            learning_rate=rate,
            gradient_norm=norm / self.steps,
            seconds=time.perf_counter() - started,
            images_per_second=self.steps * self.batch / trained,
        )

    def _warmth(self, taken: int) -> float:
        """The share of the scheduler's rate in the step of this number, from 1."""
        if self.warmup is None:
            return 1.0
        return float(self.warmup(taken, self.protocol.epochs * self.steps))

    def _settle(self, number: int, learner: Learner, eager: Step, batches: Tensor) -> None:
        """Measure the batch norms of the averaged weights, on batches as training sees them."""
        if learner.average is None or not learner.average.count:
            return
        draw = generator(self.cell.stream("averaging", number), device=str(self.device))
        with autocast(self.protocol, self.device):
            learner.average.settle(
                self.normalise(eager.drawn(index, draw, draw)[0]) for index in batches[:BATCHES]
            )

    def _due(self, number: int, saved: float) -> bool:
        every, minutes = self.protocol.checkpoint_epochs, self.protocol.checkpoint_minutes
        by_count = every is not None and number % every == 0
        return by_count or (minutes is not None and time.perf_counter() - saved > 60 * minutes)

    def _seconds(self) -> float:
        """Wall time spent on this cell, before an interruption included."""
        return self.so_far.seconds + time.perf_counter() - self.started

    def _progress(self) -> Progress:
        cpu = self.so_far.cpu_seconds + time.process_time() - self.cpu_started
        evidence = None if self.watch is None else self.watch.evidence
        state = None if self.kept is None else self.kept.state
        return Progress(self.so_far.curve, self._seconds(), cpu, evidence, state)

    def _finished(self, network: nn.Module) -> Outcome:
        test = score(network, *self.test, self.normalise, self.protocol)
        if not isfinite(test.loss):
            return self._diverged(network, self.protocol.epochs)
        return self._outcome(
            verdict(test.correct, self.test[1]),
            network,
            test_accuracy=test.accuracy,
            test_loss=test.loss,
            test_correct=test.correct,
            final_validation_accuracy=self.so_far.curve[-1].validation_accuracy,
        )

    def _diverged(self, network: nn.Module, epoch: int) -> Outcome:
        """Scored as guessing, so that a diverged cell can stand in a table of accuracies."""
        return self._outcome(
            Status.DIVERGED,
            network,
            test_accuracy=1 / self.classes,
            test_loss=log(self.classes),
            final_validation_accuracy=1 / self.classes,
            diverged_epoch=epoch,
            detail=f"a loss or a weight stopped being finite in epoch {epoch}",
        )

    def _timed_out(self, network: nn.Module) -> Outcome:
        curve = self.so_far.curve
        return self._outcome(
            Status.TIMEOUT,
            network,
            reason=Reason.TIMEOUT,
            final_validation_accuracy=curve[-1].validation_accuracy if curve else None,
            detail=f"passed its time limit of {self.protocol.time_limit:g} s "
            f"after {len(curve)} of {self.protocol.epochs} epochs",
        )

    def _outcome(
        self,
        status: Status,
        network: nn.Module,
        *,
        test_accuracy: float | None = None,
        test_loss: float | None = None,
        test_correct: int | None = None,
        final_validation_accuracy: float | None = None,
        diverged_epoch: int | None = None,
        reason: Reason | None = None,
        detail: str | None = None,
    ) -> Outcome:
        """What every ending shares."""
        sound = [epoch for epoch in self.so_far.curve if isfinite(epoch.validation_loss)]
        spent = self._progress()
        return Outcome(
            status=status,
            test_accuracy=test_accuracy,
            test_loss=test_loss,
            test_correct=test_correct,
            n_test=len(self.test[1]),
            classes=self.classes,
            best_validation_accuracy=max((e.validation_accuracy for e in sound), default=None),
            final_validation_accuracy=final_validation_accuracy,
            epochs_run=len(self.so_far.curve),
            epochs_budget=self.protocol.epochs,
            diverged_epoch=diverged_epoch,
            reason=reason,
            detail=detail,
            seconds=spent.seconds,
            cpu_seconds=spent.cpu_seconds,
            peak_memory_bytes=_peak_memory(self.device),
            parameters=trainable_weights(network),
            train_images=len(self.train_split[1]),
            notes=tuple(self.notes),
            curve=self.so_far.curve,
            evidence=spent.evidence,
        )


def _on_device(images: object, labels: object, device: torch.device) -> tuple[Tensor, Tensor]:
    """Arrays as tensors on the device; on the CPU they stay the memory-mapped file."""
    return torch.as_tensor(images).to(device), torch.as_tensor(labels).to(device)


def _finite(network: nn.Module) -> bool:
    """True when every weight is finite; one value travels to the host."""
    return bool(torch.stack([p.isfinite().all() for p in network.parameters()]).all())


def _peak_memory(device: torch.device) -> int:
    """Bytes at the peak: of the device's allocator on CUDA, of the process on the CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
