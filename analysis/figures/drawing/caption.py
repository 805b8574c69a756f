"""What every caption states: runs, replicates, diverged and missing runs, interval and level."""

from __future__ import annotations

from dataclasses import dataclass

from runner.program.wording import counted


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs behind a figure.

    Attributes:
        runs: with an outcome.
        replicates: most of them in one combination.
        diverged: None where the table has no status, so that nobody knows.
        missing: planned, without an outcome.
        fewest: replicates in the combination with the fewest, empty ones left out; None: as many
            as the most.
        empty: combinations without a run.
        combinations: of the grid.
    """

    runs: int
    replicates: int
    diverged: int | None
    missing: int = 0
    fewest: int | None = None
    empty: int = 0
    combinations: int = 0

    def sentence(self) -> str:
        """Runs, replicates, diverged and missing in one sentence."""
        few = "" if self.fewest in (None, self.replicates) else f"{self.fewest} to "
        parts = [
            counted(self.runs, "run"),
            f"{few}{counted(self.replicates, 'replicate')} per combination",
        ]
        if self.diverged is not None:
            parts.append(f"{self.diverged} diverged")
        parts.append(f"{self.missing} missing" if self.missing else "none missing")
        if self.empty:
            parts.append(f"{self.empty} of {self.combinations} combinations empty")
        return ", ".join(parts) + "."


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
