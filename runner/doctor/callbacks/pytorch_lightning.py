"""The doctor in a Trainer of `pytorch_lightning`, as `lightning` has it in the other spelling."""

from __future__ import annotations

from pytorch_lightning import Callback

from runner.doctor.callbacks.skin import LightningSkin


class DoctorCallback(LightningSkin, Callback):  # type: ignore[misc]  # of a library without types
    """Watches a LightningModule; `diagnosis()` says what was seen so far."""
