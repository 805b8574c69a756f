"""The file's sections as pydantic models: which keys exist, their types and bounds.

Levels, predicates and claims are text or small mappings here; `runner.spec.reading.levels` and its
neighbours give them their meaning, because that takes the registry.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from runner.content.protocol import DataSpec, ModelSpec, Section, TrainSpec
from runner.content.seeds import Seeds
from runner.spec.adaptive import Adaptive


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


class OneAtATimeDesign(Section):
    """A baseline, and every combination that differs from it in one factor."""

    kind: Literal["one_at_a_time", "leave_one_out"]
    baseline: dict[str, Any] = Field(
        default_factory=dict,
        description="Factor to its level; a factor that is not named is at its first level. Of "
        "leave_one_out the full recipe.",
    )


class ScreenDesign(Section):
    """Which of many factors matter at all: each at two levels, in a few balanced combinations."""

    kind: Literal["screen"]
    runs: Literal[12, 16, 20, 24] = Field(
        24, description="Combinations to run (times replicates), of 8 to 15 factors."
    )


class CustomDesign(Section):
    """The combinations that a CSV file lists, a row each."""

    kind: Literal["custom"]
    file: str = Field(description="With a column a factor (relative to this file).")


class Growth(Section):
    """One step by which a fraction grew; the runs of before stay."""

    fold_over: str | None = Field(
        None,
        description="A factor of two levels, or 'all': every run again with its levels swapped.",
    )
    runs: int | None = Field(
        None, ge=3, le=1_000_000, description="Or: combinations in all, the further ones D-optimal."
    )
    order: Literal[1, 2, 3] = Field(
        2, description="Of 'runs': model to estimate: 1 main effects, 2 with pairs, 3 with triples."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Of 'runs': seed of the random starts.")
    starts: int = Field(20, ge=1, le=1000, description="Of 'runs': random starts.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.fold_over is None) == (self.runs is None):
            raise ValueError("give either 'fold_over' or 'runs'")
        return self

    @property
    def words(self) -> str:
        """How it grew."""
        if self.fold_over is None:
            return f"to {self.runs:,} combinations"
        return f"by a fold-over of {'all factors' if self.fold_over == 'all' else self.fold_over}"


class AugmentedDesign(Section):
    """A fraction that grew after it was run; `python -m runner augment` writes it."""

    kind: Literal["augmented"]
    of: Annotated[
        RegularDesign | DOptimalDesign | OrthogonalDesign | OneAtATimeDesign,
        Field(discriminator="kind"),
    ] = Field(description="The design of before.")
    by: list[Growth] = Field(min_length=1, description="How it grew, one step after the other.")


ListedDesign = OneAtATimeDesign | CustomDesign
DesignSpec = Annotated[
    FullDesign
    | RegularDesign
    | DOptimalDesign
    | OrthogonalDesign
    | OneAtATimeDesign
    | ScreenDesign
    | CustomDesign
    | AugmentedDesign,
    Field(discriminator="kind"),
]
DESIGNS: dict[str, type[Section]] = {
    "full": FullDesign,
    "regular": RegularDesign,
    "d_optimal": DOptimalDesign,
    "orthogonal": OrthogonalDesign,
    "one_at_a_time": OneAtATimeDesign,
    "leave_one_out": OneAtATimeDesign,
    "screen": ScreenDesign,
    "custom": CustomDesign,
    "augmented": AugmentedDesign,
}


class TrainerSpec(Section):
    """A function or command of one's own that is called for each cell."""

    function: str | None = Field(
        None, description="my_train.py:fit (relative to this file) or package.module:fit."
    )
    command: str | None = Field(
        None,
        description="A command with {args} (--lr 0.1), {overrides} (lr=0.1) or {lr}, and {seed}, "
        "{folder}, {device}; 'python' is the Python that runs the grid.",
    )
    metrics: str | dict[Literal["stdout"], str] | None = Field(
        None,
        description="Of a command: the file its numbers are read from, JSON lines or CSV, such as "
        "'{folder}/metrics.jsonl'; or {stdout: REGEX} with named groups.",
    )
    resume: str | None = Field(
        None,
        description="Of a command: appended once the file it names exists, such as "
        "'--resume {folder}/last.pt'.",
    )
    code: list[str] = Field(
        default_factory=list,
        description="Further files whose content is part of what a cell is ('src/**/*.py').",
    )
    unseeded: bool = Field(
        False, description="Replicates although nothing takes the seed: they differ by chance only."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.function is None) == (self.command is None):
            raise ValueError("give either 'function' or 'command'")
        if self.function is not None and (self.metrics is not None or self.resume is not None):
            raise ValueError("'metrics' and 'resume' are of a command: a function returns numbers")
        return self


