"""What a design leaves without an answer although it is asked for, or answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from runner.design.acting import advice
from runner.design.design import Design
from runner.program.wording import counted

MOST_RUNS = 50_000
"""Larger designs are not searched: planning must answer at once."""


def warnings(design: Design) -> tuple[str, ...]:
    """What may not be meant, and each claim that no run, or no pair of runs, will be there for."""
    spec = design.spec
    said = (*spec.left_out, *advice(spec, design.cells[: len(design.runs)]))
    if not design.is_fraction or len(design.runs) > MOST_RUNS:
        return said
    return (*said, *_claims(design))


def _claims(design: Design) -> Iterator[str]:
    spec = design.spec
    names = [factor.name for factor in spec.factors]
    runs = [
        {name: factor.labels[i] for name, factor, i in zip(names, spec.factors, run, strict=True)}
        for run in design.runs
    ]
    for claim in spec.claims:
        given = claim.given(spec.labels)
        counting = [
            run for run in runs if all(run[name] in labels for name, labels in given.items())
        ]
        lost = [
            label
            for label in (claim.left, claim.right)
            if all(run[claim.factor] != label for run in counting)
        ]
        where = " where its conditions hold" if claim.conditions else ""
        if lost:
            listed = " or ".join(f"{claim.factor} = {label}" for label in lost)
            yield f"claim {claim.text!r}: no cell with {listed} is run{where}: it gets no answer"
            continue
        left, right = (
            {
                tuple(run[name] for name in names if name != claim.factor)
                for run in counting
                if run[claim.factor] == label
            }
            for label in (claim.left, claim.right)
        )
        whole = spec.combinations == len(runs) + design.excluded  # no fraction was chosen
        if whole and (gone := len(left ^ right)):
            yield (
                f"claim {claim.text!r}: 'exclude' or 'only' leaves {counted(gone, 'combination')} "
                f"without the one to compare with{where}"
            )
