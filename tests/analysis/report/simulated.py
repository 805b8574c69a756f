"""A study in a real store whose cells ended as a made-up law says: quick, seeded, all statuses.

The grid is read from a specification like any other; only the training is replaced by a formula,
because what is tested here begins with the outcomes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from runner.content.cell import Cell
from runner.content.outcome import Epoch, Outcome, Reason, Status
from runner.design import design_of
from runner.spec import load_spec
from runner.store import StudyInfo, open_store

ROOT = Path(__file__).parents[3]
FIVE_FACTOR = ROOT / "ablations" / "five_factor.yaml"
PROVENANCE = {
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "dirty": False,
    "versions": {"python": "3.11.9", "torch": "2.9.0", "numpy": "2.1.0"},
}

SALT = "14"
"""Of the noise: with it the studies of these tests are what the tests are about."""


FIXED = {
    "augmentation": "none", "scheduler": "constant", "init": "he", "bn_placement": "before",
    "optimizer": "adam",
}  # fmt: skip
"""The level of a factor that a specification of a test does not vary."""


def specification(folder: Path, factors: Mapping[str, object], **settings: object) -> Path:
    """Write a specification with these factors; `settings` are further sections of the file."""
    fixed = {name: level for name, level in FIXED.items() if name not in factors}
    content = {
        "name": "small", "factors": dict(factors), "fixed": fixed, "data": {"name": "digits"},
        "train": {"epochs": 3, "target": 0.5}, "replicates": 2, **settings,
    }  # fmt: skip
    path = folder / "small.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def simulate(
    folder: Path,
    specification: Path = FIVE_FACTOR,
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    finished: float = 1.0,
    failing: int = 0,
    seed: int = 0,
    lost: Callable[[Cell], bool] = lambda cell: False,
    law: Callable[[Cell, int], Outcome] | None = None,
) -> tuple[str, StudyInfo]:
    """Plan the specification in a new store and end the first `finished` share of its cells.

    Args:
        folder: gets store.db.
        specification: the YAML file.
        profile: its profile; by default "cpu" of the shipped grid, "default" of another.
        overrides: as on the command line.
        finished: share of the cells that have an outcome.
        failing: so many of those fail with a bug instead.
        seed: of the law's effects.
        lost: which cells fail as well.
        law: what a cell and the seed give; by default `outcome`.

    Returns:
        The store's address and the study.
    """
    profile = profile or ("cpu" if specification == FIVE_FACTOR else "default")
    # The law has a shock of each replicate.
    spec = load_spec(specification, profile, ["seeds=shared", *overrides], cuda_visible=False)
    design = design_of(spec)
    url = f"sqlite:///{folder / 'store.db'}"
    with open_store(url, create=True) as store:
        info = store.register(
            name=spec.study,
            profile=spec.profile,
            spec=spec.to_dict(),
            factors={factor.name: factor.levels for factor in spec.factors},
            replicates=spec.replicates,
            claims=[claim.text for claim in spec.claims],
        )
        store.plan(info, [(cell, order) for order, cell in enumerate(design.cells)])
        count = round(finished * len(design.cells))
        held = store.claim_many(
            info, "host:1", count, lease_seconds=600, slot="cpu:0", device="cpu",
            provenance=PROVENANCE,
        )  # fmt: skip
        for place, claim in enumerate(held):
            if place >= len(held) - failing or lost(claim.cell):
                store.fail(claim, Reason.BUG, "ValueError: made up", retry=False)
            else:
                store.finish(claim, (law or outcome)(claim.cell, seed))
        return url, store.find_study(info.name)


def outcome(cell: Cell, seed: int = 0) -> Outcome:
    """What the law says of a cell: effects of levels and pairs, a shock per replicate, noise."""
    logit = 1.1
    for level in cell.levels:
        logit += 0.8 * _draw(seed, level.factor, level.label)
    for first in cell.levels:
        for second in cell.levels:
            if first.factor < second.factor:
                logit += 0.25 * _draw(seed, first.label, second.label, first.factor)
    logit += 0.005 * _draw(seed, "replicate", str(cell.replicate))
    # Not by its id: what this program calls a cell must not change what is simulated of it.
    run = (SALT, *(f"{level.factor}={level.label}" for level in cell.levels), str(cell.replicate))
    noise = _draw(seed, *run)
    logit += 0.08 * noise
    accuracy = round(1797 * 0.2 / (1 + np.exp(-logit))) / 359.4
    accuracy = float(np.clip(accuracy, 0.02, 0.995))
    epochs = cell.train.epochs
    common = {
        "n_test": 359, "classes": 10, "epochs_budget": epochs, "parameters": 150_000,
        "train_images": 1200, "peak_memory_bytes": 50_000_000,
    }  # fmt: skip
    diverges = _draw(seed, "diverges", *run) > 0.3 and logit < 0.8
    if diverges:
        return Outcome(
            Status.DIVERGED, test_accuracy=0.1, test_correct=36, epochs_run=2, diverged_epoch=3,
            seconds=1.1, cpu_seconds=1.0, detail="the loss was not finite in epoch 3",
            curve=_curve(0.2, 2, noise), **common,
        )  # fmt: skip
    if logit < -0.2:
        return Outcome(
            Status.STALLED, test_accuracy=0.103, test_correct=37, test_loss=2.302,
            epochs_run=epochs, seconds=4.0, cpu_seconds=3.9, curve=_curve(0.1, epochs, noise),
            best_validation_accuracy=0.11, final_validation_accuracy=0.1, **common,
        )  # fmt: skip
    curve = _curve(accuracy, epochs, noise)
    return Outcome(
        Status.LEARNED,
        test_accuracy=accuracy,
        test_loss=float(-np.log(accuracy)),
        test_correct=round(accuracy * 359),
        best_validation_accuracy=max(row.validation_accuracy for row in curve),
        final_validation_accuracy=curve[-1].validation_accuracy,
        epochs_run=epochs,
        seconds=4.0 + 0.3 * noise,
        cpu_seconds=3.9,
        notes=("horizontal flip left out: mirroring changes labels",),
        curve=curve,
        **common,
    )  # type: ignore[arg-type]


def _curve(accuracy: float, epochs: int, noise: float) -> tuple[Epoch, ...]:
    rows = []
    for epoch in range(1, epochs + 1):
        share = 1 - np.exp(-(3.2 + 0.3 * noise) * epoch / epochs)
        wiggle = 0.01 * np.sin(epoch * (2 + noise))
        value = float(np.clip(0.1 + (accuracy * 1.03 - 0.1) * share + wiggle, 0, 1))
        rows.append(
            Epoch(epoch, 2.4 - 2.0 * value, value, 2.4 - 1.9 * value, value, 0.1, 1.5, 0.7, 1700.0)
        )
    return tuple(rows)


def _draw(seed: int, *names: str) -> float:
    """A standard normal number that only these names decide."""
    digest = hashlib.sha256("\0".join([str(seed), *names]).encode()).digest()
    return float(np.random.default_rng(int.from_bytes(digest[:8], "big")).normal())
