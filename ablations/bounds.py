"""Bounds of a level's parameters, written as types: `rise: PositiveShare = 0.3`.

Any bounded type of pydantic or `Annotated[float, Gt(0), Le(1)]` of annotated_types does the same;
these are the ones the five factors share. A value outside is refused when the file is read, and
editors know the bounds from the JSON Schema. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt

MOST = 1e30
"""Float32 holds no more than 3.4e38. What is merely absurd is trained: diverging is a result."""

Share = Annotated[float, Ge(0), Le(1)]
PositiveShare = Annotated[float, Gt(0), Le(1)]
Decay = Annotated[float, Ge(0), Lt(1)]
"""The weight of the past in a running mean: at 1 nothing new would ever count."""
PositiveDecay = Annotated[float, Gt(0), Lt(1)]
Positive = Annotated[float, Gt(0), Le(MOST)]
NotNegative = Annotated[float, Ge(0), Le(MOST)]
Count = Annotated[int, Ge(1), Le(10_000)]
CountOrZero = Annotated[int, Ge(0), Le(10_000)]

_WORDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def in_words(metadata: Iterable[Any]) -> str:
    """The bounds among an annotation's metadata: "above 0 and at most 1"; empty without any."""
    bounds = {
        name: value
        for one in metadata
        for name in _WORDS
        if (value := getattr(one, name, None)) is not None
    }
    return " and ".join(
        f"{_WORDS[name]} {_spelt(bounds[name])}" for name in _WORDS if name in bounds
    )


def _spelt(number: Any) -> str:
    whole = float(number).is_integer() and abs(number) < 1e15
    return f"{int(number):,}" if whole else f"{number:g}"
