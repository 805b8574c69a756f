"""The weights that a cell leaves behind: none by default, of its last or of its best epoch.

A file holds tensors and plain values, so that `torch.load(path, weights_only=True)` reads it:
`network` is the state of what the outcome is measured on (`runner.network.model.build` makes such a
network of `Cell.from_json(content)` and `classes`), `epoch` and `validation_accuracy` say when.
Keeping weights draws no number and changes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from runner.content.cell import Cell
from runner.content.outcome import Epoch
from runner.program.files import replacing

Which = Literal["final", "best"]


@dataclass
class Kept:
    """What is kept of one training.

    Attributes:
        path: the file.
        which: of the last epoch, or of the first of those with the best validation accuracy.
        state: of the best epoch so far, which a checkpoint takes along; None of `final`.
    """

    path: Path
    which: Which
    state: dict[str, Any] | None = None

    def after_epoch(self, epoch: Epoch, network: nn.Module) -> None:
        """Remember the weights where they are the best so far."""
        if self.which != "best" or not isfinite(epoch.validation_loss):
            return
        if self.state is None or epoch.validation_accuracy > self.state["validation_accuracy"]:
            self.state = _state(epoch, network)

    def write(self, cell: Cell, classes: int, last: Epoch | None, network: nn.Module) -> None:
        """Write the file, whole or not at all; nothing where there is nothing to keep.

        Args:
            cell: whose weights they are.
            classes: logits of its network.
            last: the epoch it ended with; None where it did not come to its end.
            network: as it is then.

        Raises:
            OSError: there is no room for it, or no right to; a file of before is as it was.
        """
        if self.which == "final" and last is not None:
            self.state = _state(last, network)
        if self.state is None:
            return
        about = {"cell": cell.id, "content": cell.to_json(), "classes": classes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path, synced=True) as file:
            try:
                torch.save(about | {"which": self.which} | self.state, file)
            except RuntimeError as error:
                if isinstance(error.__context__, OSError):  # torch hides what the disk said
                    raise error.__context__ from None
                raise


def _state(epoch: Epoch, network: nn.Module) -> dict[str, Any]:
    """A copy on the CPU: training goes on in the tensors themselves."""
    return {
        "epoch": epoch.epoch,
        "validation_accuracy": epoch.validation_accuracy,
        "network": {
            name: value.detach().to("cpu", copy=True) if torch.is_tensor(value) else value
            for name, value in network.state_dict().items()
        },
    }
