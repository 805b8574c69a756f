"""A whole report of any study: every kind of design, any number of runs lost, any prefix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

import analysis
from ablations.errors import InputError
from analysis.commands import run
from analysis.dashboard.board import _note_of, _panels_of
from analysis.document.document import SCHEMA_PATH
from analysis.study import Study, known
from runner.content.cell import Cell
from runner.content.outcome import Outcome, Status
from tests.analysis.report.simulated import _draw, outcome, simulate, specification
from tests.analysis.report.sketch import sketched

SCHEMA = jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text("utf-8")))
LEVELS: dict[str, list[Any]] = {
    "optimizer": [{"as": f"o{i}", "adam": {"lr": 1e-4 * (i + 1)}} for i in range(6)],
    "model.depth": [11, 13, 16, 19],
    "train.batch_size": [16, 32, 64, 128, 256, 512],
    "model.width": [0.125, 0.25, 0.5, 0.75, 1.0, 2.0],
    "model.dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "train.epochs": [2, 3, 4, 5, 6, 7],
}
MOST_CELLS = 72
"""Combinations of a full grid."""
CLAIMS = [f"optimizer: o0 > o1{outcome}" for outcome in ("", " on convergence")]
CLAIMS += ["optimizer: o0 < o1 on epochs"]


def _facts(cell: Cell) -> dict[str, Any]:
    return {
        "n_test": 359, "classes": 10, "epochs_budget": cell.train.epochs, "parameters": 1,
        "train_images": 1200, "peak_memory_bytes": 1, "seconds": 1.0, "cpu_seconds": 1.0,
        "curve": (),
    }  # fmt: skip


def all_diverge(cell: Cell, seed: int) -> Outcome:
    return Outcome(Status.DIVERGED, test_accuracy=0.1, test_correct=36, epochs_run=2,
                   diverged_epoch=3, detail="not finite", **_facts(cell))  # fmt: skip


def all_the_same(cell: Cell, seed: int) -> Outcome:
    return Outcome(Status.STALLED, test_accuracy=0.5, test_loss=1.0, test_correct=180, epochs_run=3,
                   best_validation_accuracy=0.1, final_validation_accuracy=0.1,
                   **_facts(cell))  # fmt: skip


def near_the_ceiling(cell: Cell, seed: int) -> Outcome:
    """Half of the combinations never vary, the others are near 100 %."""
    varies = _draw(seed, *(level.label for level in cell.levels)) > 0
    accuracy = float(np.clip(0.99 + 0.02 * varies * _draw(seed, cell.id), 0.05, 1.0))
    return Outcome(Status.LEARNED, test_accuracy=accuracy, test_loss=0.1, epochs_run=3,
                   test_correct=round(accuracy * 359), epochs_to_target=2 + (accuracy < 0.99),
                   best_validation_accuracy=accuracy, final_validation_accuracy=accuracy,
                   **_facts(cell))  # fmt: skip


def by_chance(cell: Cell, seed: int) -> Outcome:
    law = all_diverge if _draw(seed, "chance", cell.id) > 0.3 else near_the_ceiling
    return law(cell, seed)


LAWS = [outcome, all_diverge, all_the_same, near_the_ceiling, by_chance]


@dataclass(frozen=True)
class Case:
    """A study to be made."""

    sizes: tuple[int, ...]
    replicates: int
    design: dict[str, Any]
    law: Callable[[Cell, int], Outcome]
    lost: float
    whole: bool  # whether whole combinations are lost, else single runs
    finished: float
    seed: int

    def study(self, folder: Path) -> Study:
        factors = dict(zip(LEVELS, self.sizes, strict=False))
        chosen = {name: LEVELS[name][:size] for name, size in factors.items()}
        path = specification(
            folder, chosen, replicates=self.replicates, claims=CLAIMS, **self.design
        )

        def lost(cell: Cell) -> bool:
            names = [level.label for level in cell.levels] if self.whole else [cell.id]
            return _share(_draw(self.seed, "lost", *names)) < self.lost

        url, info = simulate(
            folder, path, finished=self.finished, seed=self.seed, lost=lost, law=self.law
        )
        return analysis.load(info.name, url)


def _share(normal: float) -> float:
    """Where a standard normal number stands among all, roughly."""
    return float(1 / (1 + np.exp(-1.7 * normal)))


@some.composite
def cases(draw: some.DrawFn) -> Case:
    kind = draw(some.sampled_from(["full", "full", "exclude", "regular", "d_optimal", "oa"]))
    sizes = tuple(draw(some.lists(some.integers(2, 6), min_size=1, max_size=6)))
    sizes = tuple(min(size, len(LEVELS[name])) for name, size in zip(LEVELS, sizes, strict=False))
    design: dict[str, Any] = {}
    if kind == "regular":
        sizes = (2,) * draw(some.integers(3, 6))
        design = {"design": {"kind": "regular", "resolution": draw(some.integers(3, len(sizes)))}}
    if kind == "oa":
        runs, sizes = draw(
            some.sampled_from([(4, (2,) * 3), (9, (3,) * 3), (9, (3,) * 4), (12, (2,) * 6)])
        )
        design = {"design": {"kind": "orthogonal", "runs": runs}}
    while kind in ("full", "exclude") and np.prod(sizes) > MOST_CELLS:
        sizes = sizes[:-1]
    if kind == "d_optimal":
        least = 1 + sum(size - 1 for size in sizes)
        runs = min(int(np.prod(sizes)), least + draw(some.integers(0, 3)))
        design = {"design": {"kind": "d_optimal", "runs": runs, "order": 1, "starts": 1}}
    if kind == "exclude" and len(sizes) > 1:
        design = {"exclude": [{"optimizer": "o0", "model.depth": 11}]}
    return Case(
        sizes,
        draw(some.integers(1, 3)),
        design,
        draw(some.sampled_from(LAWS)),
        draw(some.sampled_from([0.0, 0.0, 0.2, 0.5, 0.9])),
        draw(some.booleans()),
        draw(some.sampled_from([1.0, 1.0, 0.6, 0.2])),
        draw(some.integers(0, 9)),
    )


def check(study: Study, folder: Path) -> None:
    """A whole report, in which every part says the same of what cannot be estimated."""
    page = sketched(study, folder)
    assert "could not be made" not in page
    assert (folder / "findings.txt").read_text("utf-8").strip()
    assert _panels_of(study)
    assert "could not be made" not in _note_of(study)
    document = json.loads((folder / "effects.json").read_text("utf-8"))
    assert not [error.message for error in SCHEMA.iter_errors(document)]
    try:
        grid = study.grid
    except InputError:
        assert "Nothing can be estimated yet" in page
        return
    means = [row["mean"] for rows in document["marginal_means"].values() for row in rows]
    assert all(mean is None or 0 <= mean <= 1 for mean in means)
    shown = study.contrasts()
    if len(grid.cells.shape) > 1 and grid.order > 1 and not grid.screening:
        for rows in (shown, study.effects()):
            assert not rows["rests_on"].str.startswith("model of order 1").any()
    lost = shown["estimate"].isna() & (shown["method"] != "pooled")  # blocks may hide that one
    assert shown.loc[lost, "rests_on"].str.startswith("not estimable: ").all()
    tests = study.tests()
    assert list(tests["problem"] == "") == list(tests["p"].notna())
    for claim in study.claims().to_dict("records"):
        if claim["outcome"] == "accuracy":
            left, right = re.findall(r"(\w+) > (\w+)", claim["claim"])[0]
            pair = shown[shown["first"].isin([left, right]) & shown["second"].isin([left, right])]
            if pair["estimate"].isna().all():
                assert claim["verdict"] == "not testable"
    for ask in (study.decided, study.power, study.summary):
        known(ask)


def _any(case: Case) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        try:
            study = case.study(folder)
        except InputError:
            return  # no such design: the planner says so
        check(study, folder / "results")


SETTINGS: dict[str, Any] = {
    "derandomize": True, "database": None, "deadline": None, "print_blob": False,
    # A smaller failing case is worth minutes to nobody: one takes a second and says what it is.
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
@given(cases())
@settings(max_examples=4, **SETTINGS)
def test_any_study_has_a_whole_report(case: Case) -> None:
    _any(case)


@pytest.mark.long
@pytest.mark.timeout(3600)
@given(cases())
@settings(max_examples=150, **SETTINGS)
def test_many_studies_have_whole_reports(case: Case) -> None:
    _any(case)


@pytest.mark.slow
def test_after_every_single_run_there_is_a_report(tmp_path: Path) -> None:
    path = specification(
        tmp_path, {name: LEVELS[name][:2] for name in ("optimizer", "model.depth")}, claims=CLAIMS
    )
    for done in (0, 1, 3, 5, 8):
        folder = tmp_path / str(done)
        folder.mkdir()
        url, info = simulate(folder, path, finished=done / 8)
        check(analysis.load(info.name, url), folder / "results")


@pytest.mark.parametrize("kept", [0, 1])
def test_a_combination_without_a_result_ends_nothing(
    kept: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Beside it, one factor decides whether a network learns: without interactions, 130 %."""
    factors = {"bn_placement": ["none", "before"], "init": ["naive", "he"]}
    claims = ["bn_placement: before > none", "init: he > naive"]
    path = specification(tmp_path, factors, replicates=3, claims=claims)

    def lost(cell: Cell) -> bool:
        labels = [level.label for level in cell.levels]
        return cell.replicate >= kept and {"before", "he"} <= set(labels)

    def law(cell: Cell, seed: int) -> Outcome:
        labels = {level.label for level in cell.levels}
        one = all_diverge if {"none", "naive"} <= labels else near_the_ceiling
        return one(cell, seed)

    url, info = simulate(tmp_path, path, lost=lost, law=law)
    study = analysis.load(info.name, url)
    check(study, tmp_path / "results")
    empty = kept == 0
    assert study.effects()["effect"].isna().all() == empty
    means = study.effects()["mean"].to_numpy(float)
    assert np.nanmax(means) <= 1
    assert run(["claims", info.name, "--storage", url]) == 0
    assert run(["decided", info.name, "--storage", url]) == 0
    assert run(["power", info.name, "--storage", url]) == 0
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert ("NOT TESTABLE" in said) == empty


@pytest.mark.parametrize("done", [0, 3, 12])
def test_a_partial_report_by_the_command(
    done: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = specification(
        tmp_path, {name: LEVELS[name][:2] for name in ("optimizer", "model.depth", "model.width")}
    )
    url, info = simulate(tmp_path, path, finished=done / 16)
    folder = tmp_path / "results"
    assert run(["report", info.name, "--storage", url, "--partial", "--out", str(folder)]) == 0
    assert "could not be made" not in (folder / "report.html").read_text("utf-8")
    assert "Traceback" not in capsys.readouterr().err
