"""A cause that was found, and a repair that may prove one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.doctor.causes.changes.named import Change

CERTAIN = 0.95
"""Confidence of what is so by definition: seen, not inferred."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A repair that a program can run, and what trials of it gave so far.

    Attributes:
        change: itself.
        ran: steps of the training as it is in the trials; 0: there were none.
        steps: of a trial with it, where it needs another number.
        as_used: judge it with running statistics of batch norm, as the network is used.
        scores: without and with it, at each seed that it was tried at.
    """

    change: Change
    ran: int = 0
    steps: int | None = None
    as_used: bool = False
    scores: tuple[tuple[float, float], ...] = ()


def by(name: str, **settings: Any) -> Remedy:
    """A remedy that no trial was made of yet."""
    return Remedy(Change(name, settings))


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause.

    Attributes:
        kind: a name of `kinds.KINDS`.
        confidence: share of such findings that are right, as the validation gives it.
        where: layer, file and line, or what else it is about.
        evidence: one plain sentence.
        change: what to do, one sentence.
        proven: whether the repair was run and helped.
        remedy: the repair as something that a program can run; None: it is done by hand.
    """

    kind: str
    confidence: float
    where: str
    evidence: str
    change: str
    proven: bool = False
    remedy: Remedy | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind, "confidence": round(self.confidence, 2), "where": self.where,
            "evidence": self.evidence, "change": self.change, "proven": self.proven,
            "repair": None if self.remedy is None else self.remedy.change.plain(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing changed, to see whether it is the cause.

    Attributes:
        kind: the cause that it would prove.
        where: as in a finding.
        suspicion: the evidence that it is tried for, one sentence.
        change: what to do, one sentence.
        applied: the change itself.
        steps: of its trial where it needs another number than the training as it is.
        certain: the evidence alone shows a mistake; the repair says what it costs.
        only_if_stuck: tried only where the training as it is learns nearly nothing: it helps
            many a healthy training in its first steps as well.
        once: it changes the data, not the training that `make` returns: no other seed is tried.
        judged_as_used: compare with running statistics of batch norm, as the network is used.
    """

    kind: str
    where: str
    suspicion: str
    change: str
    applied: Change
    steps: int | None = None
    certain: bool = False
    only_if_stuck: bool = False
    judged_as_used: bool = False
    once: bool = False
