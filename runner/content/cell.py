"""A cell is its content: one combination of levels, one replicate, and the protocol.

Its `id` hashes everything that determines the outcome and nothing else: not the study's name, not
the labels a person gave to levels, not the time limit, not a level that means what leaving its
factor out means. Of a plugin it hashes the file that defines what the cell uses: an edited plugin
makes other cells. Same content, same cell, trained once. The training is the shipped image
classifier's, or with `trainer` a function or command of one's own, whose arguments the levels are.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ablations import registry
from runner.content.code import Code, check_code
from runner.content.level import Level
from runner.content.own.trainer import Trainer, arguments_of
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec, identity
from runner.content.seeds import stream

__all__ = ["TRAINING_VERSION", "Cell", "Level"]

TRAINING_VERSION = 2
"""Raised by hand whenever a change of the training code changes what a cell learns."""


@dataclass(frozen=True)
class Cell:
    """One training: levels of the varied factors, levels held fixed, replicate, protocol."""

    levels: tuple[Level, ...]  # varied, in the order of the specification
    held: tuple[Level, ...]  # the rest of the five factors, and of others what the file fixes
    replicate: int
    data: DataSpec  # protocol sections with field factors already applied
    model: ModelSpec
    train: TrainSpec
    plugins: tuple[str, ...] = ()  # absolute paths or module names to import before training
    data_identity: str = ""  # fingerprint of the images where the name does not fix them
    code: Code = ()  # of plugins: what they define and the digest of its file
    trainer: Trainer | None = None  # None: the shipped image classifier

    def level(self, factor: str) -> Level:
        """The level of a factor that every cell has, varied or held."""
        for level in (*self.levels, *self.held):
            if level.factor == factor:
                return level
        raise KeyError(factor)

    def chosen(self, factor: str) -> Level | None:
        """The level of a factor that may be left out; None where that is what the level means."""
        for level in (*self.levels, *self.held):
            if level.factor == factor and not level.is_as_left_out:
                return level
        return None

    @property
    def labels(self) -> dict[str, str]:
        """Varied factor to level label: what a table of results shows."""
        return {level.factor: level.label for level in self.levels}

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of SHA-256 over the canonical JSON of the content."""
        text = json.dumps(self._content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def _content(self) -> dict[str, Any]:
        if self.trainer is not None:
            return {
                "trainer": self.trainer.identity,
                "levels": {one.factor: dict(one.parameters) for one in (*self.levels, *self.held)},
                "replicate": self.replicate,
                "seed": self.train.seed,
                "code": dict(self.trainer.code),
            }
        levels = {
            level.factor: [level.name, dict(level.parameters)]
            for level in (*self.levels, *self.held)
            if not level.is_field and not level.is_as_left_out
        }
        content: dict[str, Any] = {
            "training_version": TRAINING_VERSION,
            "levels": levels,
            "replicate": self.replicate,
            "data_identity": self.data_identity,
            "data": identity("data", self.data),
            "model": identity("model", self.model),
            "train": identity("train", self.train),
        }
        if self.code:  # absent where all is built in: TRAINING_VERSION stands for that
            content["code"] = dict(self.code)
        return content

    @property
    def arguments(self) -> dict[str, Any]:
        """What a trainer of one's own is given, by the names in the file: "model.depth"."""
        return arguments_of((*self.held, *self.levels))

    @property
    def seed(self) -> int:
        """What a trainer of one's own is given as its seed: 31 bits, which every library takes."""
        return stream(self.train.seed, self.replicate, "trainer") >> 32

    @property
    def is_built_in(self) -> bool:
        """Whether the code of all levels and of the network is this program's.

        Of a plugin the `id` holds the file that defines what the cell uses, not what that imports.
        """
        if self.trainer is not None:
            return False
        levels = (one for one in (*self.levels, *self.held) if "." not in one.factor)
        return self.is_of_built_in_network and all(
            registry.is_built_in(one.factor, one.name) for one in levels
        )

    @property
    def is_of_built_in_network(self) -> bool:
        """Whether the network is one of this program's, not a plugin's."""
        return self.model.name not in registry.names("model")

    def check_code(self) -> None:
        """Refuse to train with other plugin code than the cell was planned with; InputError."""
        check_code(self.code)
        if self.trainer is not None:
            self.trainer.check_code()

    def to_json(self) -> str:
        """One JSON object that `from_json` reads back in another process."""

        def level(one: Level) -> dict[str, Any]:
            return {
                "factor": one.factor,
                "label": one.label,
                "name": one.name,
                "parameters": dict(one.parameters),
            }

        return json.dumps(
            {
                "levels": [level(one) for one in self.levels],
                "held": [level(one) for one in self.held],
                "replicate": self.replicate,
                "data": self.data.model_dump(mode="json"),
                "model": self.model.model_dump(mode="json"),
                "train": self.train.model_dump(mode="json"),
                "plugins": list(self.plugins),
                "data_identity": self.data_identity,
                "code": self.code,
                # Absent with the shipped trainer: its cells stay the texts they are.
                **({} if self.trainer is None else {"trainer": self.trainer.to_dict()}),
            }
        )

    @staticmethod
    def from_json(text: str) -> Cell:
        """The inverse of `to_json`."""
        raw = json.loads(text)
        return Cell(
            levels=tuple(Level(**one) for one in raw["levels"]),
            held=tuple(Level(**one) for one in raw["held"]),
            replicate=raw["replicate"],
            data=DataSpec(**raw["data"]),
            model=ModelSpec(**raw["model"]),
            train=TrainSpec(**raw["train"]),
            plugins=tuple(raw["plugins"]),
            data_identity=raw["data_identity"],
            # Absent in cells planned before plugins were part of what a cell is.
            code=tuple((name, digest) for name, digest in raw.get("code", ())),
            trainer=Trainer.from_dict(raw["trainer"]) if "trainer" in raw else None,
        )
