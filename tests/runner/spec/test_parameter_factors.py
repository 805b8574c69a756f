"""`optimizer.lr: [0.3, 0.1]`: a parameter of levels as a factor of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.errors import InputError
from analysis.effects.levels.axis import numeric_axes
from runner.content.cell import Cell
from runner.design import design_of
from runner.spec import Spec, load_spec
from runner.tuning.as_run import levels_as_run

FILE = """
name: t
factors:
  optimizer: [adam, {as: hot, sgd_momentum: {lr: 2.0}}]
  optimizer.lr: [0.1, 0.01, {as: tiny, value: 1.0e-5}]
fixed: {augmentation: none, init: he, bn_placement: before, scheduler: step}
replicates: 2
data: {name: digits}
model: {depth: 11}
"""


def spec_of(folder: Path, text: str = FILE) -> Spec:
    file = folder / "t.yaml"
    file.write_text(text)
    return load_spec(file, cuda_visible=False)


def test_the_value_is_put_into_the_level(tmp_path: Path) -> None:
    cells = design_of(spec_of(tmp_path)).cells
    assert len(cells) == 12
    rates = {(*c.labels.values(), c.level("optimizer").parameters["lr"]) for c in cells}
    assert rates == {
        (optimizer, label, rate)
        for optimizer in ("adam", "hot")
        for label, rate in (("0.1", 0.1), ("0.01", 0.01), ("tiny", 1e-5))
    }
    assert Cell.from_json(cells[0].to_json()).id == cells[0].id


def test_a_cell_is_the_same_whether_the_parameter_is_varied_or_written(tmp_path: Path) -> None:
    varied = {c.id for c in design_of(spec_of(tmp_path)).cells}
    text = FILE.replace("adam, {as: hot, sgd_momentum: {lr: 2.0}}",
                        "{adam: {lr: 0.01}}, {sgd_momentum: {lr: 0.1}}")  # fmt: skip
    text = text.replace("  optimizer.lr: [0.1, 0.01, {as: tiny, value: 1.0e-5}]\n", "")
    assert {c.id for c in design_of(spec_of(tmp_path, text)).cells} < varied


def test_of_a_fixed_level_too(tmp_path: Path) -> None:
    text = FILE.replace("optimizer.lr: [0.1, 0.01, {as: tiny, value: 1.0e-5}]",
                        "scheduler.factor: [0.1, 0.5]")  # fmt: skip
    factors = {
        c.level("scheduler").parameters["factor"] for c in design_of(spec_of(tmp_path, text)).cells
    }
    assert factors == {0.1, 0.5}


def test_its_levels_are_numbers_on_a_log_scale(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FILE.replace("{as: tiny, value: 1.0e-5}", "0.001"))
    declared = {
        factor: {
            one.label: {"name": one.name, "parameters": dict(one.parameters)} for one in levels
        }
        for factor, levels in levels_as_run(spec).items()
    }
    axis = numeric_axes({f.name: f.labels for f in spec.factors}, declared)["optimizer.lr"]
    assert axis.log
    assert axis.values.tolist() == [0.1, 0.01, 0.001]
    assert all("lr" not in one["parameters"] for one in declared["optimizer"].values())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("optimizer.lr:", "optimizer.lrr:"), "did you mean 'lr'?"),
        (("[0.1, 0.01,", '[0.1, "a",'), "expected a valid number"),
        (("[0.1, 0.01,", "[0.1, -0.01,"), "expected above 0"),
        (
            ("[0.1, 0.01, {as: tiny, value: 1.0e-5}]", "[0.1]"),
            "write 'optimizer: {LEVEL: {lr: 0.1}}'",
        ),
        (("optimizer.lr: [0.1", "loss.gamma: [0.1"), "'loss' is neither varied nor fixed"),
        (("scheduler: step}", "scheduler: step, optimizer.lr: 0.1}"), "write it into the level"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    text = FILE.replace(*change)
    assert text != FILE
    with pytest.raises(InputError) as error:
        spec_of(tmp_path, text)
    assert problem in str(error.value)


def test_levels_that_would_all_be_one_training_are_refused(tmp_path: Path) -> None:
    text = FILE.replace("optimizer: [adam, {as: hot, sgd_momentum: {lr: 2.0}}]",
                        "scheduler: [constant, step]")  # fmt: skip
    text = text.replace("optimizer.lr: [0.1, 0.01, {as: tiny, value: 1.0e-5}]",
                        "scheduler.factor: [0.1, 0.5]")  # fmt: skip
    text = text.replace("scheduler: step}", "optimizer: adam}")
    spec = spec_of(tmp_path, text)
    with pytest.raises(InputError, match="scheduler 'constant' has no parameter 'factor'") as error:
        design_of(spec)
    exclude = "exclude: [{scheduler: constant, scheduler.factor: 0.5}]"
    assert exclude in str(error.value)
    assert len(design_of(spec_of(tmp_path, text + exclude)).runs) == 3
