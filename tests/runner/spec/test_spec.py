"""A study's name changes with its protocol and with nothing else; a spec survives JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.content.level import apply_fields
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.spec import Factor, Level, Spec, load_spec
from runner.spec.reading.levels import label_of

from .conftest import PLUGIN, SMALL, Load

SHIPPED = Path(__file__).parents[3] / "ablations"


@pytest.mark.parametrize(
    "change",
    [
        "replicates=9",
        "factors.optimizer=[sgd, adam]",
        "factors.optimizer=[adam, sgd, adamw]",
        "exclude=[{optimizer: adam, scheduler: cosine}]",
        "claims=['optimizer: adam > sgd']",
        "design={kind: d_optimal, runs: 3, order: 1}",
        "run={devices: cpu}",
        "train.time_limit=60",
        "train.target=0.5",
        "train.checkpoint_epochs=1",
        "data.root=somewhere",
        "fixed.averaging=none",
        "fixed.loss=cross_entropy",
        "train.weight_decay=null",
    ],
)
def test_what_may_change_within_a_study(load: Load, change: str) -> None:
    assert load(SMALL, change).study == load(SMALL).study


@pytest.mark.parametrize(
    "change",
    [
        "train.epochs=31",
        "train.seed=1",
        "seeds=shared",
        "train.precision=bf16",
        "model.depth=11",
        "data.limit=500",
        "data.name=cifar10",
        "fixed.init=naive",
        "fixed.init={naive: {std: 0.5}}",
        "factors.model.depth=[11, 16]",
        "factors.averaging=[none, ema]",
        "fixed.averaging=ema",
        "fixed.loss={focal: {gamma: 1}}",
        "train.weight_decay=0",
        "name=other",
    ],
)
def test_what_makes_another_study(load: Load, change: str) -> None:
    assert load(SMALL, change).study != load(SMALL).study


def test_a_specification_of_before_is_shared_and_keeps_its_name() -> None:
    shipped = SHIPPED / "five_factor.yaml"
    own, shared = (
        load_spec(shipped, "cpu", [f"seeds={seeds}"], cuda_visible=False)
        for seeds in ("own", "shared")
    )
    assert load_spec(shipped, "cpu", cuda_visible=False) == own
    assert shared.study == "five_factor-cpu-1f48ea"  # as before cells had seeds of their own
    assert "seeds" not in shared.to_dict()
    assert Spec.from_dict(shared.to_dict()).seeds == "shared"
    assert Spec.from_dict(own.to_dict()).seeds == "own"


def test_the_profile_is_part_of_the_name(load: Load) -> None:
    text = SMALL + "profiles: {cpu: , big: }\n"
    assert load(text).study != load(text, profile="big").study


def test_a_field_that_is_varied_does_not_count_where_it_stands(load: Load) -> None:
    text = SMALL.replace("factors:\n", "factors:\n  model.depth: [11, 16]\n")
    assert load(text + "model: {depth: 19}\n").study == load(text).study
    plugin = (
        SMALL.replace("factors:\n", "factors:\n  model.parameters.blocks: [1, 2]\n")
        + f"plugins: ['{PLUGIN}']\n"
    )
    one = load(plugin + "model: {name: tiny, parameters: {blocks: 5}}\n")
    other = load(plugin + "model: {name: tiny, parameters: {blocks: 6}}\n")
    assert one.study == other.study


def test_order_in_the_file_does_not_matter(load: Load) -> None:
    swapped = SMALL.splitlines()
    swapped[2], swapped[3] = swapped[3], swapped[2]
    assert load("\n".join(swapped)).study == load(SMALL).study


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda one: one.stem)
def test_a_spec_survives_json(file: Path) -> None:
    profile = "cpu" if "\nprofiles:" in file.read_text() else "default"
    spec = load_spec(file, profile, cuda_visible=False)
    text = json.dumps(spec.to_dict(), allow_nan=False)
    again = Spec.from_dict(json.loads(text))
    assert again == spec
    assert again.study == spec.study == json.loads(text)["study"]


def test_every_part_survives_json(load: Load) -> None:
    spec = load(
        SMALL
        + f"plugins: ['{PLUGIN}']\nmodel: {{name: tiny}}\ndesign: {{kind: d_optimal, runs: 3}}\n"
        "exclude: [{optimizer: [adam], scheduler: cosine}]\nonly: [{optimizer: sgd}]\n"
        "claims: ['optimizer: adam > sgd by 1']\nrun: {slots_per_device: 2}\n"
        "backend: {kind: dask, scheduler: 'tcp://h:1'}\n"
    )
    assert Spec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_fields_are_put_into_their_sections() -> None:
    sections = (DataSpec(), ModelSpec(parameters={"a": 1, "b": 2}), TrainSpec())
    levels = (
        Level("optimizer", "adam", "adam", {}),
        Level("model.depth", "deep", "19", {"value": 19}),
        Level("model.parameters.b", "3", "3", {"value": 3}),
        Level("train.epochs", "4", "4", {"value": 4}),
    )
    data, model, train = apply_fields(sections, levels)
    assert data is sections[0]
    assert (model.depth, model.parameters, train.epochs) == (19, {"a": 1, "b": 3}, 4)
    assert sections[1].parameters == {"a": 1, "b": 2}, "what was given stays as it was"


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None)
def test_a_label_of_a_number_reads_back(value: float) -> None:
    assert float(label_of(value)) == value


def test_labels_of_values() -> None:
    values = [None, True, False, 16, 0.5, 1.0, 5e-4, 1e-5, "bf16"]
    assert [label_of(one) for one in values] == [
        "null", "true", "false", "16", "0.5", "1", "0.0005", "1e-05", "bf16",
    ]  # fmt: skip


def test_a_factor_lists_its_labels() -> None:
    factor = Factor("x.y", (Level("x.y", "a", "1", {}), Level("x.y", "b", "2", {})))
    assert factor.labels == ("a", "b")
    assert factor.levels[0].is_field


def test_a_specification_stored_before_the_backend_was_a_section_is_read(load: Load) -> None:
    spec = load(SMALL)
    raw = spec.to_dict()
    del raw["backend"]
    raw["run"] |= {"backend": "local", "scheduler": None}
    assert Spec.from_dict(raw) == spec


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("replicates=1", ["fp32"]),
        ("train.precision=bf16", ["bf16"]),
        ("factors.train.precision=[fp32, bf16]", ["fp32", "bf16"]),
    ],
)
def test_the_values_of_a_field_are_its_levels_or_the_one_it_has(
    load: Load, change: str, values: list[str]
) -> None:
    assert load(SMALL, change).values("train.precision") == values
