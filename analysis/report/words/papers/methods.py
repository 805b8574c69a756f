"""The methods paragraph: what was run and how it was analysed, ready for a paper.

Every number comes from the study, and is said through `say`, which may put a macro in its place;
what a table does not know (network, data) is left out rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.report.words.papers.inference import analysed
from analysis.report.words.papers.macros import Say, plainly
from analysis.tuning.words import cost_of
from runner.content.own.trainer import Trainer
from runner.content.response import ACCURACY, SECONDS
from runner.data.folder import folder_words
from runner.network.layout import STAGES
from runner.program.wording import counted, duration, listed

if TYPE_CHECKING:
    from analysis.study import Study

BUILT_IN = "vgg"
"""The network of this program; others are a plugin's."""
ONLY_BUILT_IN = ("model.depth", "model.width", "model.dropout")
"""Fields that a plugin's function is not told."""

SEEDS = {
    False: "every run drew its own.",
    True: "cells of one replicate share it.",
}
"""By whether seeds are shared."""


def methods(study: Study, say: Say = plainly) -> str:
    """One paragraph in the past tense."""
    parts = [_design(study, say), *_training(study, say), *_tuned(study, say)]
    parts += _outcomes(study, say)
    parts += [analysed(study, say), *_provenance(study, say)]
    return " ".join(part for part in parts if part)


def _design(study: Study, say: Say) -> str:
    sizes = [len(levels) for levels in study.factors.values()]
    described = [
        f"{name.replace('_', ' ')} ({', '.join(levels)})" for name, levels in study.factors.items()
    ]
    cells = len(study.cells.ran)
    whole = int(np.prod(sizes))
    ran = say("Cells", str(cells), "combinations of levels that ran")
    of = say("Combinations", str(whole), "combinations of levels in all")
    grid = say("Grid", " × ".join(map(str, sizes)), "levels of each factor")
    part = f"{ran} of the {of} cells of a {grid} factorial"
    kind = f"a {grid} full factorial" if cells == whole else part
    counts = study.cells.counts[~study.cells.empty]
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (0, 0)
    span, runs = ("" if low == high else f"{low} to ") + f"{high:,}", study.cells.n
    times = say("Replicates", span, "runs of a combination") + _noun(high, "replicate")
    all_runs = say("Runs", f"{runs:,}", "runs with a result") + _noun(runs, "run")
    return f"We ran {kind} of {listed(described)}, each cell with {times} ({all_runs})."


def _noun(number: int, noun: str) -> str:
    """What stands behind a number that is said."""
    return counted(number, noun).removeprefix(f"{number:,}")


def own_trainer(study: Study) -> str | None:
    """The function or command of somebody's own that the study's runs called."""
    trainer = (study.info.get("spec") or {}).get("trainer")
    return None if trainer is None else f"the {Trainer.from_dict(trainer).words}"


def varied(study: Study) -> set[str]:
    """Fields of the protocol that are factors of this grid: "model.depth"."""
    sections = ("data.", "model.", "train.")
    return {name for name in study.factors if name.startswith(sections)}


def network_of(study: Study) -> str:
    """The network by name, and by depth where it is built in; "" where nothing is known."""
    model, free = dict(study.info.get("model") or {}), varied(study)
    if not model:
        return ""
    if "model.name" in free:
        return "network"
    if model.get("name") != BUILT_IN:
        return str(model.get("name") or "network")
    depth = "" if "model.depth" in free else str(model.get("depth") or "")
    return "-".join(part for part in (BUILT_IN.upper(), depth) if part)


def _networks(study: Study) -> list[str]:
    """Names of the networks that were trained: one, or the levels of `model.name`."""
    model = dict(study.info.get("model") or {})
    return list(study.factors.get("model.name", (str(model.get("name")),)))


def without_block(study: Study) -> bool:
    """Whether no network was built with `block`, so that `bn_placement` says nothing of it."""
    tried = dict((study.info.get("spec") or {}).get("networks") or {})
    return not any(
        name == BUILT_IN or tried.get(name, {}).get("calls_block", False)
        for name in _networks(study)
    )


def _built(study: Study, say: Say) -> str:
    """What the network was made of, in brackets: its layers and its trainable weights."""
    facts = [] if "model.name" in varied(study) else _layers(study)
    weights = study.facts.get("parameters", pd.Series()).dropna()
    if len(weights):
        low, high = int(weights.min()), int(weights.max())
        span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        facts.append(f"{say('Weights', span, 'weights of the network')} trainable weights")
    return f" ({'; '.join(facts)})" if facts else ""


