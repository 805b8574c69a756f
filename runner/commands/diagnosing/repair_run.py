"""The grid of a repair run as any other, and what it says of the diagnosis."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from runner.commands.arguments import named_design
from runner.commands.running import grid


@dataclass(frozen=True, slots=True)
class Answer:
    """What the grid found.

    Attributes:
        verdict: "supported", "refuted", "undecided" or "not testable": that the repair gives at
            least what the doctor asks.
        gain, low, high: of the outcome with the repair minus without, and its 95 % interval.
        outcome: its name.
    """

    verdict: str
    gain: float
    low: float
    high: float
    outcome: str

    @property
    def sentence(self) -> str:
        """Whether the diagnosis stands."""
        points = [100 * one for one in (self.gain, self.low, self.high)]
        interval = "95 % interval {:+.1f} to {:+.1f}".format(*points[1:])
        if self.gain != self.gain:
            return "Not decided: the grid has no difference to show."
        moved = f"{'raised' if points[0] >= 0 else 'lowered'} {self.outcome.replace('_', ' ')} by"
        found = f"the repair {moved} {abs(points[0]):.1f} points ({interval}, "
        found += f"{'excludes' if self.low > 0 or self.high < 0 else 'includes'} zero)."
        if self.verdict == "supported":
            return f"The diagnosis stands: {found}"
        if self.verdict == "refuted":
            return f"The diagnosis is refuted: {found}"
        return f"Not decided: {found} More seeds may tell: --set replicates=8."

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"verdict": self.verdict, "gain": self.gain, "low": self.low, "high": self.high}


def run_repair(target: Path, options: Sequence[str] = ()) -> tuple[int, Answer | None]:
    """Run the grid of a file; the exit code of `grid`, and what it found where it ended.

    Args:
        target: the file.
        options: of `grid`.
    """
    parser = argparse.ArgumentParser()
    grid.configure(parser)
    arguments = parser.parse_args([str(target), *options])
    code = grid.run(arguments)
    if code not in (0, 3):
        return code, None
    from analysis.loading import load

    spec, _ = named_design(arguments)
    study = load(spec.study, arguments.storage)
    row: pd.Series[Any] = study.claims().iloc[0]
    low, high = float(row["low"]), float(row["high"])
    return code, Answer(
        str(row["verdict"]), float(row["estimate"]), low, high, next(iter(spec.responses))
    )
