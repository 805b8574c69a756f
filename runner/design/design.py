"""From a specification to its cells, in the order they are run.

All cells of replicate 0 come first, then all of replicate 1, and so on: at any time the finished
replicates are balanced. Within a replicate the order is shuffled by a hash of each cell's levels,
so that it depends neither on the order of the file nor on which other cells there are.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from runner.content.cell import Cell
from runner.content.code import Code, code_of
from runner.content.level import Level, apply_fields, with_parameters
from runner.content.own.trainer import with_arguments
from runner.content.protocol import DataSpec
from runner.data.identity import data_identity
from runner.data.images import DataError
from runner.design.acting import refuse_what_cannot_act
from runner.design.search.regular import Combination
from runner.spec.spec import Spec
from runner.spec.spec_file import FullDesign


@dataclass(frozen=True)
class Design:
    """Which combinations of levels are run, and the cells they make."""

    spec: Spec
    runs: tuple[Combination, ...]  # chosen combinations, in the order of the grid
    cells: tuple[Cell, ...]  # in run order: every run once a replicate
    excluded: int  # combinations that exclude or only took out of the grid

    @property
    def combinations(self) -> int:
        """Combinations that are run (each once a replicate)."""
        return len(self.runs)

    @property
    def replicates(self) -> int:
        """Times each combination is run."""
        return self.spec.replicates

    @property
    def is_fraction(self) -> bool:
        """Whether some combinations of the grid are not run, for whatever reason."""
        return len(self.runs) < self.spec.combinations

    @property
    def level_counts(self) -> dict[str, dict[str, int]]:
        """Cells per level of each factor, in declared order."""
        counts: dict[str, dict[str, int]] = {}
        for position, factor in enumerate(self.spec.factors):
            runs = Counter(run[position] for run in self.runs)
            counts[factor.name] = {
                level.label: runs[i] * self.replicates for i, level in enumerate(factor.levels)
            }
        return counts


def design_of(spec: Spec) -> Design:
    """The design of a specification.

    Raises:
        InputError: nothing is left after `exclude` and `only`, a level never occurs or cannot act,
            the fraction cannot be built, or the images of a folder are not there.
    """
    grid = tuple(_allowed(spec))
    excluded = spec.combinations - len(grid)
    if not grid:
        raise spec.refuse(_narrowed_by(spec), "'exclude' and 'only' leave no combination to run")
    runs = tuple(sorted(_choose(spec, grid)))
    _check_every_level_occurs(spec, runs)
    cells = tuple(_cells(spec, runs, [spec.replicates] * len(runs)))
    refuse_what_cannot_act(spec, cells[: len(runs)])
    return Design(spec, runs, cells, excluded)


def _allowed(spec: Spec) -> Iterator[Combination]:
    """The grid without what `exclude` takes out and `only` does not keep."""
    indices = product(*(range(len(factor.levels)) for factor in spec.factors))
    yield from (one for one in indices if allows(spec, one))


def allows(spec: Spec, one: Combination) -> bool:
    """Whether `exclude` and `only` leave a combination, run by a fraction or not."""
    if not spec.exclude and not spec.only:
        return True
    named = {factor.name: factor.labels[i] for factor, i in zip(spec.factors, one, strict=True)}
    if spec.only and not any(predicate.matches(named) for predicate in spec.only):
        return False
    return not any(predicate.matches(named) for predicate in spec.exclude)


def _choose(spec: Spec, grid: tuple[Combination, ...]) -> Iterable[Combination]:
    design = spec.design
    if isinstance(design, FullDesign):
        return grid
    from runner.design.search.fraction import choose  # numpy is needed for fractions alone

    return choose(spec, design, grid)


def _check_every_level_occurs(spec: Spec, runs: tuple[Combination, ...]) -> None:
    for position, factor in enumerate(spec.factors):
        missing = set(range(len(factor.levels))) - {run[position] for run in runs}
        if missing:
            label = factor.levels[min(missing)].label
            raise spec.refuse(
                ("factors", factor.name, min(missing)),
                f"no combination with {factor.name} = {label} is left; "
                f"take the level out of 'factors' or change 'exclude', 'only' or 'design'",
            )


def _narrowed_by(spec: Spec) -> tuple[str]:
    """The section that took combinations out of the grid."""
    return ("exclude",) if spec.exclude else ("only",)


def with_runs(design: Design, counts: Mapping[Combination, int]) -> Design:
    """The design with more runs of some combinations: its cells first, as they are.

    Args:
        design: what is run at least.
        counts: runs of a combination; those that are not named, or with fewer, keep theirs.
    """
    least = design.spec.replicates
    wanted = [max(counts.get(run, least), least) for run in design.runs]
    return replace(design, cells=tuple(_cells(design.spec, design.runs, wanted)))


def listed(spec: Spec, runs: Iterable[Combination]) -> Design:
    """The design of these combinations alone, whatever `spec.design` says."""
    chosen = tuple(sorted(runs))
    return Design(spec, chosen, tuple(_cells(spec, chosen, [spec.replicates] * len(chosen))), 0)


def _cells(spec: Spec, runs: tuple[Combination, ...], counts: Sequence[int]) -> Iterator[Cell]:
    """Every run as often as it counts, replicate by replicate."""
    levels = [tuple(f.levels[i] for f, i in zip(spec.factors, run, strict=True)) for run in runs]
    content = [_content(one) for one in levels]
    found = [spec.values_for({one.factor: one.label for one in own}) for own in levels]
    if spec.trainer is not None:
        settled = [
            with_arguments(own, spec.fixed, values)
            for own, values in zip(levels, found, strict=True)
        ]
        for replicate, number in _run_order(counts, content):
            varied, held = settled[number]
            yield Cell(
                levels=varied,
                held=held,
                replicate=replicate,
                data=spec.data,
                model=spec.model,
                train=spec.train,
                trainer=spec.trainer,
                seeds=spec.seeds,
            )
        return
    sections = {}
    code: list[Code] = [()] * len(runs)
    keys = []
    for number, (one, values) in enumerate(zip(levels, found, strict=True)):
        fields = tuple(level for level in (*one, *values) if level.is_field)
        keys.append(tuple((level.factor, level.label) for level in fields))
        if keys[-1] not in sections:
            applied = apply_fields((spec.data, spec.model, spec.train), fields)
            held = with_parameters(spec.fixed, fields)
            sections[keys[-1]] = (*applied, _identity(spec, applied[0]), held)
        levels[number] = with_parameters(one, fields)
    for replicate, number in _run_order(counts, content):
        data, model, train, identity, held = sections[keys[number]]
        if replicate == 0 and spec.plugins:
            code[number] = code_of((*levels[number], *spec.fixed), model.name)
        yield Cell(
            levels=levels[number],
            held=held,
            replicate=replicate,
            data=data,
            model=model,
            train=train,
            plugins=spec.plugins,
            data_identity=identity,
            code=code[number],
            seeds=spec.seeds,
        )


def _run_order(counts: Sequence[int], content: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Replicate and number of the run: replicate by replicate, shuffled within each."""
    for replicate in range(max(counts)):
        order = [
            (_shuffle_key(replicate, one), number)
            for number, one in enumerate(content)
            if replicate < counts[number]
        ]
        yield from ((replicate, number) for _, number in sorted(order))


def _identity(spec: Spec, data: DataSpec) -> str:
    """What the images are; what is wrong with their folder gets its place in the file."""
    try:
        return data_identity(data)
    except DataError as error:
        raise spec.refuse(("data", "root"), error.problem) from None


def _content(levels: Iterable[Level]) -> str:
    """What the levels are, whatever they are called and in whatever order they stand."""
    named = {level.factor: [level.name, dict(level.parameters)] for level in levels}
    return json.dumps(named, sort_keys=True)


def _shuffle_key(replicate: int, content: str) -> bytes:
    return hashlib.sha256(f"{replicate}\0{content}".encode()).digest()