def _layers(study: Study) -> list[str]:
    """The layers with weights, counted: of the built-in network as it is built from its depth."""
    model, free = dict(study.info.get("model") or {}), varied(study)
    name = str(model.get("name"))
    if name != BUILT_IN:
        tried = dict((study.info.get("spec") or {}).get("networks") or {})
        kinds = dict(tried.get(name, {}).get("layers") or {})
        return [listed([f"{count} {kind}" for kind, count in kinds.items()])] if kinds else []
    if "model.depth" in free or not model.get("depth"):
        return []
    convolutions = sum(STAGES[int(model["depth"])])
    return [f"{convolutions} convolutions and 1 linear layer"]


def _training(study: Study, say: Say) -> list[str]:
    info = study.info
    if (called := own_trainer(study)) is not None:
        own_seeds = (
            f"Replicates differ in the seed that a run is given; {SEEDS[study.shares_seeds]}"
        )
        return [f"Each run called {called}.", *_fixed(study), own_seeds, *_levels(info)]
    data, model, train = (dict(info.get(key) or {}) for key in ("data", "model", "train"))
    if not (data and model and train):
        return []
    free = varied(study)

    def fixed(field: str, text: str, otherwise: str = "") -> str:
        """Said of a field that all runs share; of a factor the levels say it."""
        return otherwise if field in free else text

    depth = scaled = ""
    if BUILT_IN in _networks(study):  # a plugin's function is not told of them
        depth = " of varied depth" if "model.depth" in free else ""
        width = float(model.get("width", 1.0))
        scaled = "" if width == 1 else f" with {width:g} times the usual channels"
        scaled = fixed("model.width", scaled, " of varied width")

    def number(field: str, name: str, text: str, about: str) -> str:
        """Said of a field that all runs share; another has no one number."""
        return "" if field in free else say(name, text, about)

    named = "model.name" not in free and model.get("name") != BUILT_IN
    article = "the network" if named else "a"
    own = [one.rpartition(".")[2] for one in free if one.startswith("model.parameters.")]
    if own:
        depth = f" of varied {listed(sorted(own))}"
    limit = ""
    if data.get("limit"):
        images = f"{data['limit']:,}"
        most = number("data.limit", "TrainingImages", images, "training images at most")
        limit = f" (at most {most} training images)"
    limit = fixed("data.limit", limit, " (a varied number of training images)")
    smoothing = train.get("label_smoothing")
    smooth = decays = ""
    if smoothing:
        share = f"{smoothing:g}"
        share = number("train.label_smoothing", "LabelSmoothing", share, "label smoothing")
        smooth = f" and label smoothing {share}"
    if (decay := train.get("weight_decay")) is not None:
        decay = number("train.weight_decay", "WeightDecay", f"{decay:g}", "weight decay")
        decays = f" and weight decay {decay} in place of the optimizer's own"
    count = int(train.get("epochs", 0))
    epochs = number("train.epochs", "Epochs", f"{count:,}", "epochs") + _noun(count, "epoch")
    epochs = fixed("train.epochs", epochs, "a varied number of epochs")
    size = str(train.get("batch_size"))
    size = number("train.batch_size", "BatchSize", size, "images in a batch")
    batch = fixed("train.batch_size", f"{size} images", "varied size")
    arithmetic = fixed("train.precision", str(train.get("precision")), "varied")
    kept = f"{float(data.get('validation', 0)):.0%}"
    kept = number("data.validation", "ValidationShare", kept, "of the training images, held out")
    held_out = fixed(
        "data.validation",
        f"{kept} of the training images were",
        "a varied share of the training images was",
    )
    sentence = (
        f"Each run trained {article} {network_of(study)}{depth}{scaled}{_built(study, say)} on "
        f"{fixed('data.name', str(data.get('name')), 'varied data')}{limit} for {epochs} with "
        f"batches of {batch} in {arithmetic} arithmetic"
        f"{fixed('train.label_smoothing', smooth)}{fixed('train.weight_decay', decays)}; "
        f"{held_out} kept for validation."
    )
    seeds = (
        "Replicates differ in the seed of initialisation, data order and augmentation; "
        f"{SEEDS[study.shares_seeds]}"
    )
    return [sentence, *_images(info), *_fixed(study), seeds, *_levels(info)]


