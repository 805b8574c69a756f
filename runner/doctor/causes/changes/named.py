"""A change by its name: what the doctor tries, a file can say and a cell of a grid can do again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ablations.errors import InputError, did_you_mean
from runner.doctor.causes.changes import of_data, of_learning, of_network
from runner.doctor.watching.made import Made

Function = Callable[..., AbstractContextManager[Made]]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing changed.

    Attributes:
        name: of a function of this room.
        settings: its arguments beside the training: plain values, as JSON holds them.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, made: Made) -> AbstractContextManager[Made]:
        """Put it in force; gives the training to run, and takes it back on leaving."""
        return _functions()[self.name](made, **self.settings)

    def plain(self) -> dict[str, Any]:
        """As a file says it: {name: settings}."""
        return {self.name: dict(self.settings)}

    @property
    def factor(self) -> str:
        """What of the training it changes, as a factor is called."""
        return WORDS[self.name][0]

    @property
    def level(self) -> str:
        """What it makes of that, as a level is called."""
        return WORDS[self.name][1].format(**self.settings)


WORDS = {
    "rate_times": ("learning_rate", "times {factor:.2g}"),
    "constant_rate": ("schedule", "constant"),
    "other_optimizer": ("optimizer", "{kind}"),
    "no_decay": ("weight_decay", "none"),
    "all_trained": ("optimizer_holds", "all weights"),
    "usual_step": ("step", "usual"),
    "cleared_gradients": ("gradients", "cleared"),
    "clipped": ("clipping", "norm {norm:g}"),
    "cross_entropy": ("loss", "cross-entropy"),
    "cross_entropy_of_shares": ("loss", "cross-entropy of shares"),
    "other_sign": ("loss", "other sign"),
    "longer": ("steps", "times {times:g}"),
    "standardised_inputs": ("inputs", "standardised"),
    "standardised_targets": ("targets", "standardised"),
    "held_out_as_training": ("validation_inputs", "as training"),
    "training_as_held_out": ("training_transform", "as validation"),
    "regrouped": ("batch_size", "{size}"),
    "rectified": ("activation", "ReLU"),
    "rectifier_added": ("activation", "ReLU added"),
    "left_out": ("last_activation", "left out"),
    "logarithm_taken": ("softmax", "undone"),
    "batch_normalised": ("normalisation", "batch norm"),
    "drawn_anew": ("init", "He"),
    "training_mode": ("mode", "training"),
    "norm_momentum": ("norm_momentum", "{momentum:g}"),
    "dropout": ("dropout", "{p:g}"),
}
"""Name of a change -> the factor that it is a level of, and the level."""


@cache
def _functions() -> dict[str, Function]:
    return {
        name: next(vars(room)[name] for room in (of_data, of_learning, of_network)
                   if name in vars(room))
        for name in WORDS
    }  # fmt: skip


def read_change(written: Mapping[str, Any] | None) -> Change | None:
    """The inverse of `Change.plain`; None of nothing.

    Raises:
        InputError: it is no change, or an unknown one.
    """
    if written is None:
        return None
    if not isinstance(written, Mapping) or len(written) != 1:
        raise InputError(f"repair: expected one {{NAME: SETTINGS}}, got {written!r}")
    ((name, settings),) = written.items()
    if name not in WORDS:
        raise InputError(f"repair: unknown {name!r}; {did_you_mean(str(name), WORDS)}")
    return Change(name, dict(settings or {}))
