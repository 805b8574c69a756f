"""What checklists of conferences ask of an experiment: settings, seeds, error bars, compute.

Facts that the study holds, and that a fact is not known where it is not: whoever submits adds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.report.words.papers.article.compute import Compute, compute
from analysis.report.words.papers.inference import intervals
from analysis.report.words.papers.macros import Macros
from analysis.report.words.papers.methods import SEEDS, own_trainer, varied
from analysis.study import known
from analysis.tuning.words import cost_of
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.study import Study

NOT_RECORDED = "is not recorded here: say it yourself"
ASSUMED = {
    "pooled": "all cells are taken to vary alike",
    "lenth": "most effects are taken to be nought",
}
"""By how intervals are made; others let every cell have its own variance."""


def checklist(study: Study, macros: Macros) -> str:
    """The answers as a list in LaTeX, once the methods have said their numbers."""
    items = {
        "Settings": _settings(study, macros),
        "Seeds": _seeds(study, macros),
        "Error bars": _error_bars(study, macros),
        "Compute": _compute(study, macros),
        "Data and code": _files(study),
    }
    body = [rf"\item[{name}.] {macros.tex(text)}" for name, text in items.items()]
    return "\n".join([r"\begin{description}", *body, r"\end{description}", ""])


def _settings(study: Study, macros: Macros) -> str:
    if not study.info:
        return f"How the settings of the runs were chosen {NOT_RECORDED}."
    rest = f"How those that all runs share were chosen {NOT_RECORDED}."
    if not study.searched:
        return f"Methods have the settings; nothing was tuned before the grid. {rest}"
    names = list(dict.fromkeys(one.name for group in study.searched for one in group.ranges))
    runs = macros.say("TuningRuns", f"{int(cost_of(study)['runs']):,}", "runs that tuned")
    return (
        f"Tuned before the grid, on validation data and with other seeds than the grid's: "
        f"{listed(names)}, in {runs} runs. {rest}"
    )


def _seeds(study: Study, macros: Macros) -> str:
    ran = (
        f"Combinations of levels: {macros.told('Cells')}; runs of each: "
        f"{macros.told('Replicates')}; runs in all: {macros.told('Runs')}"
    )
    if study.replicate is None:
        text = f"{ran}. What differs between runs of a combination {NOT_RECORDED}."
        return " ".join([text, *_lost(study, macros)])
    there = study.runs[study.response].notna()
    count = int(study.frame.loc[there, study.replicate].nunique())
    seeds = macros.say(
        "Seeds", f"{count if study.shares_seeds else int(there.sum()):,}", "different seeds"
    )
    if not study.info:
        text = (
            f"{ran}; values of {study.replicate}, by which runs of a combination differ: {seeds}. "
            f"What it seeds {NOT_RECORDED}."
        )
        return " ".join([text, *_lost(study, macros)])
    own = own_trainer(study) is not None
    what = "is given to a run, and what it decides is the trainer's matter"
    if not own:
        what = "decides initialisation, data order and augmentation"
    split = not own and not any(name.startswith("data.") for name in varied(study))
    alike = ["Training, validation and test images are the same in all runs."] if split else []
    text = f"{ran}; different seeds: {seeds}. A seed {what}; {SEEDS[study.shares_seeds]}"
    return " ".join([text, *alike, *_lost(study, macros)])


def _lost(study: Study, macros: Macros) -> list[str]:
    """How many planned runs have no result."""
    missing = known(study.missing)
    if missing is None:
        return []
    planned = macros.say("PlannedRuns", f"{missing.planned:,}", "planned runs")
    lost = macros.say("LostRuns", f"{missing.lost:,}", "planned runs that ended without a result")
    waiting = macros.say("WaitingRuns", f"{missing.waiting:,}", "planned runs still to come")
    if not missing.lost and not missing.waiting:
        return [f"All {planned} planned runs have a result."]
    parts = [f"{lost} of {planned} planned runs ended without a result"] if missing.lost else []
    parts += [f"{waiting} of {planned} are still to come"] if missing.waiting else []
    return [f"{listed(parts)}."]


def _error_bars(study: Study, macros: Macros) -> str:
    rule = "lenth" if study.by_lenth else study.grid.rule.primary
    assumed = ASSUMED.get(rule, "every cell may have its own variance")
    differ = ""
    if rule not in ASSUMED:
        seed = " that differ in their seed alone" if study.info else ""
        differ = (
            f" What they show is how much runs of one combination{seed} vary; what all runs share, "
            "as data and settings, does not vary in them."
        )
    return (
        "All brackets and bars are 95% confidence intervals, neither standard deviations nor "
        f"standard errors.{differ} {intervals(study, macros.say)} They take means to be about "
        f"normal, and {assumed}. {macros.told('Judgement')}"
    )


def _compute(study: Study, macros: Macros) -> str:
    took = compute(study)
    if took is None:
        return f"On which machines the runs were made, and how long they took, {NOT_RECORDED}."
    sentences = [*_machines(took, macros), *_times(took, macros), _memory(took, macros)]
    if took.adopted:
        adopted = macros.say("AdoptedRuns", f"{took.adopted:,}", "runs of an earlier study")
        sentences.append(f"Of these runs {adopted} had been trained for an earlier study.")
    sentences.append(_wasted(took, macros))
    if study.searched:
        hours = _hours(cost_of(study)["seconds"])
        tuned = macros.say("TuningHours", hours, "hours of training of the runs that tuned")
        sentences.append(f"Tuning took {tuned} hours more.")
    sentences.append(f"What other experiments of this project took {NOT_RECORDED}.")
    return " ".join(sentences)


def _machines(took: Compute, macros: Macros) -> list[str]:
    if not took.devices:
        return [f"What trained {NOT_RECORDED}."]
    devices = macros.say("Devices", listed(took.devices), "what trained")
    model = ""
    if any("CUDA" in one for one in took.devices):
        model = f" The model of the devices {NOT_RECORDED}."
    of = ""
    if took.machines:
        count = macros.say("Machines", f"{took.machines:,}", "machines")
        of = f" of {count}{counted(took.machines, 'machine').removeprefix(f'{took.machines:,}')}"
    return [f"Runs trained on {devices}{of}.{model}"]


def _times(took: Compute, macros: Macros) -> list[str]:
    if not took.runs:
        return [f"How long runs trained {NOT_RECORDED}."]
    median = macros.say("MedianSeconds", _seconds(took.median), "seconds of training, median run")
    longest = macros.say("LongestSeconds", _seconds(took.longest), "seconds, longest run")
    hours = macros.say("ComputeHours", _hours(took.seconds), "hours of training of all runs")
    cpu = ""
    if np.isfinite(took.cpu_seconds):
        hours_of_cpu = macros.say("CpuHours", _hours(took.cpu_seconds), "hours of processor time")
        cpu = f", {hours_of_cpu} hours of processor time"
    return [
        f"A run took {median} s (median; the longest {longest} s), all together {hours} hours"
        f"{cpu}. These are hours of runs, of which a device may train several at a time."
    ]


def _memory(took: Compute, macros: Macros) -> str:
    if not np.isfinite(took.memory):
        return f"How much memory a run needs {NOT_RECORDED}."
    size = took.memory / 2**20
    text = f"{size:,.0f} MiB" if 1 <= size < 1024 else f"{size / 1024:,.1f} GiB"
    text = "less than 1 MiB" if size < 1 else text
    peak = macros.say("PeakMemory", text, "memory at the peak of the run that needs most")
    return f"At its peak a run held at most {peak} of memory (of a CUDA device, else its process)."


def _wasted(took: Compute, macros: Macros) -> str:
    if not took.wasted:
        return "No attempt failed or was interrupted."
    count = macros.say("FailedAttempts", f"{took.wasted:,}", "attempts without a result")
    hours = macros.say("FailedHours", _hours(took.wasted_seconds), "hours that these took")
    noun = "attempt" if took.wasted == 1 else "attempts"
    return f"Besides, {count} {noun} failed or ended early, in {hours} hours."


def _files(study: Study) -> str:
    files = ["every run (outcomes.csv)", "every estimate (effects.json)"]
    if study.curve_rows is not None and len(study.curve_rows):
        files.insert(1, "every learning curve (curves.csv)")
    where = "The specification of the grid is kept with its runs."
    if not study.info:
        where = f"The code that made the runs {NOT_RECORDED}."
    return f"Beside this folder lie {listed(files)}. {where}"


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.1f}" if hours >= 10 else f"{hours:.2g}"
