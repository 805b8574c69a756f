"""What a plugin brings, tried on one batch before any cell is claimed.

A network or a data set that no cell could train with, and a factor that cannot act on it, are
refused here with the line of the file; what is allowed and hardly meant is a note. The trial runs
in a process of its own: this one imports no torch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ablations.errors import TRAIN
from runner.content.cell import Cell
from runner.content.level import Factor, apply_fields
from runner.program.needs import missing
from runner.program.wording import listed
from runner.spec.catalog import DATASETS

if TYPE_CHECKING:
    from runner.design import Design
    from runner.network.found import Found
    from runner.spec import Spec


@dataclass(frozen=True)
class Tried:
    """What the trial said.

    Attributes:
        notes: sentences for whoever asked.
        networks: of each plugin's model what it is made of, as the study keeps it for its report:
            kinds of layers with their numbers, weights from and to, whether it calls `block`.
    """

    notes: tuple[str, ...] = ()
    networks: dict[str, dict[str, Any]] | None = None


def try_plugins(spec: Spec, design: Design) -> Tried:
    """Take every network of a plugin, and every network on a plugin's images, through one batch.

    Raises:
        InputError: one of them cannot be trained, or a factor changes none of them.
    """
    cells = to_try(design)
    if not cells:
        return Tried()
    absent = missing()
    if sys.platform == "win32" or absent:
        why = f"that needs {listed(absent)}: {TRAIN}" if absent else "no cell can be trained here"
        return Tried((f"what the plugins bring was not tried on a batch: {why}",))
    from runner.pool.process.launch import start_fork_server, try_networks

    start_fork_server()
    alone = _parameters_alone(spec, cells)
    answers = try_networks([*cells, *(cell for _, of in alone for cell in of)])
    others = iter(answers[len(cells) :])
    answers = answers[: len(cells)]
    found = [(cell, one) for cell, one in zip(cells, answers, strict=True) if one is not None]
    for cell, one in found:
        if one.problem:
            section = "data" if one.about == "data" else "model"
            raise spec.refuse(_named(spec, section, cell), one.problem)
    own = [(cell, one) for cell, one in found if not cell.is_of_built_in_network]
    _refuse_what_cannot_act(spec, design, own)
    notes = [note for _, one in found for note in one.advice]
    if len(found) < len(cells):
        name = cells[len(found)].model.name
        notes.append(f"model {name!r} was not tried on a batch: the process that did was ended")
    for factor, of in alone:
        notes += _nothing_seen(factor, [next(others) for _ in of])
    notes += _redrawn(spec, own)
    notes += _without_block(spec, own)
    return Tried(tuple(dict.fromkeys(notes)), _networks(own) or None)


def to_try(design: Design) -> list[Cell]:
    """Cells that between them have every network, data section and norm placement of plugins."""
    seen: set[str] = set()
    chosen = []
    for cell in design.cells:
        if cell.is_of_built_in_network and cell.data.name in DATASETS:
            continue
        placed = cell.level("bn_placement")
        of_model = f"{cell.model.name} {placed.name} {dict(placed.parameters)}"
        traits = {cell.model.model_dump_json(), cell.data.model_dump_json(), of_model}
        if not traits <= seen:
            seen |= traits
            chosen.append(cell)
    return chosen


def _parameters_alone(spec: Spec, cells: Sequence[Cell]) -> list[tuple[Factor, list[Cell]]]:
    """For each varied parameter of a plugin's model, cells that differ in nothing else.

    They draw the same numbers, so that what a batch shows of them is the parameter's doing.
    """
    alone = []
    of_model = [cell for cell in cells if not cell.is_of_built_in_network]
    for factor in spec.factors:
        if not factor.name.startswith("model.parameters.") or not of_model:
            continue
        first = replace(of_model[0], seeds="shared")
        models = (
            apply_fields((first.data, first.model, first.train), (level,))[1]
            for level in factor.levels
        )
        alone.append((factor, [replace(first, model=model) for model in models]))
    return alone


def _nothing_seen(factor: Factor, found: Sequence[Found | None]) -> Iterator[str]:
    """A parameter whose levels make networks that a batch does not tell apart."""
    digests = {"" if one is None or one.problem else one.digest for one in found}
    if len(digests) == 1 and digests != {""}:
        yield (
            f"{factor.name} seems to change nothing: {listed(factor.labels)} make networks with "
            "the same weights, and the same outputs and gradients on a batch"
        )


def _named(spec: Spec, section: str, cell: Cell) -> tuple[str | int, ...]:
    """Where in the file the cell's model or data set is named."""
    field = f"{section}.name"
    name = cell.model.name if section == "model" else cell.data.name
    for factor in spec.factors:
        if factor.name == field:
            return "factors", field, [one.parameters["value"] for one in factor.levels].index(name)
    return section, "name"


