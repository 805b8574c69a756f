"""The methods paragraph: what was run and how it was analysed, ready for a paper.

Every number comes from the study; what a table does not know (network, data) is left out rather
than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.number_words import p_phrase
from analysis.report.words.caveats import SIGNIFICANT
from runner.content.outcome import percent
from runner.content.response import ACCURACY, SECONDS
from runner.program.wording import counted, duration, listed

if TYPE_CHECKING:
    from analysis.study import Study

INTERVALS = {
    "welch": (
        "Intervals of differences are 95% cell-means Welch intervals "
        "(heteroscedasticity-consistent variances of the saturated model with Satterthwaite "
        "degrees of freedom)"
    ),
    "blocked": ("Intervals of differences are 95% t intervals over replicates, because {shared}"),
    "pooled": (
        "Intervals of differences are 95% t intervals from the residual variance of the fitted "
        "model"
    ),
}
MEANS = {
    "welch": "those of means likewise",
    "blocked": "those of means are t intervals over replicates",
    "pooled": "those of means likewise",
}
TESTS = {
    "welch": (
        "Wald tests that let every cell have its own variance, referred to Hotelling's T^2 with "
        "approximate degrees of freedom (or, with few cells, Box's approximation of the contrasts' "
        "squared length)"
    ),
    "blocked": (
        "F tests of each term against its interaction with replicates, with Greenhouse and "
        "Geisser's correction"
    ),
    "type3": "type III F tests",
}


def methods(study: Study) -> str:
    """One paragraph in the past tense."""
    parts = [_design(study), *_training(study), *_outcomes(study), _analysis(study)]
    parts += _provenance(study)
    return " ".join(part for part in parts if part)


def _design(study: Study) -> str:
    sizes = [len(levels) for levels in study.factors.values()]
    described = [
        f"{name.replace('_', ' ')} ({', '.join(levels)})" for name, levels in study.factors.items()
    ]
    cells = len(study.cells.ran)
    whole = int(np.prod(sizes))
    kind = "full factorial" if cells == whole else f"{cells} of {whole} cells of a factorial"
    grid = " × ".join(map(str, sizes))
    counts = study.cells.counts[~study.cells.empty]
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (0, 0)
    times = ("" if low == high else f"{low} to ") + counted(high, "replicate")
    return (
        f"We ran a {grid} {kind} of {listed(described)}, each cell with {times} "
        f"({counted(study.cells.n, 'run')})."
    )


def varied(study: Study) -> set[str]:
    """Fields of the protocol that are factors of this grid: "model.depth"."""
    return {name for name in study.factors if "." in name}


def network_of(study: Study) -> str:
    """The network by name and depth, without what was varied; "" where nothing is known."""
    model, free = dict(study.info.get("model") or {}), varied(study)
    if not model:
        return ""
    name = "" if "model.name" in free else str(model.get("name") or "network").upper()
    depth = "" if "model.depth" in free else str(model.get("depth") or "")
    return "-".join(part for part in (name, depth) if part) or "network"


def _training(study: Study) -> list[str]:
    info = study.info
    data, model, train = (dict(info.get(key) or {}) for key in ("data", "model", "train"))
    if not (data and model and train):
        return []
    free = varied(study)

    def fixed(field: str, text: str, otherwise: str = "") -> str:
        """Said of a field that all runs share; of a factor the levels say it."""
        return otherwise if field in free else text

    depth = " of varied depth" if "model.depth" in free else ""
    width = float(model.get("width", 1.0))
    scaled = "" if width == 1 else f" with {width:g} times the usual channels"
    scaled = fixed("model.width", scaled, " of varied width")
    limit = f" (at most {data['limit']:,} training images)" if data.get("limit") else ""
    limit = fixed("data.limit", limit, " (a varied number of training images)")
    smoothing = train.get("label_smoothing")
    smooth = f" and label smoothing {smoothing:g}" if smoothing else ""
    epochs = fixed(
        "train.epochs",
        counted(int(train.get("epochs", 0)), "epoch"),
        "a varied number of epochs",
    )
    batch = fixed("train.batch_size", f"{train.get('batch_size')} images", "varied size")
    arithmetic = fixed("train.precision", str(train.get("precision")), "varied")
    held_out = fixed(
        "data.validation",
        f"{float(data.get('validation', 0)):.0%} of the training images were",
        "a varied share of the training images was",
    )
    sentence = (
        f"Each run trained a {network_of(study)}{depth}{scaled} on "
        f"{fixed('data.name', str(data.get('name')), 'varied data')}{limit} for {epochs} with "
        f"batches of {batch} in {arithmetic} arithmetic"
        f"{fixed('train.label_smoothing', smooth)}; {held_out} kept for validation."
    )
    seeds = (
        "Replicates differ in the seed of initialisation, data order and augmentation; cells of "
        "one replicate share it."
    )
    return [sentence, *_fixed(info), seeds, *_levels(info)]


def _fixed(info: Mapping[str, Any]) -> list[str]:
    """The factors that this grid held at one level."""
    fixed = (info.get("spec") or {}).get("fixed") or []
    levels = [f"{str(one['factor']).replace('_', ' ')} {one['label']}" for one in fixed]
    return [f"Held fixed: {listed(levels)}."] if levels else []


def _levels(info: Mapping[str, Any]) -> list[str]:
    """Parameters of levels that have any, so that a reader can repeat them."""
    factors = []
    for factor, labels in (info.get("levels") or {}).items():
        if "." in str(factor):
            continue
        shown = [
            f"{label} ({', '.join(f'{key} {value}' for key, value in sorted(parameters.items()))})"
            for label, one in labels.items()
            if (parameters := dict(one.get("parameters") or {}))
        ]
        if shown:
            factors.append(f"{str(factor).replace('_', ' ')}: {'; '.join(shown)}")
    return [f"Parameters of the levels: {'. '.join(factors)}."] if factors else []


def _outcomes(study: Study) -> list[str]:
    if study.response != ACCURACY.column or "status" not in study.frame:
        return []
    target = study.goal.target
    text = (
        "a run was better than guessing when its test accuracy was above chance by an exact "
        "one-sided binomial test at the 5% level; a run whose loss or weights became non-finite "
        "diverged and counts with the accuracy of chance"
    )
    if target is None:
        return [f"{text[:1].upper()}{text[1:]}."]
    derived = (
        ", half way from chance to the best combination's mean best validation accuracy,"
        if target.derived
        else ""
    )
    return [
        f"A run reached the target when its validation accuracy was {percent(target.accuracy)} or "
        f"more{derived} after some epoch and its loss stayed finite to the end; {text}. Time to "
        "target is the first such epoch, runs that never got there counting with the epoch budget."
    ]


def _analysis(study: Study) -> str:
    effects = study.estimates()
    rule = effects.rule
    shared = (
        f"runs that share a seed were not independent (F test, {p_phrase(rule.p)})"
        if rule.p < SIGNIFICANT
        else "it could not be ruled out that runs that share a seed move together"
    )
    convergence = (
        f" Which runs {study.goal.did} was analysed by exact Cochran–Mantel–Haenszel tests "
        "stratified by all other factors, combinations of two levels by Fisher's exact test "
        "against all other runs where no factor alone was shown to decide, and Newcombe intervals "
        "for differences of rates."
        if "converged" in set(study.frame.columns) - set(study.factors)
        else ""
    )
    return (
        f"Effects on {study.measure.name} are contrasts of equal-weight marginal means of the "
        f"cell means. {INTERVALS[rule.primary].format(shared=shared)}; {MEANS[rule.means]}. p "
        "values of differences between levels are those of the same t, Holm-adjusted over all "
        f"differences; those of whole terms are those of {TESTS[effects.deciding]}, Holm-adjusted "
        "over all terms. Variance shares are those of the exact "
        f"functional analysis of variance of the cell means, corrected for noise.{convergence}"
    )


def _provenance(study: Study) -> list[str]:
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return []
    sentences = []
    versions = next((one for one in attempts["versions"] if isinstance(one, dict) and one), {})
    commits = [str(one)[:10] for one in attempts["commit"].dropna().unique()]
    named = [f"{name} {versions[name]}" for name in ("torch", "python") if name in versions]
    if named or commits:
        dirty = attempts["dirty"].fillna(value=False).astype(bool).any()
        changes = " with uncommitted changes" if dirty else ""
        code = f"code at commit {listed(commits[:3])}{changes}" if commits else ""
        sentences.append(f"Software: {listed([one for one in (*named, code) if one])}.")
    places = _places(attempts)
    if places:
        sentences.append(f"Runs trained on {listed(places)}.")
    seconds = study.runs.get(SECONDS.column)
    if seconds is not None and seconds.notna().any():
        sentences.append(f"Training took {duration(float(seconds.sum()))} in all.")
    return sentences


def _places(attempts: pd.DataFrame) -> list[str]:
    """Kinds of devices that trained, with the processor's name where one is known."""
    if "device" not in attempts:
        return []
    kinds = sorted(attempts["device"].dropna().astype(str).str.split(":").str[0].unique())
    facts = attempts.get("provenance", ())
    models = {
        str(one["processor"]) for one in facts if isinstance(one, dict) and one.get("processor")
    }
    cores = f"CPU cores ({listed(sorted(models))})" if models else "CPU cores"
    names = {"cpu": cores, "cuda": "CUDA devices", "mps": "Apple's GPU"}
    return [names.get(kind, kind) for kind in kinds if kind]
