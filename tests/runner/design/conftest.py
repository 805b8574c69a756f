"""Specifications made in code: grids of any shape without a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.spec import Factor, Level, Predicate, Spec

MakeSpec = Callable[..., Spec]

HELD = (
    Level("augmentation", "none", "none", {}),
    Level("scheduler", "constant", "constant", {}),
    Level("init", "he", "he", {}),
    Level("bn_placement", "before", "before", {}),
    Level("optimizer", "adam", "adam", {"lr": 0.001}),
)


@pytest.fixture(scope="session")
def make_spec() -> MakeSpec:
    """A spec with factors A, B, C, ... of so many levels each."""

    def make(
        levels: Sequence[int], exclude: Sequence[dict[str, list[str]]] = (), **more: object
    ) -> Spec:
        factors = tuple(
            Factor(
                "ABCDEFGHJK"[f],
                tuple(
                    Level("ABCDEFGHJK"[f], f"{'ABCDEFGHJK'[f].lower()}{i}", f"level{i}", {})
                    for i in range(count)
                ),
            )
            for f, count in enumerate(levels)
        )
        return Spec(
            name="made",
            profile="default",
            data=DataSpec(),
            model=ModelSpec(),
            train=TrainSpec(),
            factors=factors,
            fixed=HELD,
            exclude=tuple(Predicate.from_dict(one) for one in exclude),
            source="made.yaml",
            **{"replicates": 1, **more},  # type: ignore[arg-type]
        )

    return make