def _refuse_what_cannot_act(spec: Spec, design: Design, own: Sequence[tuple[Cell, Found]]) -> None:
    """Refuse a factor that changes the network of no cell."""
    if not own or any(cell.is_of_built_in_network for cell in design.cells):
        return
    models = listed([repr(one) for one in dict.fromkeys(cell.model.name for cell, _ in own)])
    varied = spec.labels
    if "bn_placement" in varied and not any(one.calls_block for _, one in own):
        raise spec.refuse(
            ("factors", "bn_placement"),
            f"changes nothing: model {models} makes its layers without `block`, the second thing "
            "it is given; take the factor out and write 'bn_placement: none' under 'fixed', or "
            "make the convolutions with block(inputs, outputs)",
        )
    if "init" in varied and not any(one.filled for _, one in own):
        raise spec.refuse(
            ("factors", "init"),
            f"changes nothing: model {models} has no convolution or linear layer that a level "
            "fills; take the factor out and write 'init: keep' under 'fixed'",
        )


def _redrawn(spec: Spec, own: Sequence[tuple[Cell, Found]]) -> Iterator[str]:
    """Networks that bring weights which the study's `init` draws anew, or that it leaves alone."""
    levels = [one for factor in spec.factors if factor.name == "init" for one in factor.levels]
    levels = levels or [one for one in spec.fixed if one.factor == "init"]
    drawing = [one.label for one in levels if one.name != "keep"]
    if not drawing:
        return
    for name in dict.fromkeys(cell.model.name for cell, one in own if one.brings_weights):
        yield (
            f"model {name!r} brings weights of its own, and init {listed(drawing)} draws them "
            "anew; 'init: keep' keeps them"
        )
    for name, left in dict.fromkeys((cell.model.name, one.left) for cell, one in own):
        if left:
            yield (
                f"init {listed(drawing)} leaves {listed(left)} of model {name!r} with the weights "
                "that the model made"
            )


def _without_block(spec: Spec, own: Sequence[tuple[Cell, Found]]) -> Iterator[str]:
    """Networks that a placement other than none does not reach."""
    placed = [one.label for one in spec.fixed if one.factor == "bn_placement"]
    levels = spec.labels.get("bn_placement", tuple(placed))
    if levels == ("none",):
        return
    calling = {cell.model.name for cell, one in own if one.calls_block}
    for name in dict.fromkeys(cell.model.name for cell, _ in own):
        if name not in calling:
            yield (
                f"bn_placement {listed(levels)} changes nothing of model {name!r}, which makes "
                "its layers without `block`"
            )


def _networks(own: Sequence[tuple[Cell, Found]]) -> dict[str, dict[str, Any]]:
    networks: dict[str, dict[str, Any]] = {}
    for cell, one in own:
        known = networks.setdefault(
            cell.model.name,
            {"layers": dict(one.layers), "weights": [one.weights] * 2, "calls_block": False},
        )
        low, high = known["weights"]
        known["weights"] = [min(low, one.weights), max(high, one.weights)]
        known["calls_block"] = known["calls_block"] or one.calls_block
        if known["layers"] != dict(one.layers):
            known["layers"] = {}  # of several shapes: no one list is true
    return networks
