"""The file's sections as pydantic models: which keys exist, their types and bounds.

Levels, predicates and claims are text or small mappings here; `runner.spec.reading.levels` and its
neighbours give them their meaning, because that takes the registry.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from runner.content.protocol import DataSpec, ModelSpec, Section, TrainSpec
from runner.content.seeds import Seeds


class FullDesign(Section):
    """Every combination of levels."""

    kind: Literal["full"] = "full"


class RegularDesign(Section):
    """A regular fraction of two-level factors, by its resolution or by its generators."""

    kind: Literal["regular"]
    resolution: int | None = Field(
        None, ge=3, le=8, description="Smallest fraction of at least this resolution."
    )
    generators: list[str] = Field(
        default_factory=list,
        description="Words such as 'E=ABCD'; letters name the factors in the file's order.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.resolution is None) == (not self.generators):
            raise ValueError("give either 'resolution' or 'generators'")
        return self


class DOptimalDesign(Section):
    """The combinations that estimate a model best (D-criterion), found by exchange."""

    kind: Literal["d_optimal"]
    runs: int = Field(ge=2, le=1_000_000, description="Combinations to run (times replicates).")
    order: Literal[1, 2, 3] = Field(
        2, description="Model to estimate: 1 main effects, 2 with pairs, 3 with triples."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of the random starts.")
    starts: int = Field(20, ge=1, le=1000, description="Random starts; the best design wins.")


class OrthogonalDesign(Section):
    """An orthogonal array of strength two: main effects do not bias each other."""

    kind: Literal["orthogonal"]
    runs: int = Field(ge=4, le=1_000_000, description="Combinations to run (times replicates).")


DesignSpec = Annotated[
    FullDesign | RegularDesign | DOptimalDesign | OrthogonalDesign, Field(discriminator="kind")
]
DESIGNS: dict[str, type[Section]] = {
    "full": FullDesign,
    "regular": RegularDesign,
    "d_optimal": DOptimalDesign,
    "orthogonal": OrthogonalDesign,
}


class RunSpec(Section):
    """Where cells train when the command line does not say; never part of what they are."""

    devices: str | None = Field(
        None, description="Devices as on the command line: 'cpu', 'cuda', 'cuda:0,2'."
    )
    slots_per_device: int | None = Field(
        None, ge=1, le=64, description="Cells that train on one device at a time."
    )


class BackendSpec(Section):
    """What places the slots that cells train in, when the command line does not say."""

    kind: Literal["local", "dask"] = Field(
        "local", description="'dask' places slots on a Dask cluster through joblib."
    )
    scheduler: str | None = Field(
        None, description="Address of the Dask scheduler, e.g. 'tcp://host:8786'."
    )


class SpecFile(Section):
    """The whole file, after `extends`, the profile and the command line were applied."""

    name: str = Field(description="Name of the study; also its folder under results/.")
    data: DataSpec = Field(default_factory=lambda: DataSpec(), description="Which images.")
    model: ModelSpec = Field(default_factory=lambda: ModelSpec(), description="Which network.")
    train: TrainSpec = Field(
        default_factory=lambda: TrainSpec(), description="How a cell is trained and measured."
    )
    factors: dict[str, list[Any]] = Field(description="What is varied: factor to its levels.")
    fixed: dict[str, Any] = Field(
        default_factory=dict, description="Factors held at one level each."
    )
    replicates: int = Field(
        3, ge=1, le=10_000, description="Times each combination is trained, each with its own seed."
    )
    seeds: Seeds = Field(
        "own",
        description="'own': every cell draws its own random numbers, and intervals use all runs. "
        "'shared': cells of one replicate draw the same, as studies of before did; worth it to "
        "compare two arms pair by pair over many seeds.",
    )
    design: DesignSpec = Field(
        default_factory=FullDesign, description="Which combinations are run."
    )
    exclude: list[dict[str, Any]] = Field(
        default_factory=list, description="Combinations left out: {factor: level or [levels]}."
    )
    only: list[dict[str, Any]] = Field(
        default_factory=list, description="When given, only combinations matching one of these."
    )
    claims: list[str] = Field(
        default_factory=list,
        description="Planned comparisons, e.g. 'optimizer: adam > sgd', 'init: he > naive on "
        "convergence by 10'.",
    )
    plugins: list[str] = Field(
        default_factory=list,
        description="Python files (relative to this file) or modules that register levels.",
    )
    run: RunSpec = Field(default_factory=lambda: RunSpec(), description="Where cells train.")
    backend: BackendSpec = Field(
        default_factory=lambda: BackendSpec(), description="What places the slots."
    )
    extends: str | None = Field(
        None, description="Another file this one builds on (relative to this file)."
    )
    profiles: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Named overrides; 'auto' picks cuda or cpu by what the machine has.",
    )