def _tuned(study: Study, say: Say) -> list[str]:
    """What was tuned before the grid, and how."""
    if not study.searched:
        return []
    names = list(dict.fromkeys(one.name for group in study.searched for one in group.ranges))
    per = [factor.replace("_", " ") for factor, _ in study.searched[0].group]
    runs = f"{int(cost_of(study)['runs']):,}"
    runs = say("TuningRuns", runs, "runs that tuned")
    were = "was" if len(names) == 1 else "were"
    each = "level" if len(per) == 1 else "combination"
    return [
        f"Before the grid {listed(names)} {were} tuned for each {each} of {listed(per)} on "
        f"validation data, in {runs} runs whose seeds the grid does not use."
    ]


def _images(info: Mapping[str, Any]) -> list[str]:
    """What lay in an image folder and what became of it."""
    facts = (info.get("spec") or {}).get("images")
    return [f"The images: {'; '.join(folder_words(facts))}."] if facts else []


def held(study: Study) -> list[tuple[str, str]]:
    """Factors that this grid held at one level, with it, without what reached no network."""
    fixed = (study.info.get("spec") or {}).get("fixed") or []
    pairs = [(str(one["factor"]), str(one["label"])) for one in fixed]
    return [one for one in pairs if one[0] != "bn_placement" or not without_block(study)]


def shared(study: Study) -> list[tuple[str, str]]:
    """Fields of the protocol that all runs shared, with their values.

    None that is varied, and none that only the built-in network reads where it was not trained.
    """
    free = varied(study)
    rows = []
    for section in ("data", "model", "train"):
        for name, value in dict(study.info.get(section) or {}).items():
            field = f"{section}.{name}"
            unread = field in ONLY_BUILT_IN and BUILT_IN not in _networks(study)
            if isinstance(value, dict):
                own = {k: v for k, v in value.items() if f"{field}.{k}" not in free}
                rows += [(f"{field}.{key}", str(one)) for key, one in own.items()]
            elif name != "root" and value not in (None, []) and field not in free and not unread:
                rows.append((field, str(value)))
    return rows


def _fixed(study: Study) -> list[str]:
    """The factors that this grid held at one level."""
    levels = [f"{factor.replace('_', ' ')} {label}" for factor, label in held(study)]
    return [f"Held fixed: {listed(levels)}."] if levels else []


def _levels(info: Mapping[str, Any]) -> list[str]:
    """Parameters of levels that have any, so that a reader can repeat them."""
    factors = []
    fixed = (info.get("spec") or {}).get("fixed") or []
    held = {str(one["factor"]): {str(one["label"]): one} for one in fixed}
    for factor, labels in {**(info.get("levels") or {}), **held}.items():
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


def _outcomes(study: Study, say: Say) -> list[str]:
    if study.response != ACCURACY.column or "status" not in study.facts:
        return []
    target = study.goal.target
    text = (
        "a run was better than guessing when its test accuracy was above chance by an exact "
        "one-sided binomial test at the 5% level; a run whose loss or weights became non-finite "
        "diverged and counts with the accuracy of chance"
    )
    if target is None:
        return [f"{text[:1].upper()}{text[1:]}."]
    amount = say("Target", target.amount, "validation accuracy to be reached")
    derived = (
        ", half way from chance to the best combination's mean best validation accuracy,"
        if target.derived
        else ""
    )
    return [
        f"A run reached the target when its validation accuracy was {amount} or "
        f"more{derived} after some epoch and its loss stayed finite to the end; {text}. Time to "
        "target is the first such epoch, runs that never got there counting with the epoch budget."
    ]


def _provenance(study: Study, say: Say) -> list[str]:
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return []
    sentences = []
    versions = next((one for one in attempts["versions"] if isinstance(one, dict) and one), {})
    commits = [str(one)[:10] for one in attempts["commit"].dropna().unique()]
    spec = study.info.get("spec") or {}
    torch = () if "trainer" in spec and "torch" not in spec.get("libraries", ()) else ("torch",)
    named = [f"{name} {versions[name]}" for name in (*torch, "python") if name in versions]
    if named or commits:
        dirty = attempts["dirty"].fillna(value=False).astype(bool).any()
        changes = " with uncommitted changes" if dirty else ""
        code = f"code at commit {listed(commits[:3])}{changes}" if commits else ""
        software = listed([one for one in (*named, code) if one])
        sentences.append(f"Software: {say('Software', software, 'versions and commit')}.")
    places = places_of(attempts)
    if places:
        sentences.append(f"Runs trained on {say('Devices', listed(places), 'what trained')}.")
    seconds = study.facts.get(SECONDS.column)
    if seconds is not None and seconds.notna().any():
        took = say("TrainingTime", duration(float(seconds.sum())), "training time of all runs")
        sentences.append(f"Training took {took} in all.")
    return sentences


def places_of(attempts: pd.DataFrame) -> list[str]:
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
