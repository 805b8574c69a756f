"""A cell is its content: one combination of levels, one replicate, and the protocol.

Its `id` hashes everything that determines the outcome and nothing else: not the study's name, not
the labels a person gave to levels, not the time limit, not a level that means what leaving its
factor out means. Of a plugin it hashes the file that defines what the cell uses: an edited plugin
makes other cells. Same content, same cell, trained once. Its random streams come from the same
content, so that cells which differ in anything are independent. The training is the shipped image
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
from runner.content.seeds import Purpose, Seeds, stream

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
    seeds: Seeds = "own"  # or shared with the cells of its replicate

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
        content: dict[str, Any] = {"replicate": self.replicate, **self._asked}
        if self.trainer is not None:
            content["code"] = dict(self.trainer.code)
        else:
            content["training_version"] = TRAINING_VERSION
            content["data_identity"] = self.data_identity
        if self.code:  # absent where all is built in: TRAINING_VERSION stands for that
            content["code"] = dict(self.code)
        if self.seeds == "own":  # absent where shared: cells of before stay what they are
            content["seeds"] = self.seeds
        return _digest(content)

    @cached_property
    def combination(self) -> str:
        """Key of all that is asked of the cell but its replicate, 16 hexadecimal digits.

        Levels by name and parameters, never by label; field factors by the protocol they make, so
        that a value is the same whether it is varied or not. No code: an edited comment in a plugin
        changes no number.
        """
        return _digest(self._asked)

    def stream(self, purpose: Purpose, index: int = 0) -> int:
        """The seed of 63 bits that the cell draws its numbers of one purpose from.

        Args:
            purpose: what the numbers are for; "trainer" for code that takes one seed for all.
            index: which of several streams of one purpose.
        """
        own = self.combination if self.seeds == "own" else ""
        return stream(self.train.seed, self.replicate, purpose, index, own)

    @property
    def seed(self) -> int:
        """What a trainer of one's own is given as its seed: 31 bits, which every library takes."""
        return self.stream("trainer") >> 32

    @property
    def arguments(self) -> dict[str, Any]:
        """What a trainer of one's own is given, by the names in the file: "model.depth"."""
        return arguments_of((*self.held, *self.levels))

    @property
    def _asked(self) -> dict[str, Any]:
        """Levels and protocol as identity takes them."""
        if self.trainer is not None:
            return {
                "trainer": self.trainer.identity,
                "levels": {one.factor: dict(one.parameters) for one in (*self.levels, *self.held)},
                "seed": self.train.seed,
            }
        levels = {
            level.factor: [level.name, dict(level.parameters)]
            for level in (*self.levels, *self.held)
            if not level.is_field and not level.is_as_left_out
        }
        return {
            "levels": levels,
            "data": identity("data", self.data),
            "model": identity("model", self.model),
            "train": identity("train", self.train),
        }

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
                "seeds": self.seeds,
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
            # Absent in cells planned before cells had seeds of their own.
            seeds=raw.get("seeds", "shared"),
        )


def _digest(content: dict[str, Any]) -> str:
    """16 hexadecimal digits of SHA-256 over canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