class ResponseSpec(Section):
    """What a number is that a trainer of one's own ends with."""

    better: Literal["higher", "lower"] | None = Field(
        None, description="Which direction is an improvement; told by the name where it can be."
    )
    low: float | None = Field(None, description="No value, mean or interval lies below.")
    high: float | None = Field(None, description="No value, mean or interval lies above.")
    chance: float | None = Field(
        None, description="The value of guessing; a run that diverged gets it."
    )
    worst: float | None = Field(
        None, description="The value of a run that diverged, where it is not chance."
    )
    target: float | None = Field(
        None, description="Of the first response: the value that counts as reached."
    )
    unit: str | None = Field(
        None, max_length=20, description="'share' (shown in percent), 'seconds', or any text."
    )
    equivalent: float | None = Field(
        None, gt=0, description="Half width of the differences that would not matter."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("'low' must lie below 'high'")
        for name in ("chance", "worst", "target"):
            value = getattr(self, name)
            below = value is not None and self.low is not None and value < self.low
            above = value is not None and self.high is not None and value > self.high
            if below or above:
                raise ValueError(f"{name!r} must lie between 'low' and 'high'")
        return self


TAGS = ("(value)", "(mapping)")
"""In the places that pydantic names, of what may be written either way; no key is called so."""


def _tag(value: Any) -> str:
    return TAGS[isinstance(value, dict | BaseModel)]


class HalfWidth(Section):
    """How narrow every interval has to be."""

    half_width: float = Field(
        gt=0, description="Of the 95 % interval of every difference between levels."
    )


class ReplicatesSpec(Section):
    """Replicates in waves, until something is decided or none could be any more."""

    min: int = Field(2, ge=2, le=10_000, description="Runs of every combination, before any look.")
    max: int = Field(ge=3, le=10_000, description="Runs that a combination may have.")
    until: Annotated[
        Annotated[Literal["claims", "mains"], Tag(TAGS[0])] | Annotated[HalfWidth, Tag(TAGS[1])],
        Discriminator(_tag),
    ] = Field(
        description="'claims', 'mains' (all differences between levels), or {half_width: 0.02}."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min >= self.max:
            raise ValueError(f"'min' ({self.min}) must lie below 'max' ({self.max})")
        return self

    @property
    def rule(self) -> Adaptive:
        """As the rest of the program knows it."""
        if isinstance(self.until, HalfWidth):
            return Adaptive(self.min, self.max, half_width=self.until.half_width)
        return Adaptive(self.min, self.max, self.until)


class RangeSpec(Section):
    """Where the value of a nuisance parameter may lie."""

    low: float = Field(description="Lowest value that is tried.")
    high: float = Field(description="Highest value that is tried.")
    log: bool = Field(True, description="Draw evenly on a logarithmic scale.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError("'low' must lie below 'high'")
        if self.log and self.low <= 0:
            raise ValueError("a range on a logarithmic scale begins above 0; or write 'log: false'")
        return self


class TuneSpec(Section):
    """Nuisance parameters that are tuned before the grid, on validation data."""

    parameters: dict[str, RangeSpec] = Field(
        description="Parameter to its range: an argument of a trainer of one's own, or such as "
        "'optimizer.lr', 'train.label_smoothing'.",
    )
    per: list[str] = Field(
        description="Factor, or factors, each of whose levels (or combinations) gets values of "
        "its own.",
    )
    trials: int = Field(12, ge=2, le=10_000, description="Values tried for each of them.")
    runs: int = Field(
        1, ge=1, le=100, description="Trainings of each trial, with seeds of their own."
    )
    sampler: Literal["quasi_random", "tpe"] = Field(
        "quasi_random",
        description="Of Optuna: evenly over the ranges, or after half of the trials by "
        "tree-structured estimation.",
    )
    at: dict[str, Any] = Field(
        default_factory=dict,
        description="Levels of the other factors while tuning; those not named have their first.",
    )
    set: dict[str, Any] = Field(
        default_factory=dict,
        description="What a trial is given otherwise than a cell of the grid: 'epochs: 5', or "
        "'train.epochs: 5' of the image classifier.",
    )
    response: str | None = Field(
        None,
        description="Of a trainer of one's own: the response that is made best, measured on "
        "validation data; when absent, the first.",
    )
    compare: bool = Field(
        False,
        description="Run the grid with the values as given as well: effects stand side by side.",
    )

    @field_validator("per", mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.parameters:
            raise ValueError("'parameters' names none: such as {lr: {low: 1.0e-4, high: 1.0}}")
        if not self.per:
            raise ValueError("'per' names no factor whose levels get values of their own")
        return self


class RunSpec(Section):
    """Where cells train when the command line does not say; never part of what they are."""

    devices: str | None = Field(
        None, description="Devices as on the command line: 'cpu', 'cuda', 'cuda:0,2'."
    )
    slots_per_device: int | None = Field(
        None, ge=1, le=64, description="Cells that train on one device at a time."
    )
    keep_weights: Literal["none", "final", "best"] = Field(
        "none",
        description="Weights that each cell leaves in results/STUDY/weights/CELL.pt: of its last "
        "epoch, or of the best by validation. Changing it retrains nothing.",
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
    trainer: TrainerSpec | None = Field(
        None,
        description="A function ('my_train.py:fit') or a command of one's own instead of the "
        "image classifier; any name is then a factor and any value a level.",
    )
    responses: dict[str, ResponseSpec] = Field(
        default_factory=dict,
        description="The numbers that a trainer of one's own ends with, the primary one first.",
    )
    data: DataSpec = Field(default_factory=lambda: DataSpec(), description="Which images.")
    model: ModelSpec = Field(default_factory=lambda: ModelSpec(), description="Which network.")
    train: TrainSpec = Field(
        default_factory=lambda: TrainSpec(), description="How a cell is trained and measured."
    )
    factors: dict[str, list[Any]] = Field(description="What is varied: factor to its levels.")
    fixed: dict[str, Any] = Field(
        default_factory=dict, description="Factors held at one level each."
    )
    replicates: Annotated[
        Annotated[int, Field(ge=1, le=10_000), Tag(TAGS[0])]
        | Annotated[ReplicatesSpec, Tag(TAGS[1])],
        Discriminator(_tag),
    ] = Field(
        3,
        description="Times each combination is trained, each with its own seed; or {min, max, "
        "until}: as often as it takes, where the noise is.",
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
    tune: TuneSpec | None = Field(
        None,
        description="Nuisance parameters (learning rate, weight decay) that are tuned before the "
        "grid, per level or combination.",
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

    @property
    def adaptive(self) -> Adaptive | None:
        """The rule by which further runs are placed; None where all are planned at once."""
        return None if isinstance(self.replicates, int) else self.replicates.rule

    @property
    def least(self) -> int:
        """Runs of every combination, at least."""
        return self.replicates if isinstance(self.replicates, int) else self.replicates.min

    @field_validator("trainer", mode="before")
    @classmethod
    def _function_alone(cls, value: Any) -> Any:
        return {"function": value} if isinstance(value, str) else value

    @field_validator("responses", mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return {one: {} for one in value}
        if isinstance(value, dict):
            return {key: {} if one is None else one for key, one in value.items()}
        return value
