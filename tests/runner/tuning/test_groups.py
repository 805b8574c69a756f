"""Groups of the shipped trainer: what they hold, where they run, what the grid gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.design import design_of
from runner.spec import Spec, load_spec
from runner.spec.tune import Found
from runner.tuning.as_run import levels_as_run
from runner.tuning.groups import as_given, groups_of

FILE = """
name: t
factors:
  optimizer: [adam, {as: hot, sgd_momentum: {lr: 2.0}}]
  bn_placement: [none, before]
  scheduler: [one_cycle, constant]
fixed: {augmentation: none, init: he}
exclude: [{optimizer: hot, scheduler: one_cycle, bn_placement: none}]
replicates: 2
data: {name: digits}
model: {depth: 11}
tune:
  parameters: {optimizer.lr: {low: 1.0e-4, high: 1.0}, train.label_smoothing: SMOOTH}
  per: PER
  trials: 4
  runs: 2
  at: {scheduler: constant}
  set: {train.epochs: 3}
"""
SMOOTH = "{low: 0.0, high: 0.2, log: false}"


def spec_of(folder: Path, per: str = "optimizer", text: str = FILE) -> Spec:
    file = folder / "t.yaml"
    file.write_text(text.replace("PER", per).replace("SMOOTH", SMOOTH))
    return load_spec(file, cuda_visible=False)


def test_a_group_holds_its_levels_and_varies_its_parameters(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    adam, hot = groups_of(spec, design_of(spec))
    assert (adam.group, hot.group) == ((("optimizer", "adam"),), (("optimizer", "hot"),))
    assert adam.at == {"optimizer": "adam", "bn_placement": "none", "scheduler": "constant"}
    assert hot.given == {"optimizer.lr": 2.0, "train.label_smoothing": 0.0}
    assert hot.first == (1.0, 0.0)  # as near as the range comes
    trials = hot.design([hot.first, (0.01, 0.1)])
    assert len(trials.cells) == 4
    for cell in trials.cells:
        optimizer = cell.level("optimizer")
        assert optimizer.parameters["lr"] == float(cell.labels["optimizer.lr"])
        assert cell.train.label_smoothing == float(cell.labels["train.label_smoothing"])
        assert cell.train.epochs == 3
        assert cell.train.seed != spec.train.seed
    assert not {c.id for c in trials.cells} & {c.id for c in design_of(spec).cells}
    assert hot.spec.study.startswith(f"{spec.study}/tune/optimizer=hot-")
    assert hot.spec.study != adam.spec.study


def test_trials_run_at_a_combination_of_the_grid(tmp_path: Path) -> None:
    text = FILE.replace("at: {scheduler: constant}", "at: {scheduler: one_cycle}")
    spec = spec_of(tmp_path, text=text)
    _, hot = groups_of(spec, design_of(spec))
    assert hot.at["scheduler"] == "one_cycle" or hot.at["bn_placement"] == "none"
    assert hot.at in [cell.labels for cell in design_of(spec).cells]


def test_every_group_of_a_fraction_is_tuned_at_the_same_levels(tmp_path: Path) -> None:
    text = FILE.replace(
        "exclude: [{optimizer: hot, scheduler: one_cycle, bn_placement: none}]\n", ""
    )
    text = text.replace("at: {scheduler: constant}", "at: {scheduler: constant, init: naive}")
    text = text.replace(", init: he}", "}").replace(
        "factors:", "factors:\n  init: [he, naive, xavier]"
    )
    text += "design: {kind: d_optimal, runs: 9, order: 1}\n"
    spec = spec_of(tmp_path, per="[optimizer, bn_placement]", text=text)
    groups = groups_of(spec, design_of(spec))
    assert len(groups) == 4
    assert {(one.at["init"], one.at["scheduler"]) for one in groups} == {("naive", "constant")}


def test_what_was_found_is_what_cells_are(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, per="[optimizer, bn_placement]")
    groups = groups_of(spec, design_of(spec))
    assert len(groups) == 4
    found = tuple(
        Found(one.group, {"optimizer.lr": 0.01 * (i + 1), "train.label_smoothing": 0.1})
        for i, one in enumerate(groups)
    )
    tuned = replace(spec, found=found)
    assert Spec.from_dict(tuned.to_dict()).found == found
    cells = design_of(tuned).cells
    for cell in cells:
        (own,) = (one for one in found if one.is_of(cell.labels))
        assert cell.level("optimizer").parameters["lr"] == own.values["optimizer.lr"]
        assert cell.train.label_smoothing == 0.1
    before = design_of(spec).cells
    assert not {c.id for c in cells} & {c.id for c in before}
    assert {c.id for c in design_of(as_given(tuned)).cells} == {c.id for c in before}
    # A rate that differs between cells of a level is no parameter of it in tables.
    assert all("lr" not in one.parameters for one in levels_as_run(tuned)["optimizer"])
    one_each = replace(spec, found=(Found((("optimizer", "hot"),), {"optimizer.lr": 0.5}),))
    rates = [one.parameters["lr"] for one in levels_as_run(one_each)["optimizer"]]
    assert rates == [0.001, 0.5]


def test_what_is_changed_is_tuned_anew_and_a_budget_is_not(tmp_path: Path) -> None:
    def names(text: str) -> list[str]:
        spec = spec_of(tmp_path, text=text)
        return [one.spec.study for one in groups_of(spec, design_of(spec))]

    before = names(FILE)
    assert names(FILE.replace("trials: 4", "trials: 9")) == before
    assert names(FILE.replace("lr: 2.0", "lr: 1.5")) == before  # what is tuned is not held
    for change in (("high: 1.0", "high: 2.0"), ("epochs: 3", "epochs: 4")):
        assert not set(names(FILE.replace(*change))) & set(before)


def test_a_level_without_any_of_the_parameters_is_not_tuned(tmp_path: Path) -> None:
    text = FILE.replace("train.label_smoothing: SMOOTH", "scheduler.rise: {low: 0.1, high: 0.5}")
    text = text.replace("optimizer.lr: {low: 1.0e-4, high: 1.0}, ", "")
    text = text.replace("  at: {scheduler: constant}\n", "")
    spec = spec_of(tmp_path, per="scheduler", text=text)
    (only,) = groups_of(spec, design_of(spec))
    assert only.group == (("scheduler", "one_cycle"),)
    found = replace(spec, found=(Found(only.group, {"scheduler.rise": 0.2}),))
    for cell in design_of(found).cells:
        assert cell.level("scheduler").parameters.get("rise", 0.2) == 0.2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("optimizer.lr: {low", "optimizer.lrr: {low"), "has a parameter 'lrr'"),
        (("low: 1.0e-4", "low: -1.0"), "begins above 0"),
        (("train.epochs: 3", "train.epochs: 0"), "train.epochs"),
        (("train.epochs: 3", "train.epoch: 3"), "did you mean 'train.epochs'"),
        (("trials: 4", "trials: 4\n  response: accuracy"), "is of a trainer of one's own"),
    ],
)
def test_names_and_bounds_are_those_of_the_levels(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    with pytest.raises(InputError) as error:
        spec_of(tmp_path, text=FILE.replace(*change))
    assert problem in str(error.value)
    assert "tune" in str(error.value)
