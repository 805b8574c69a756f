"""A trainer of one's own, looked at before anything runs: what `trial` is for plugins.

The function is imported, and the command asked for its `--help`, in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.content.cell import Cell
from runner.content.own.trainer import given_by

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec


@dataclass(frozen=True)
class LookedAt:
    """What was found.

    Attributes:
        spec, design: with what the command's `--help` says of how it takes options.
        notes: sentences for whoever asked.
        libraries: that the fork server may import for all cells.
    """

    spec: Spec
    design: Design
    notes: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


def look_at_trainer(spec: Spec, design: Design) -> LookedAt:
    """Hold the trainer's arguments against the factors.

    Raises:
        InputError: it does not take what they give; the sentence names file, line and nearest name.
    """
    if spec.trainer is None:
        return LookedAt(spec, design)
    looked = _look(_with_tuned(spec), design)
    trainer = looked.spec.trainer
    if trainer == spec.trainer:
        return replace(looked, spec=spec, design=design)
    found = replace(spec, trainer=trainer)
    cells = tuple(replace(cell, trainer=trainer) for cell in design.cells)
    return replace(looked, spec=found, design=replace(design, spec=found, cells=cells))


def _with_tuned(spec: Spec) -> Spec:
    """The specification in which what tuning alone gives is given as well."""
    if spec.tune is None:
        return spec
    levels = (*spec.fixed, *(level for factor in spec.factors for level in factor.levels))
    given = {name for level in levels for name in given_by(level)}
    further = (one for one in (*spec.tune.starts, *spec.tune.trial) if one.factor not in given)
    return replace(spec, fixed=(*spec.fixed, *further))


def _look(spec: Spec, design: Design) -> LookedAt:
    assert spec.trainer is not None  # noqa: S101 - whoever calls has seen it
    if spec.trainer.kind == "function":
        from runner.trainers.look.signature import check_signature, look, values_of

        found = look(spec.trainer, values_of(spec))
        check_signature(spec, found)
        return LookedAt(spec, design, libraries=found.libraries)
    return _look_at_command(spec, design, design.cells[0])


def _look_at_command(spec: Spec, design: Design, cell: Cell) -> LookedAt:
    from runner.trainers.look.options import ask, check_options

    assert spec.trainer is not None  # noqa: S101 - whoever calls has seen it
    text, why = ask(spec.trainer, cell)
    if why:
        if why.startswith("Hydra refuses"):
            raise spec.refuse(("trainer", "command"), why)
        return LookedAt(spec, design, (f"the command's arguments were not checked: {why}",))
    if "{args}" not in spec.trainer.call or not text:
        return LookedAt(spec, design)
    trainer = replace(spec.trainer, styles=check_options(spec, text))
    return LookedAt(replace(spec, trainer=trainer), design)
