"""Why one cell did not converge: at most two causes, "healthy" or "not known"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.content.outcome import Epoch, Status, Target
from runner.doctor.causes.kinds import KINDS
from runner.doctor.cells.cause import Cause
from runner.doctor.cells.ending import by_heart, held_back, running_statistics, too_few_epochs
from runner.doctor.cells.run import Run
from runner.doctor.cells.start import (
    loud_at_first,
    loud_outputs,
    no_signal,
    signal,
    unreached,
)
from runner.doctor.cells.steps import broken, dead, decayed, schedule, too_cold, too_hot
from runner.probe.record import Evidence

MOST_CAUSES = 2
HEALTHY, NOT_KNOWN = "healthy", "not known"
CONVERGED = (Status.REACHED, Status.LEARNED)
CAUSES = (
    *(unreached, decayed, running_statistics, signal, loud_outputs, too_hot, too_cold),
    *(schedule, too_few_epochs, held_back, by_heart),
)
"""The most exact first."""
STATES = (loud_at_first, broken, dead, no_signal)
"""What is named only where no cause is seen."""
JUDGED = (*CONVERGED, Status.SHORT, Status.STALLED, Status.DIVERGED)
"""What a training ended as by itself; of others the machine or the code is to blame."""


@dataclass(frozen=True, slots=True)
class Why:
    """The answer for one cell.

    Attributes:
        causes: likeliest first; () where it converged or nothing is seen.
        healthy: whether it converged.
        evidence: whether its layers were looked at.
        unseen: why its layers were not, or not often; "" nothing to say.
    """

    causes: tuple[Cause, ...]
    healthy: bool
    evidence: bool = False
    unseen: str = ""

    @property
    def kind(self) -> str:
        """The likeliest cause's name, `HEALTHY` or `NOT_KNOWN`."""
        if self.healthy:
            return HEALTHY
        return self.causes[0].kind if self.causes else NOT_KNOWN

    @property
    def title(self) -> str:
        """In words: "The weights begin at the wrong size"."""
        return KINDS[self.kind].title if self.causes and not self.healthy else self.kind

    @property
    def sentences(self) -> tuple[str, ...]:
        """A sentence or two a cause: what is wrong, and what shows it."""
        by = "" if self.evidence else " (Told from its curve alone.)"
        return tuple(f"{KINDS[one.kind].title}. {one.evidence}{by}" for one in self.causes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as effects.json holds them."""
        return {
            "cause": self.kind,
            "causes": [
                {"kind": one.kind, "title": KINDS[one.kind].title, "evidence": one.evidence,
                 "layers_seen": one.seen}
                for one in self.causes
            ],
        }  # fmt: skip


def why(run: Run) -> Why | None:
    """Why a cell did not converge; None where training did not end by itself."""
    if run.status not in JUDGED:
        return None
    looked = run.evidence is not None and bool(run.evidence.looks)
    unseen = run.evidence.note if run.evidence is not None else ""
    if run.status in CONVERGED:
        return Why((), healthy=True, evidence=looked, unseen=unseen)
    found = _of(CAUSES, run) or _of(STATES, run)
    return Why(found[:MOST_CAUSES], healthy=False, evidence=looked, unseen=unseen)


def _of(rules: Sequence[Any], run: Run) -> tuple[Cause, ...]:
    """What the rules say, each kind once."""
    found: dict[str, Cause] = {}
    for rule in rules:
        for one in rule(run):
            found.setdefault(one.kind, one)
    return tuple(found.values())


def run_of(
    row: Mapping[str, Any],
    target: Target | None,
    curve: Sequence[Epoch],
    evidence: Mapping[str, Any] | None,
) -> Run:
    """A run of the store as it is judged.

    Args:
        row: with status, classes and epochs_budget.
        target: of its study.
        curve: its epochs.
        evidence: as the store keeps it.
    """
    plain = target is not None and not target.response
    return Run(
        status=str(row["status"]),
        classes=int(row["classes"] or 2),
        curve=tuple(curve),
        target=target.accuracy if plain and target is not None else None,
        epochs=int(row["epochs_budget"] or 0),
        evidence=Evidence.from_plain(evidence) if evidence else None,
    )
