"""The methods paragraph: what was run and how it was analysed, ready for a paper.

Every number comes from the study; what a table does not know (network, data) is left out rather
than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.report.caveats import SIGNIFICANT
from analysis.report.drawings import measure_of
from analysis.report.wording import counted, equals, listed

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
    "welch": "Johansen's Welch-James tests, which let every cell have its own variance",
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
    cells = int((~study.cells.empty).sum())
    whole = int(np.prod(sizes))
    kind = "full factorial" if cells == whole else f"{cells} of {whole} cells of a factorial"
    grid = " × ".join(map(str, sizes))
    counts = study.cells.counts[~study.cells.empty]
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (0, 0)
    times = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"We ran a {grid} {kind} of {listed(described)}, each cell with {times} "
        f"{'replicate' if high == 1 else 'replicates'} ({counted(study.cells.n, 'run')})."
    )


def _training(study: Study) -> list[str]:
    info = study.info
    data, model, train = (dict(info.get(key) or {}) for key in ("data", "model", "train"))
    if not (data and model and train):
        return []
    network = f"{str(model.get('name', 'network')).upper()}-{model.get('depth', '')}".rstrip("-")
    width = model.get("width", 1.0)
    scaled = "" if width == 1 else f" with {width:g} times the usual channels"
    limit = f" (at most {data['limit']:,} training images)" if data.get("limit") else ""
    smoothing = (
        f" and label smoothing {train['label_smoothing']:g}" if train.get("label_smoothing") else ""
    )
    sentence = (
        f"Each run trained a {network}{scaled} on {data.get('name')}{limit} for "
        f"{counted(int(train.get('epochs', 0)), 'epoch')} with batches of "
        f"{train.get('batch_size')} images in {train.get('precision')} arithmetic{smoothing}; "
        f"{float(data.get('validation', 0)):.0%} of the training images were kept for validation."
    )
    seeds = (
        "Replicates differ in the seed of initialisation, data order and augmentation; cells of "
        "one replicate share it."
    )
    return [sentence, seeds, *_levels(info)]


def _levels(info: Mapping[str, Any]) -> list[str]:
    """Parameters of levels that have any, so that a reader can repeat them."""
    said = []
    for factor, labels in (info.get("levels") or {}).items():
        if "." in str(factor):
            continue
        shown = [
            f"{label} ({', '.join(f'{key} {value}' for key, value in sorted(parameters.items()))})"
            for label, one in labels.items()
            if (parameters := dict(one.get("parameters") or {}))
        ]
        if shown:
            said.append(f"{str(factor).replace('_', ' ')}: {'; '.join(shown)}")
    return [f"Parameters of the levels: {'. '.join(said)}."] if said else []


def _outcomes(study: Study) -> list[str]:
    if study.response != "test_accuracy" or "status" not in study.frame:
        return []
    target = (study.info.get("train") or {}).get("target")
    text = (
        "A run converged when its test accuracy was above chance by an exact one-sided binomial "
        "test at the 5% level; a run whose loss or weights became non-finite diverged and counts "
        "with the accuracy of chance"
    )
    reached = (
        f"; time to target is the first epoch with a validation accuracy of {float(target):.0%} or "
        "more, runs that never got there counting with the epoch budget"
        if target
        else ""
    )
    return [f"{text}{reached}."]


def _analysis(study: Study) -> str:
    found = study.estimates()
    rule = found.rule
    shared = (
        f"runs that share a seed were not independent (F test, p {equals(rule.p)})"
        if rule.p < SIGNIFICANT
        else "it could not be ruled out that runs that share a seed move together"
    )
    convergence = (
        " Convergence was analysed by exact Cochran–Mantel–Haenszel tests stratified by all other "
        "factors, Newcombe intervals for differences of rates and Firth's penalised logistic "
        "regression."
        if "converged" in study.frame
        else ""
    )
    return (
        f"Effects on {measure_of(study).name} are contrasts of equal-weight marginal means of the "
        f"cell means. {INTERVALS[rule.primary].format(shared=shared)}; {MEANS[rule.means]}. p "
        "values of differences between levels are those of the same t, Holm-adjusted over all "
        f"differences; those of whole terms are those of {TESTS[found.deciding]}, Holm-adjusted "
        "over all terms. Variance shares are those of the exact "
        f"functional analysis of variance of the cell means, corrected for noise.{convergence}"
    )


def _provenance(study: Study) -> list[str]:
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return []
    said = []
    versions = next((one for one in attempts["versions"] if isinstance(one, dict) and one), {})
    commits = [str(one)[:10] for one in attempts["commit"].dropna().unique()]
    named = [f"{name} {versions[name]}" for name in ("torch", "python") if name in versions]
    if named or commits:
        code = f"code at commit {listed(commits[:3])}" if commits else ""
        said.append(f"Software: {listed([one for one in (*named, code) if one])}.")
    seconds = pd.to_numeric(study.frame.get("seconds", pd.Series(dtype=float)), errors="coerce")
    if seconds.notna().any():
        said.append(f"Training took {seconds.sum() / 3600:.1f} hours in all.")
    return said
