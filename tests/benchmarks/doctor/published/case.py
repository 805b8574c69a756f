"""One published fault: where it is from, what is right to say of it, what others said."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.content.own.trainer import Trainer
from runner.doctor.watching.made import Made, make_training

VERSIONS = ("buggy", "corrected")
TOOLS = ("DeepFD", "UMLAUT", "AutoTrainer", "DeepLocalize")
"""Whose published words stand beside."""
NOT_PUBLISHED = "not published"


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool is published to have said of a case.

    Attributes:
        words: its own, shortened.
        right: whether those who published it counted that as the right diagnosis.
    """

    words: str
    right: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and the functions that make it.

    Attributes:
        make: "module:function" of this package; the corrected version has `_corrected` appended.
        source: who published it, as one cites it.
        url: where.
        fault: what was wrong, one sentence.
        right: kinds of the doctor's list that are right, written down before any diagnosis.
        said: by tool of `TOOLS`; what is missing was not published.
    """

    make: str
    source: str
    url: str
    fault: str
    right: tuple[str, ...]
    said: Mapping[str, Said] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the function, as a table shows it."""
        return self.make.partition(":")[2].replace("_", " ")

    def call(self, version: str) -> str:
        """What `python -m runner doctor` takes: "package.module:function"."""
        ending = "_corrected" if version == "corrected" else ""
        return f"{__package__}.{self.make}{ending}"

    def made(self, version: str, seed: int) -> Made:
        """The training, made as `doctor` makes it."""
        return make_training(Trainer("function", self.call(version), os.getcwd()), seed)
