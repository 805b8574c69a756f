"""Notes in Markdown for the study and for each trial: what was found, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablations.errors import InputError
from analysis.causes.words import why_sentences
from analysis.dashboard.importance import OPTUNAS, tunes
from analysis.report.words.brief.build import brief
from analysis.report.words.brief.text import markdown
from analysis.report.words.caveats import caveats
from analysis.report.words.papers.tables import escape_markdown
from analysis.report.words.progress import progress
from analysis.table.statuses import REACHED, SHORT
from runner.content.outcome import Target, percent
from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

HEADLINES = {
    REACHED: "Reached the target",
    SHORT: "Short of the target",
    "learned": "Better than guessing",
}
"""How a run is headed that came to its end and learned."""


def study_note(study: Study, convergence: Convergence | None) -> str:
    """Progress, the answer and the caveats; says so where nothing can be estimated yet."""
    how_far = progress(study)
    lines = [f"# {escape_markdown(study.name)}", ""]
    if how_far["done"] < how_far["planned"]:
        lines += [f"**Still running.** {escape_markdown(how_far['sentence'])}", ""]
    try:
        opening = brief(study)
        warnings = caveats(study, convergence)
    except InputError as error:
        return "\n".join([*lines, f"Nothing can be estimated yet: {escape_markdown(str(error))}."])
    lines += markdown(opening, escape_markdown)
    if told := why_sentences(study.causes, study.goal):
        lines += [escape_markdown(" ".join(told)), ""]
    if study.planned_claims and study.running:
        lines += [
            "The grid is not complete: verdicts are those so far, none is a decision.",
            "",
        ]
    if warnings:
        lines += ["## Caveats", "", *(f"- {escape_markdown(text)}" for text in warnings), ""]
    if not tunes(study):
        lines += ["## Hyperparameter Importance", "", OPTUNAS, ""]
    return "\n".join(lines)


def cell_note(run: dict[str, Any], factors: list[str]) -> str:
    """What happened to one cell, in a few sentences.

    Args:
        run: the run's row of the tidy frame; `target` is what counted as reached, `why` sentences
            on why it did not get there.
        factors: names of the factor columns.
    """
    levels = ", ".join(f"{name} {run[name]}" for name in factors)
    lines = [f"**{_ending(run)}**", "", escape_markdown(f"{levels}; replicate {run['replicate']}.")]
    facts = []
    target = run.get("target")
    if isinstance(target, Target) and run.get("status") == REACHED:
        facts.append(f"reached {target.words}{_when(run)}")
    elif isinstance(target, Target) and run.get("status") == SHORT:
        best = run.get("best_validation_accuracy")
        far = f" (best {percent(float(str(best)))})" if _is_number(best) else ""
        facts.append(f"did not reach {target.words}{far}")
    if _is_number(run.get("epochs_run")) and not run.get("responses"):
        facts.append(f"ran {int(run['epochs_run'])} epochs")
    if _is_number(run.get("seconds")):
        facts.append(f"took {float(run['seconds']):.0f} s")
    if facts:
        text = ", ".join(facts)
        lines += ["", escape_markdown(f"{text[:1].upper()}{text[1:]}.")]
    if why := run.get("why"):
        lines += ["", *(f"{escape_markdown(str(one))}" for one in why)]
    notes = run.get("notes")
    if isinstance(notes, list | tuple) and notes:
        lines += ["", *(f"- {escape_markdown(str(note))}" for note in notes)]
    return "\n".join(lines)


def _ending(run: dict[str, Any]) -> str:
    """How the run ended, as a headline."""
    status = str(run.get("status"))
    accuracy = run.get("test_accuracy")
    detail = f": {run['detail']}" if isinstance(run.get("detail"), str) and run["detail"] else ""
    if own := run.get("responses"):
        shown = listed([f"{name} {value:.4g}" for name, value in own.items()])
        return escape_markdown(f"{HEADLINES.get(status, status.capitalize())}: {shown}{detail}")
    if status in HEADLINES and _is_number(accuracy):
        right = f"{float(str(accuracy)):.1%} of the test images right"
        return escape_markdown(f"{HEADLINES[status]}, {right}")
    if status == "stalled":
        return "Stalled: finite to the end, but not better than guessing"
    if status == "diverged":
        return escape_markdown(f"Diverged{detail or ': a loss or weight stopped being finite'}")
    reason = run.get("reason")
    name = f" ({reason})" if isinstance(reason, str) and reason else ""
    return escape_markdown(f"{status.capitalize()}{name}{detail}")


def _when(run: dict[str, Any]) -> str:
    epoch = run.get("epochs_to_target")
    return f" in epoch {int(float(str(epoch)))}" if _is_number(epoch) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))
