"""The doctor in a Hugging Face Trainer: `Trainer(..., callbacks=[DoctorCallback()])`."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from runner.doctor.callbacks.skin import Skin


class DoctorCallback(Skin, TrainerCallback):  # type: ignore[misc]  # of a library without types
    """Watches a model that is given `labels` and returns its loss; see `diagnosis()`."""

    def on_train_begin(
        self,
        args: Any,
        state: Any,
        control: Any,
        model: Any = None,
        optimizer: Any = None,
        **_: Any,
    ) -> None:
        """The optimizer is there."""
        self.begin_watching(model, [optimizer], state.max_steps or None)

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One of several batches of a step."""
        self._seen()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step was taken."""
        self._seen()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Said at the end."""
        self.end_watching()

    def _seen(self) -> None:
        outputs = self._forward.outputs
        loss = outputs.get("loss") if isinstance(outputs, dict) else getattr(outputs, "loss", None)
        given = {name: one for name, one in self._forward.given.items() if one is not None}
        self.passed(given, given.pop("labels", None), outputs, loss)
