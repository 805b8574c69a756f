"""A specification once everything in it was checked and looked up: a frozen value.

It holds what a study is (`study` names it) and goes to JSON and back, so that another machine can
work on the study without the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from pydantic import TypeAdapter

from ablations import registry
from ablations.errors import InputError
from runner.content.code import Code
from runner.content.level import Factor, Level
from runner.content.own.response import declared
from runner.content.own.trainer import Trainer
from runner.content.protocol import DataSpec, ModelSpec, Section, TrainSpec, identity
from runner.content.response import Response
from runner.content.seeds import Seeds
from runner.spec.adaptive import Adaptive
from runner.spec.claims import Claim, claim_reader
from runner.spec.node import Node, path_text
from runner.spec.predicates import Predicate
from runner.spec.spec_file import BackendSpec, DesignSpec, FullDesign, RunSpec
from runner.spec.tune import Found, Tune, found_from_dict, found_to_dict

_design: TypeAdapter[DesignSpec] = TypeAdapter(DesignSpec)


@dataclass(frozen=True)
class Spec:
    """What the user asked, resolved: every level with all parameters, one profile applied."""

    name: str
    profile: str
    data: DataSpec
    model: ModelSpec
    train: TrainSpec
    factors: tuple[Factor, ...]
    fixed: tuple[Level, ...] = ()
    replicates: int = 3  # of every combination; at least, where they are adaptive
    adaptive: Adaptive | None = None
    seeds: Seeds = "own"
    design: DesignSpec = field(default_factory=FullDesign)
    exclude: tuple[Predicate, ...] = ()
    only: tuple[Predicate, ...] = ()
    claims: tuple[Claim, ...] = ()
    tune: Tune | None = None  # what is tuned before the grid
    found: tuple[Found, ...] = ()  # what tuning found: cells run with it
    called: str = ""  # the study's name, where it is one of another study's
    left_out: tuple[str, ...] = field(default=(), compare=False)  # claims of the file, why
    plugins: tuple[str, ...] = ()  # absolute paths or module names
    run: RunSpec = field(default_factory=RunSpec)
    backend: BackendSpec = field(default_factory=BackendSpec)
    code: Code = ()  # of the plugins: what they define and the digests of its files
    files: Code = ()  # the plugins and the digests of their own files
    trainer: Trainer | None = None  # a function or command of one's own
    responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # that it ends with
    source: str = ""  # absolute path of the file
    root: Node | None = field(default=None, compare=False, repr=False)  # what it was read from

    def refuse(self, path: Sequence[str | int], problem: str) -> InputError:
        """An error that names the file, the line and the key at `path`, as far as they are known.

        A specification that came from a store knows its file only.
        """
        if self.root is not None:
            return self.root.refuse(path, problem)
        return InputError(f"{self.source}: {path_text(path)}: {problem}")

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Every varied factor with the labels of its levels, in the file's order."""
        return {factor.name: factor.labels for factor in self.factors}

    def values(self, field: str) -> list[Any]:
        """Every value of a protocol field: its levels where it is a factor, else the one it has.

        Args:
            field: Such as "train.precision".
        """
        for factor in self.factors:
            if factor.name == field:
                return [level.parameters["value"] for level in factor.levels]
        section, _, name = field.partition(".")
        return [getattr(getattr(self, section), name)]

    def values_for(self, labels: Mapping[str, str]) -> tuple[Level, ...]:
        """What tuning found for a cell with these labels, as levels that give it."""
        return tuple(level for one in self.found if one.is_of(labels) for level in one.levels)

    @property
    def records(self) -> dict[str, Response]:
        """The records of the responses of a trainer of one's own, the primary one first."""
        return {name: declared(name, about) for name, about in self.responses.items()}

    @property
    def combinations(self) -> int:
        """Combinations of levels in the full grid, before any are left out."""
        return prod(len(factor.levels) for factor in self.factors)

    @property
    def study(self) -> str:
        """Name of the study: `NAME-PROFILE-HASH`, the hash covering the protocol.

        The protocol is what all cells share: data, model and train without the fields that are
        factors or that do not change what a cell learns, the levels held fixed, and whether seeds
        are shared. Levels of factors, replicates, order, exclusions and claims may change within a
        study.
        """
        return self.called or f"{self.name}-{self.profile}-{self.protocol_hash}"

    @property
    def protocol_hash(self) -> str:
        """Six hexadecimal digits of the SHA-256 of the protocol."""
        if self.trainer is not None:
            fixed = {level.factor: dict(level.parameters) for level in self.fixed}
            return _six_digits(
                {
                    "trainer": self.trainer.identity,
                    "fixed": fixed,
                    "seed": self.train.seed,
                    "seeds": self.seeds,
                }
            )
        varied = {factor.name for factor in self.factors}
        protocol: dict[str, Any] = {
            "fixed": {
                level.factor: [level.name, dict(level.parameters)]
                for level in self.fixed
                if not level.is_as_left_out
            }
        }
        if added := sorted(varied & set(registry.OPTIONAL)):  # a study without them is another
            protocol["varied"] = added
        sections: dict[str, Section] = {"data": self.data, "model": self.model, "train": self.train}
        for name, section in sections.items():
            dump = {
                key: value
                for key, value in identity(name, section).items()
                if f"{name}.{key}" not in varied
            }
            if "parameters" in dump:
                dump["parameters"] = {
                    key: value
                    for key, value in dump["parameters"].items()
                    if f"{name}.parameters.{key}" not in varied
                }
            protocol[name] = dump
        if self.seeds == "own":  # absent where shared: studies of before keep their name
            protocol["seeds"] = self.seeds
        return _six_digits(protocol)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them; `from_dict` reads them back."""
        return {
            "name": self.name,
            "profile": self.profile,
            "study": self.study,
            "data": self.data.model_dump(mode="json"),
            "model": self.model.model_dump(mode="json"),
            "train": self.train.model_dump(mode="json"),
            "factors": {
                factor.name: [level.to_dict() for level in factor.levels] for factor in self.factors
            },
            "fixed": [level.to_dict() for level in self.fixed],
            "replicates": self.replicates,
            # Absent where all runs are planned at once: specifications of before stay as they are.
            **({} if self.adaptive is None else {"adaptive": self.adaptive.to_dict()}),
            # Absent where shared: specifications of before stay the versions they are.
            **({"seeds": self.seeds} if self.seeds == "own" else {}),
            "design": self.design.model_dump(mode="json"),
            "exclude": [one.to_dict() for one in self.exclude],
            "only": [one.to_dict() for one in self.only],
            "claims": [claim.text for claim in self.claims],
            # Absent where nothing is tuned: specifications of before stay the versions they are.
            **({} if self.tune is None else {"tune": self.tune.to_dict()}),
            **({"found": found_to_dict(self.found)} if self.found else {}),
            **({"called": self.called} if self.called else {}),
            "plugins": list(self.plugins),
            "code": [list(one) for one in self.code],
            # Absent without plugins: specifications of before stay the versions they are.
            **({"files": [list(one) for one in self.files]} if self.files else {}),
            **(
                {}
                if self.trainer is None
                else {
                    "trainer": self.trainer.to_dict(),
                    "responses": {name: dict(about) for name, about in self.responses.items()},
                }
            ),
            # Absent where none are kept: specifications of before stay the versions they are.
            "run": self.run.model_dump(
                mode="json", exclude={"keep_weights"} if self.run.keep_weights == "none" else None
            ),
            "backend": self.backend.model_dump(mode="json"),
            "source": self.source,
        }

    @staticmethod
    def from_dict(raw: dict[str, Any]) -> Spec:
        """The inverse of `to_dict`. Raises KeyError, TypeError or ValueError on anything else."""
        responses = {name: dict(about) for name, about in raw.get("responses", {}).items()}
        records = {name: declared(name, about) for name, about in responses.items()}
        return Spec(
            name=raw["name"],
            profile=raw["profile"],
            data=DataSpec(**raw["data"]),
            model=ModelSpec(**raw["model"]),
            train=TrainSpec(**raw["train"]),
            factors=tuple(
                Factor(name, tuple(Level(**level) for level in levels))
                for name, levels in raw["factors"].items()
            ),
            fixed=tuple(Level(**level) for level in raw["fixed"]),
            replicates=raw["replicates"],
            adaptive=Adaptive.from_dict(raw["adaptive"]) if "adaptive" in raw else None,
            seeds=raw.get("seeds", "shared"),
            design=_design.validate_python(raw["design"]),
            exclude=tuple(Predicate.from_dict(one) for one in raw["exclude"]),
            only=tuple(Predicate.from_dict(one) for one in raw["only"]),
            claims=tuple(map(claim_reader(records), raw["claims"])),
            tune=Tune.from_dict(raw["tune"]) if "tune" in raw else None,
            found=found_from_dict(raw.get("found", ())),
            called=raw.get("called", ""),
            plugins=tuple(raw["plugins"]),
            # Absent in studies registered before plugins were part of what a cell is.
            code=tuple((name, digest) for name, digest in raw.get("code", ())),
            files=tuple((plugin, digest) for plugin, digest in raw.get("files", ())),
            trainer=Trainer.from_dict(raw["trainer"]) if "trainer" in raw else None,
            responses=responses,
            # Studies registered before `backend` was a section kept it under `run`.
            run=RunSpec(**{k: v for k, v in raw["run"].items() if k in RunSpec.model_fields}),
            backend=BackendSpec(**raw.get("backend", {})),
            source=raw["source"],
        )


def _six_digits(protocol: Mapping[str, Any]) -> str:
    text = json.dumps(protocol, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:6]
