"""A diagnosis as a person reads it: the answer first, then what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.program.wording import counted, printable

if TYPE_CHECKING:
    from runner.doctor.causes.finding import Finding
    from runner.doctor.diagnosis import Diagnosis
    from runner.doctor.trying.rates import RangeTest
    from runner.doctor.watching.evidence import Evidence


def tell(diagnosis: Diagnosis) -> None:
    """Print the answer, and then what it rests on."""
    from runner.doctor.causes.kinds import KINDS

    evidence = diagnosis.evidence
    if diagnosis.healthy:
        print("Healthy: it learns, and no repair that was tried makes it clearly better.")
    elif evidence is not None and not diagnosis.causes:
        print(
            "Not known: it learns nearly nothing in "
            f"{counted(evidence.as_it_is.steps, 'step')}, and no repair that was tried changes "
            "that; more time (--seconds) may."
        )
    for number, cause in enumerate(diagnosis.causes):
        lead = "" if number == 0 else "Or: "
        print(printable(f"{lead}{KINDS[cause.kind].title} ({cause.where}; {_sure(cause)})."))
        print(printable(f"  {cause.evidence}"))
        print(printable(f"  Change: {cause.change}"))
    if evidence is None:
        return
    print(printable(_end_words(evidence)))
    if diagnosis.rates is not None:
        print(_range_words(diagnosis.rates, evidence))
    if diagnosis.tried:
        print(f"Tried: {counted(len(diagnosis.tried), 'repair')}, each from the same start.")


def _end_words(evidence: Evidence) -> str:
    """How the training ended as it is."""
    from runner.doctor.watching.task import score_words

    base = evidence.as_it_is
    whole = "all planned steps" if evidence.whole else counted(base.steps, "step")
    if base.broke:
        return f"As it is, {whole}: no longer finite: {base.broke}."
    right = score_words(evidence.task, base.score)
    return (
        f"As it is, {whole}: {right} on validation data, loss {base.losses[0]:.3g} to "
        f"{base.end:.3g}."
    )


def _sure(cause: Finding) -> str:
    how = "its repair was run and helps" if cause.proven else "seen"
    return f"confidence {cause.confidence:.2f}, {how}"


def _range_words(found: RangeTest, evidence: Evidence) -> str:
    own = max(evidence.as_it_is.rates, default=0.0)
    burst = "" if found.burst is None else f", bursts at {found.burst:.2g}"
    return (
        f"Range test of the learning rate: learns from {found.lowest:.2g}, fastest at "
        f"{found.steepest:.2g}{burst}; yours is {own:.2g}."
    )
