"""torchmortem beside the loop, as its README has it, at its default sampling."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from runner.doctor.watching.made import Made
from tests.benchmarks.doctor.beside.answer import Answer, Notes, batches, steps_of
from tests.benchmarks.doctor.beside.meanings import CRITICAL, of_finding


def ask(make: Callable[[], Made]) -> Answer:
    """Findings of its report from a warning up: what it calls issues itself."""
    from torchmortem import Autopsy, Severity

    notes, made = Notes(), make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Autopsy(made.model, optimizer=made.optimizer) as autopsy:
            for x, y in batches(made, steps_of(made)):
                loss = made.step(made.model, made.loss, made.optimizer, x, y)
                autopsy.step(loss=loss.item())
    report = autopsy.get_report()
    if report is None:
        return notes.answer("no report")
    for finding in report.findings:  # the most severe first
        if finding.severity >= Severity.WARNING:
            ending = CRITICAL if finding.severity == Severity.CRITICAL else ""
            notes.add(finding.title + ending, of_finding(finding.title))
    return notes.answer()
