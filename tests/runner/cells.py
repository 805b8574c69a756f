"""Small cells for tests of the training: one call, whatever level or field a test is about."""

from __future__ import annotations

from typing import Any

from ablations import registry
from runner.content.cell import Cell, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.content.seeds import Seeds

LEVELS = {
    "augmentation": "none",
    "scheduler": "constant",
    "init": "he",
    "bn_placement": "before",
    "optimizer": "adam",
}


def make_cell(
    *,
    replicate: int = 0,
    data: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    train: dict[str, Any] | None = None,
    plugins: tuple[str, ...] = (),
    data_identity: str = "",
    seeds: Seeds = "own",
    **levels: str | tuple[str, dict[str, Any]],
) -> Cell:
    """A VGG-11 of width 1/16, two epochs on 100 digits; a level as name or (name, parameters).

    Besides the five factors those are levels of, that a file may leave out, are there if named.
    """
    chosen = []
    for factor, given in {**LEVELS, **levels}.items():
        name, parameters = (given, {}) if isinstance(given, str) else given
        resolved = registry.resolve(factor, name, parameters)
        chosen.append(Level(factor, name, name, resolved))
    return Cell(
        levels=tuple(chosen),
        held=(),
        replicate=replicate,
        data=DataSpec(**{"limit": 100, **(data or {})}),
        model=ModelSpec(**{"depth": 11, "width": 1 / 16, **(model or {})}),
        train=TrainSpec(**{"epochs": 2, "batch_size": 30, **(train or {})}),
        plugins=plugins,
        data_identity=data_identity,
        seeds=seeds,
    )
