"""Cells come replicate by replicate, shuffled by content, and keep their ids when more join."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations import registry
from ablations.errors import InputError
from runner.content.cell import Cell
from runner.design import design_of
from runner.spec import Factor, Level, Predicate, load_spec

from .conftest import MakeSpec

ROOT = Path(__file__).parents[3]


def test_every_combination_runs_once_a_replicate(make_spec: MakeSpec) -> None:
    design = design_of(make_spec([2, 3, 2], replicates=3))
    assert (design.combinations, design.replicates, design.excluded) == (12, 3, 0)
    assert len({cell.id for cell in design.cells}) == 36
    assert [cell.replicate for cell in design.cells] == [0] * 12 + [1] * 12 + [2] * 12
    assert design.level_counts == {
        "A": {"a0": 18, "a1": 18},
        "B": {"b0": 12, "b1": 12, "b2": 12},
        "C": {"c0": 18, "c1": 18},
    }
    assert not design.is_fraction


def test_the_order_within_a_replicate_is_shuffled_and_differs_between_replicates(
    make_spec: MakeSpec,
) -> None:
    design = design_of(make_spec([2, 3, 4], replicates=2))
    combinations = [tuple(cell.labels.values()) for cell in design.cells]
    first, second = combinations[:24], combinations[24:]
    assert set(first) == set(second)
    assert first != second
    assert first != sorted(first)


def test_planning_again_gives_the_same_order(make_spec: MakeSpec) -> None:
    one, other = (design_of(make_spec([3, 3], replicates=2)) for _ in range(2))
    assert [cell.id for cell in one.cells] == [cell.id for cell in other.cells]


@settings(max_examples=60, deadline=None)
@given(
    levels=st.lists(st.integers(2, 4), min_size=1, max_size=4),
    replicates=st.integers(1, 3),
    data=st.data(),
)
def test_reordering_the_file_changes_nothing(
    make_spec: MakeSpec, levels: list[int], replicates: int, data: st.DataObject
) -> None:
    spec = make_spec(levels, replicates=replicates)
    shuffled = replace(
        spec,
        factors=tuple(
            Factor(f.name, tuple(data.draw(st.permutations(f.levels))))
            for f in data.draw(st.permutations(spec.factors))
        ),
    )
    one, other = design_of(spec), design_of(shuffled)
    assert [cell.id for cell in one.cells] == [cell.id for cell in other.cells]


@settings(max_examples=60, deadline=None)
@given(
    levels=st.lists(st.integers(2, 4), min_size=1, max_size=4),
    factor=st.integers(0, 3),
    more=st.integers(0, 2),
)
def test_a_level_or_replicate_added_later_keeps_every_cell_and_their_order(
    make_spec: MakeSpec, levels: list[int], factor: int, more: int
) -> None:
    grown = list(levels)
    grown[factor % len(levels)] += 1
    before = design_of(make_spec(levels, replicates=2))
    after = design_of(make_spec(grown, replicates=2 + more))
    ids = {cell.id for cell in before.cells}
    assert ids <= {cell.id for cell in after.cells}
    kept = [cell.id for cell in after.cells if cell.id in ids]
    assert kept == [cell.id for cell in before.cells]


def test_aliases_and_time_limits_do_not_change_cells(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    text = (
        "name: s\nfactors:\n  optimizer: [adam, {sgd: {lr: 0.5}}]\nfixed: {augmentation: none, "
        "scheduler: constant, init: he, bn_placement: before}\n"
    )
    file.write_text(text)
    plain = design_of(load_spec(file, cuda_visible=False))
    file.write_text(text.replace("{sgd:", "{as: hot, sgd:") + "train: {time_limit: 5}\n")
    named = design_of(load_spec(file, cuda_visible=False))
    assert [cell.id for cell in plain.cells] == [cell.id for cell in named.cells]
    assert {cell.labels["optimizer"] for cell in named.cells} == {"adam", "hot"}


def test_cells_hold_all_five_factors_and_the_fields_put_in(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "name: s\nreplicates: 1\nfactors:\n  optimizer: [adam, sgd]\n  model.depth: [11, 16]\n"
        "  data.name: [digits, cifar10]\n"
        "fixed: {augmentation: none, scheduler: constant, init: he, bn_placement: before}\n"
    )
    cells = design_of(load_spec(file, cuda_visible=False)).cells
    assert len(cells) == 8
    for cell in cells:
        assert cell.level("init").name == "he"
        assert str(cell.model.depth) == cell.labels["model.depth"]
        assert cell.data.name == cell.labels["data.name"]
        assert cell.data_identity.startswith(cell.data.name)
    assert len({cell.id for cell in cells}) == 8


def test_the_images_of_a_folder_are_part_of_a_cell(tmp_path: Path) -> None:
    for split, label in product(("train", "test"), ("cat", "dog")):
        (tmp_path / split / label).mkdir(parents=True)
        (tmp_path / split / label / "1.jpg").write_bytes(b"x")
    settings_ = ["data.name=image_folder", f"data.root={tmp_path}"]
    file = ROOT / "ablations" / "five_factor.yaml"
    before = design_of(load_spec(file, "cpu", settings_, cuda_visible=False))
    (tmp_path / "train" / "cat" / "2.jpg").write_bytes(b"y")
    after = design_of(load_spec(file, "cpu", settings_, cuda_visible=False))
    assert not {cell.id for cell in before.cells} & {cell.id for cell in after.cells}
    with pytest.raises(InputError, match=r"data\.root"):
        design_of(
            load_spec(file, "cpu", [*settings_[:1], "data.root=/nowhere"], cuda_visible=False)
        )


def test_whether_mirroring_keeps_labels_is_part_of_a_cell_where_it_is_said(tmp_path: Path) -> None:
    for split, label in product(("train", "test"), ("cat", "dog")):
        (tmp_path / split / label).mkdir(parents=True)
        (tmp_path / split / label / "1.jpg").write_bytes(b"x")
    settings_ = ["data.name=image_folder", f"data.root={tmp_path}"]
    file = ROOT / "ablations" / "five_factor.yaml"

    def ids(*more: str) -> set[str]:
        spec = load_spec(file, "cpu", [*settings_, *more], cuda_visible=False)
        return {spec.study} | {cell.id for cell in design_of(spec).cells}

    assert ids() == ids("data.mirror_keeps_labels=true")
    assert not ids() & ids("data.mirror_keeps_labels=false")


# -- plugins ---------------------------------------------------------------------------------

PLUGIN = """\
from ablations.registry import level, model

