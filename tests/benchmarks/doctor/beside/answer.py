"""What a tool said of one training, in its own words and in the doctor's kinds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made

MOST_STEPS = 3000
"""Of a training, as of a trial of the doctor."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A message in the doctor's kinds.

    Attributes:
        means: kinds that it names as what is wrong.
        advises: kinds whose repair is among the advice that comes with it.
    """

    means: tuple[str, ...] = ()
    advises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said.

    Attributes:
        said: the tool's own words, one text a finding.
        meanings: of each, in the same order.
        failed: the error that kept the tool from answering; "": it answered.
    """

    said: tuple[str, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    failed: str = ""

    @property
    def detected(self) -> bool:
        """Whether it said that something is wrong."""
        return bool(self.said)

    @property
    def means(self) -> list[str]:
        """Kinds that it named, each once."""
        return _once(kind for one in self.meanings for kind in one.means)

    @property
    def advises(self) -> list[str]:
        """Kinds whose repair it advised, each once."""
        return _once(kind for one in self.meanings for kind in one.advises)


@dataclass(slots=True)
class Notes:
    """An answer in the making."""

    said: list[str] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    _forms: set[str] = field(default_factory=set)

    def add(self, words: str, meaning: Meaning) -> None:
        """One more finding; what differs from another in its numbers alone is kept once."""
        form = re.sub(r"\d+", "0", words)
        if form not in self._forms:
            self._forms.add(form)
            self.said.append(words)
            self.meanings.append(meaning)

    def answer(self, failed: str = "") -> Answer:
        """As it is now."""
        return Answer(tuple(self.said), tuple(self.meanings), failed)


def _once(kinds: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(kinds))


def steps_of(made: Made) -> int:
    """Of the whole planned training, at most `MOST_STEPS`."""
    per_epoch = len(made.train_loader)  # type: ignore[arg-type]  # a DataLoader in all cases
    return min((made.epochs or 1) * per_epoch, MOST_STEPS)


def batches(made: Made, steps: int) -> Iterator[Batch]:
    """So many batches, epoch after epoch."""

    def endless() -> Iterator[Batch]:
        while True:
            yield from ((x, y) for x, y in made.train_loader)

    return islice(endless(), steps)
