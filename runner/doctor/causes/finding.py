"""A cause that was found, and a repair that may prove one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.doctor.causes.changes.named import Change

CERTAIN = 0.95
"""Confidence of what is so by definition: seen, not inferred."""


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
        remedy: the repair as something that a program can do; None: it is done by hand.
        steps: that the remedy is given where it needs another number than the training as it is.
        as_used: judge it with running statistics of batch norm, as the network is used.
        scores: without and with the remedy, at each seed that it was tried at; () where at none.
    """

    kind: str
    confidence: float
    where: str
    evidence: str
    change: str
    proven: bool = False
    remedy: Change | None = None
    steps: int | None = None
    as_used: bool = False
    scores: tuple[tuple[float, float], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind, "confidence": round(self.confidence, 2), "where": self.where,
            "evidence": self.evidence, "change": self.change, "proven": self.proven,
            "repair": None if self.remedy is None else self.remedy.plain(),
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
