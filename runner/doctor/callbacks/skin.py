"""What the callbacks share: a `Watch`, the newest forward pass, what is said when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from runner.doctor.causes.finding import CERTAIN
from runner.doctor.watch import Seen, Watch
from runner.doctor.watching.made import Loss


class LastForward:
    """The newest forward pass that was trained on: what went in and what came out.

    Attributes:
        given: keyword arguments of the model itself.
        inputs: its first argument; None where it is not called.
        outputs: of the model, or where it is not called of the part of it that was called last.
    """

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.inputs: Any = None
        self.outputs: Any = None
        self._handles: list[Any] = []

    def follow(self, model: nn.Module) -> None:
        """Hooks on the model and its parts."""
        whole = model.register_forward_hook(_Hook(self._whole), with_kwargs=True)
        parts = [
            one.register_forward_hook(_Hook(self._part), with_kwargs=True)
            for one in model.children()
        ]
        self._handles = [whole, *parts]

    def _whole(self, args: tuple[Any, ...], given: dict[str, Any], outputs: Any) -> None:
        self.given, self.inputs = given, args[0] if args else None
        self.outputs = outputs

    def _part(self, _args: tuple[Any, ...], _given: dict[str, Any], outputs: Any) -> None:
        if isinstance(outputs, Tensor) and outputs.ndim > 1:
            self.outputs = outputs

    def forget(self) -> None:
        """Let the tensors go."""
        self.given, self.inputs, self.outputs = {}, None, None

    def close(self) -> None:
        """Take the hooks away."""
        for one in self._handles:
            one.remove()
        self._handles = []


class _Hook:
    """A hook that a copy or a pickle of the model does not take along."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, _module: nn.Module, args: Any, given: Any, outputs: Any) -> None:
        if torch.is_grad_enabled():
            self._call(args, given, outputs)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return _no_hook, ()


def _no_hook() -> Callable[..., None]:
    return _nothing


def _nothing(*_: object) -> None:
    """The hook of a copy."""


class Skin:
    """A `Watch` that a library's events drive.

    What is wrong by definition, and a loss that is not finite, is said as soon as it is seen; what
    is only likely, or that all is well, when the training ends.
    """

    def __init__(
        self,
        loss: Loss | None = None,
        *,
        classes: int | None = None,
        say: Callable[[str], object] = print,
    ) -> None:
        """What `Watch` is given, and who hears of it.

        Args:
            loss: (outputs, targets) -> scalar; None: told by its values.
            classes: how many; None: as many as labels are seen.
            say: gets each diagnosis as text.
        """
        super().__init__()
        self._loss, self._classes, self._say = loss, classes, say
        self._forward = LastForward()
        self._said: tuple[str, ...] = ()
        self.watch: Watch | None = None

    def begin_watching(
        self, model: nn.Module, optimizers: Iterable[Any], planned: int | None
    ) -> None:
        """The training starts."""
        optimizer = next(iter(optimizers), None)
        while optimizer is not None and isinstance(
            getattr(optimizer, "optimizer", None), Optimizer
        ):
            optimizer = optimizer.optimizer  # one that a library has wrapped
        if not isinstance(optimizer, Optimizer):
            self._say("The doctor sees nothing: this training has no torch.optim.Optimizer.")
            return
        self._forward.follow(model)
        self.watch = Watch(model, optimizer, self._loss, classes=self._classes, planned=planned)

    def passed(self, x: Any, y: Any, outputs: Any, loss: Any) -> None:
        """One batch has passed."""
        if self.watch is None or loss is None:
            return
        looked_at = self.watch.step(x, y, outputs, loss)
        self._forward.forget()
        if not looked_at:
            return
        seen = self.watch.diagnosis()
        sure = tuple(one.kind for one in seen.causes if one.confidence >= CERTAIN)
        if (sure or self.watch.broke) and sure != self._said:
            self._said = sure
            self._say(f"Step {self.watch.steps}. {seen}")

    def end_watching(self) -> None:
        """The training is over: say what was seen, and take the hooks away."""
        if self.watch is None:
            return
        self._say(str(self.watch.diagnosis()))
        self.watch.close()
        self._forward.close()

    def diagnosis(self) -> Seen:
        """What was seen so far."""
        return Seen((), False, 0) if self.watch is None else self.watch.diagnosis()


class LightningSkin(Skin):
    """The events of a Lightning Trainer, under either of its names."""

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """The optimizers are there."""
        planned = trainer.estimated_stepping_batches
        steps = int(planned) if 0 < planned < float("inf") else None
        self.begin_watching(pl_module, trainer.optimizers, steps)

    def on_train_batch_start(self, *_: object, **__: object) -> None:
        """The forward pass happens within the optimizer's step."""
        if self.watch is not None:
            self.watch.begin()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """What `training_step` returned, and its batch."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        pair = isinstance(batch, tuple | list) and len(batch) == 2
        x, y = batch if pair else (batch, None)
        self.passed(x, y, self._forward.outputs, loss)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Said at the end."""
        self.end_watching()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Said at an end that nobody wanted, too."""
        self.end_watching()
