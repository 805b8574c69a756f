"""A training half done, on disk: written whole or not at all, read only where it fits.

A checkpoint holds tensors and plain values, and is read with `weights_only`, so a file somebody
else put there cannot run code. Whatever is truncated, foreign or of another cell is reported and
ignored: the cell then starts from the beginning.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from runner.content.cell import TRAINING_VERSION
from runner.content.outcome import Epoch
from runner.program.files import replacing
from runner.training.parts.learner import Learner

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come: its curve, what it has cost, what is seen and kept of it."""

    curve: tuple[Epoch, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    evidence: dict[str, Any] | None = None
    kept: dict[str, Any] | None = None  # the best weights so far, where they are to be kept


def save_checkpoint(
    path: Path, cell_id: str, device: torch.device, learner: Learner, so_far: Progress
) -> None:
    """Write the checkpoint aside, sync it, rename it into place.

    Raises:
        OSError: there is no room for it, or no right to; the one before, if any, is as it was.
    """
    content = {
        "cell": cell_id,
        "training_version": TRAINING_VERSION,
        "device": device.type,
        "network": learner.network.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "scheduler": learner.stepper.scheduler.state_dict(),
        "average": None if learner.average is None else learner.average.state_dict(),
        "random": {
            "order": learner.order.get_state(),
            "augmentation": learner.augmentation.get_state(),
            "mixing": None if learner.mixing is None else learner.mixing.get_state(),
            "default": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        },
        "curve": [asdict(epoch) for epoch in so_far.curve],
        "seconds": so_far.seconds,
        "cpu_seconds": so_far.cpu_seconds,
        "evidence": so_far.evidence,
        "kept": so_far.kept,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, synced=True) as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            # Torch complains of an archive without an end and so hides what the disk said.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def restore_checkpoint(
    path: Path, cell_id: str, device: torch.device, learner: Learner
) -> Progress | None:
    """Put `learner` where the checkpoint left it; None if the file is of no use.

    Then the log says why, and `learner` may be half changed: make it anew.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged or hostile file fails in as many ways as there are bytes in it.
    except Exception as error:
        return _refused(path, f"{type(error).__name__}: {error}")
    try:
        belongs = (content["cell"], content["training_version"], content["device"])
        if belongs != (cell_id, TRAINING_VERSION, device.type):
            return _refused(path, "it belongs to another cell, training code or device")
        return _apply(content, device, learner)
    except Exception as error:
        return _refused(path, f"{type(error).__name__}: {error}")


def _apply(content: dict[str, Any], device: torch.device, learner: Learner) -> Progress:
    curve = tuple(Epoch(**row) for row in content["curve"])
    learner.network.load_state_dict(content["network"])
    learner.optimizer.load_state_dict(content["optimizer"])
    learner.stepper.scheduler.load_state_dict(content["scheduler"])
    random = content["random"]
    learner.order.set_state(random["order"])
    learner.augmentation.set_state(random["augmentation"])
    if learner.mixing is not None:
        learner.mixing.set_state(random["mixing"])
    if learner.average is not None:
        learner.average.load_state_dict(content["average"])
    torch.set_rng_state(random["default"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(random["cuda"], device)
    spent = float(content["seconds"]), float(content["cpu_seconds"])
    # Absent in those of before.
    return Progress(curve, *spent, content.get("evidence"), content.get("kept"))


def _refused(path: Path, why: str) -> Progress | None:
    # One line: torch's own message about unsafe files runs over a page.
    log.warning("checkpoint %s is of no use (%s); starting over", path, why.splitlines()[0])
    return None
