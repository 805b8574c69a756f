"""The doctor in a Lightning Trainer: `Trainer(callbacks=[DoctorCallback()])`."""

from __future__ import annotations

from lightning.pytorch import Callback

from runner.doctor.callbacks.skin import LightningSkin


class DoctorCallback(LightningSkin, Callback):  # type: ignore[misc]  # of a library without types
    """Watches a LightningModule; `diagnosis()` says what was seen so far."""
