"""What is kept of a cell's looks: plain numbers, three digits, read and written without torch.

One small JSON object a cell. A number that is not finite is null; `broke` says where the first was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import floor, isfinite, log10, nan, sqrt
from typing import Any, Literal

DIGITS = 3
"""Significant digits that are kept: no threshold is read more closely."""

Kind = Literal["weighted", "rectifier", "norm", "norm_rectifier", "saturating", "other"]
COLUMNS = (
    *("mean", "deviation", "varied", "silent", "saturated"),
    *("weight", "gradient", "update", "shift", "spread"),
)
"""Numbers of a layer, each a column over the layers."""


@dataclass(frozen=True, slots=True)
class LayerName:
    """A layer that is looked at.

    Attributes:
        name: as `named_modules` gives it.
        kind: what it does.
        outputs: units or channels of its weight; 0 without one.
    """

    name: str
    kind: Kind
    outputs: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A cell after so many steps, seen through the same few training images.

    Attributes:
        step: steps taken.
        epoch: epochs ended.
        loss: as the cell minimises it, in training mode.
        entropy: cross-entropy in nats, in training mode (batch norm by the batch).
        accuracy: share of right answers, in training mode.
        entropy_used: cross-entropy as the network is used (batch norm by running statistics).
        accuracy_used: share of right answers as it is used.
        top: share of the most frequent answer, as it is used; 1: one answer for all.
        answered: classes answered at all, as it is used.
        scale: standard deviation of the outputs, in training mode.
        columns: by name of `COLUMNS`, a number a layer: mean and deviation of what it returns;
            varied, its deviation between images alone (weighted layers); silent share of units
            (rectifiers); saturated share; length of its weight, of its gradient, of the step just
            taken (before the first: of the first) by the weight's own; of a batch norm, the mean
            distance of batch and running mean in deviations of the batch, and the median of running
            by batch deviation.
    """

    step: int
    epoch: int
    loss: float
    entropy: float
    accuracy: float
    entropy_used: float
    accuracy_used: float
    top: float
    answered: int
    scale: float
    columns: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broke:
    """The first number that was not finite.

    Attributes:
        step: the step in which it was seen, from 1; 0: not told.
        what: "loss", "gradient", "weight" or "running statistics".
        where: the first layer or weight that is not finite at the end of that epoch; "" unknown.
    """

    step: int
    what: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was looked at in one cell.

    Attributes:
        images: training images that each look sees.
        batch: images of a training step.
        classes: there are.
        layers: that are looked at, in the order of the forward pass.
        looks: in order.
        losses: of the first steps, each before it, on its own batch.
        gradient_norms: the same, of the whole gradient.
        unreached: weights that no gradient reaches.
        frozen: weights that ask for none.
        broke: the first number that was not finite.
        note: what could not be looked at, and why.
        dropout: largest share that a dropout layer takes; None: not told.
    """

    images: int
    batch: int
    classes: int
    layers: tuple[LayerName, ...] = ()
    looks: tuple[Look, ...] = ()
    losses: tuple[float, ...] = ()
    gradient_norms: tuple[float, ...] = ()
    unreached: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    broke: Broke | None = None
    note: str = ""
    dropout: float | None = None

    @property
    def first(self) -> Look | None:
        """Before the first step."""
        return self.looks[0] if self.looks and self.looks[0].step == 0 else None

    @property
    def last(self) -> Look | None:
        """The latest look after a step."""
        return self.looks[-1] if self.looks and self.looks[-1].step else None

    @property
    def normalised(self) -> bool:
        """Whether any layer normalises."""
        return any(one.kind in ("norm", "norm_rectifier") for one in self.layers)

    def of(self, look: Look, column: str, *kinds: Kind) -> list[tuple[LayerName, float]]:
        """Layers of these kinds with their finite numbers of a column."""
        values = look.columns.get(column, ())
        return [
            (layer, value)
            for layer, value in zip(self.layers, values, strict=False)
            if layer.kind in kinds and isfinite(value)
        ]

    def gains(self, look: Look) -> list[tuple[LayerName, float]]:
        """By how much each weighted layer stretches an input of independent numbers.

        sqrt(fan_in) times the deviation of its weights: the square root of fan_in times their
        variance, which He et al. (2015, eq. 10) set to sqrt(2) before a ReLU. Of a weight of mean
        zero it is its length by the square root of its outputs.
        """
        return [
            (layer, value / sqrt(layer.outputs))
            for layer, value in self.of(look, "weight", "weighted")
            if layer.outputs
        ]

    # --- as plain values ----------------------------------------------------------------------

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it; what is empty is left out."""
        plain = {
            "images": self.images, "batch": self.batch, "classes": self.classes,
            "layers": [[one.name, one.kind, one.outputs] for one in self.layers],
            "looks": [_look_to_plain(one) for one in self.looks],
            "losses": kept(self.losses), "gradient_norms": kept(self.gradient_norms),
            "unreached": list(self.unreached), "frozen": list(self.frozen),
            "broke": self.broke and [self.broke.step, self.broke.what, self.broke.where],
            "note": self.note, "dropout": self.dropout,
        }  # fmt: skip
        return {key: value for key, value in plain.items() if value not in (None, [], "")}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Evidence:
        """The inverse of `to_plain`. Raises ValueError, TypeError or KeyError on anything else."""
        broke = plain.get("broke")
        return Evidence(
            int(plain["images"]), int(plain["batch"]), int(plain["classes"]),
            tuple(LayerName(str(name), kind, int(out)) for name, kind, out in
                  plain.get("layers", ())),
            tuple(_look_from_plain(one) for one in plain.get("looks", ())),
            _numbers(plain.get("losses", ())), _numbers(plain.get("gradient_norms", ())),
            tuple(map(str, plain.get("unreached", ()))), tuple(map(str, plain.get("frozen", ()))),
            Broke(int(broke[0]), str(broke[1]), str(broke[2])) if broke else None,
            str(plain.get("note", "")),
            None if plain.get("dropout") is None else _number(plain["dropout"]),
        )  # fmt: skip


_SINGLE = tuple(one.name for one in fields(Look) if one.name != "columns")


def _look_to_plain(look: Look) -> dict[str, Any]:
    single: dict[str, Any] = {name: _kept(getattr(look, name)) for name in _SINGLE}
    for name, values in look.columns.items():
        if any(isfinite(one) for one in values):
            single[name] = kept(values)
    return single


def _look_from_plain(plain: Mapping[str, Any]) -> Look:
    single = {name: _number(plain[name]) for name in _SINGLE}
    whole = {name: int(single[name]) for name in ("step", "epoch", "answered")}
    columns = {name: _numbers(plain[name]) for name in COLUMNS if name in plain}
    return Look(**{**single, **whole}, columns=columns)  # type: ignore[arg-type]  # by name


def kept(values: Sequence[float]) -> list[float | int | None]:
    """Numbers to `DIGITS` significant digits; null for what is not finite."""
    return [_kept(one) for one in values]


def _kept(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    if not isfinite(value):
        return None
    if value == 0:
        return 0
    rounded = round(value, DIGITS - 1 - floor(log10(abs(value))))
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded


def _number(value: Any) -> float:
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(_number(one) for one in values)


def is_evidence(value: Any) -> bool:
    """Whether plain values are evidence: the store asks before it hands them out."""
    try:
        Evidence.from_plain(value)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
    return True
