"""What every caption states: runs, replicates, diverged and missing runs, interval and level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs behind a figure."""

    runs: int  # with an outcome
    replicates: int
    diverged: int
    missing: int = 0  # planned, without an outcome

    def sentence(self) -> str:
        """Runs, replicates, diverged and missing in one sentence."""
        noun = "replicate" if self.replicates == 1 else "replicates"
        text = (
            f"{self.runs} runs, {self.replicates} {noun} per combination, {self.diverged} diverged"
        )
        return f"{text}, {self.missing} missing." if self.missing else f"{text}, none missing."


def caption(what: str, runs: Runs, interval: str | None, level: float = 0.95) -> str:
    """What is drawn, its interval, and the runs behind it.

    Args:
        what: one or two sentences, the last ending in a full stop.
        runs: the runs behind the figure.
        interval: how intervals were made ("cell-means Welch"); None where none are drawn; ""
            where `what` says what the bands are.
        level: coverage of the intervals.
    """
    if interval is None:
        shown = "No intervals. "
    else:
        shown = f"Bars and bands: {level:.0%} intervals, {interval}. " if interval else ""
    return f"{what} {shown}{runs.sentence()}"