@level("optimizer", "NAME")
def _optimizer(parameters, *, lr: float = RATE): ...

@model("NAME")
def _model(classes, block): ...
"""
STUDY = """\
name: own
plugins: [own.py]
factors: {optimizer: [adam, NAME], init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
replicates: 2
"""


def planned(tmp_path: Path, name: str, **more: str) -> dict[tuple[str, int], Cell]:
    """The cells of STUDY with a plugin of that name, by labels and replicate."""
    code = PLUGIN.replace("NAME", name).replace("RATE", more.pop("rate", "0.1"))
    (tmp_path / "own.py").write_text(code)
    file = tmp_path / "own.yaml"
    file.write_text(STUDY.replace("NAME", name))
    registry._plugins.pop(str(tmp_path / "own.py"), None)  # as in a new process
    settings_ = [f"{key}={value}" for key, value in more.items()]
    cells = design_of(load_spec(file, overrides=settings_, cuda_visible=False)).cells
    return {("/".join(cell.labels.values()), cell.replicate): cell for cell in cells}


def test_an_edited_plugin_makes_other_cells_of_those_that_use_it(tmp_path: Path) -> None:
    before = planned(tmp_path, "edited")
    assert {c.id for c in planned(tmp_path, "edited").values()} == {c.id for c in before.values()}
    after = planned(tmp_path, "edited", rate="0.10")
    for key, cell in before.items():
        uses = cell.level("optimizer").name == "edited"
        assert (after[key].id != cell.id) is uses
        assert ([name for name, _ in cell.code] == ["optimizer edited"]) is uses
        assert Cell.from_json(cell.to_json()).id == cell.id


def test_a_plugins_model_is_part_of_every_cell(tmp_path: Path) -> None:
    for cell in planned(tmp_path, "whole", **{"model.name": "whole"}).values():
        assert "model whole" in dict(cell.code)


def test_a_cell_is_not_trained_with_other_code_than_it_was_planned_with(tmp_path: Path) -> None:
    before = planned(tmp_path, "swapped")
    for cell in before.values():
        cell.check_code()
    planned(tmp_path, "swapped", rate="0.2")
    cell = before["swapped/he", 0]
    with pytest.raises(InputError, match="defines optimizer swapped is not the one this was"):
        cell.check_code()
    before["adam/he", 0].check_code()
    replace(cell, code=()).check_code()  # planned by a version that did not know of it


# -- exclude and only ------------------------------------------------------------------------


def test_excluded_combinations_are_left_out(make_spec: MakeSpec) -> None:
    design = design_of(make_spec([2, 3], exclude=[{"A": ["a0"], "B": ["b1", "b2"]}]))
    found = {tuple(cell.labels.values()) for cell in design.cells}
    assert found == {("a0", "b0"), ("a1", "b0"), ("a1", "b1"), ("a1", "b2")}
    assert (design.excluded, design.combinations, design.is_fraction) == (2, 4, True)


def test_only_keeps_what_matches_any_and_exclude_wins(make_spec: MakeSpec) -> None:
    spec = replace(
        make_spec([2, 2], exclude=[{"A": ["a1"], "B": ["b1"]}]),
        only=(Predicate((("A", ("a0",)),)), Predicate((("B", ("b0", "b1")), ("A", ("a1",))))),
    )
    found = {tuple(cell.labels.values()) for cell in design_of(spec).cells}
    assert found == {("a0", "b0"), ("a0", "b1"), ("a1", "b0")}


def test_leaving_out_everything_or_a_whole_level_is_refused(make_spec: MakeSpec) -> None:
    with pytest.raises(InputError, match="leave no combination to run"):
        design_of(make_spec([2, 2], exclude=[{"A": ["a0", "a1"]}]))
    with pytest.raises(InputError, match="no combination with A = a1 is left"):
        design_of(make_spec([2, 2], exclude=[{"A": ["a1"]}]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 3), min_size=2, max_size=4), st.data())
def test_planned_and_excluded_add_up(
    make_spec: MakeSpec, levels: list[int], data: st.DataObject
) -> None:
    spec = make_spec(levels)
    predicate = {
        factor.name: [data.draw(st.sampled_from(factor.labels))]
        for factor in spec.factors[: data.draw(st.integers(2, len(levels)))]
    }
    design = design_of(make_spec(levels, exclude=[predicate]))
    assert design.combinations + design.excluded == spec.combinations
    matching = Predicate.from_dict(predicate)
    assert not any(matching.matches(cell.labels) for cell in design.cells)


# -- cost ------------------------------------------------------------------------------------


def test_planning_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from runner.spec import load_spec; from runner.design import design_of\n"
        "design = design_of(load_spec('ablations/five_factor.yaml', 'cpu', cuda_visible=False))\n"
        "print(len(design.cells), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["216", "False"]


def test_a_hundred_thousand_cells_are_planned(make_spec: MakeSpec) -> None:
    design = design_of(make_spec([5, 5, 4, 5, 5], replicates=40))
    assert len(design.cells) == 100_000


def test_a_level_of_the_same_name_with_other_parameters_is_another_cell(
    make_spec: MakeSpec,
) -> None:
    spec = make_spec([2, 2])
    factor = spec.factors[0]
    hot = Level("A", "a1", "level1", {"lr": 0.5})
    other = replace(spec, factors=(Factor("A", (factor.levels[0], hot)), *spec.factors[1:]))
    one = {cell.id for cell in design_of(spec).cells}
    two = {cell.id for cell in design_of(other).cells}
    assert len(one & two) == 2


# -- places in the file ----------------------------------------------------------------------

WRONG = """\
name: wrong
factors:
  optimizer: [adam, sgd]
  init: [he, naive, xavier]
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
"""


def assert_refused(folder: Path, text: str, place: str, says: str) -> None:
    """Planning a file of this text is refused at this line and key."""
    file = folder / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        design_of(load_spec(file, cuda_visible=False))
    assert str(refused.value).startswith(f"{file}:{place}: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ("exclude: [{optimizer: [adam, sgd]}]", "6: exclude", "leave no combination"),
        ("only: [{init: he}]", "4: factors.init[1]", "no combination with init = naive is left"),
        ("exclude: [{optimizer: sgd}]", "3: factors.optimizer[1]", "optimizer = sgd is left"),
        ("design: {kind: d_optimal, runs: 500}", "6: design.runs", "500 is more than the 6"),
        ("design: {kind: d_optimal, runs: 2}", "6: design.runs", "2 cannot estimate"),
        ("design: {kind: orthogonal, runs: 5}", "6: design.runs", "a multiple of 6 runs"),
        ("design: {kind: regular, resolution: 3}", "6: design", "needs two levels a factor"),
        ("data: {name: image_folder}", "6: data.root", "is missing"),
        ("data: {name: image_folder, root: none}", "6: data.root", "no folder"),
    ],
)
def test_what_cannot_be_planned_is_said_with_file_line_and_key(
    tmp_path: Path, line: str, place: str, says: str
) -> None:
    assert_refused(tmp_path, WRONG + line + "\n", place, says)


@pytest.mark.parametrize(
    ("design", "place", "says"),
    [
        ("{kind: regular, generators: ['B=Q']}", "design.generators", "no factor Q"),
        ("{kind: regular, generators: ['x']}", "design.generators", "expected such as"),
        ("{kind: regular, resolution: 8}", "design.resolution", "no fraction of 2 two-level"),
    ],
)
def test_what_a_regular_fraction_cannot_be_is_said_with_its_key(
    tmp_path: Path, design: str, place: str, says: str
) -> None:
    text = WRONG.replace(", xavier", "") + f"design: {design}\n"
    assert_refused(tmp_path, text, f"6: {place}", says)
