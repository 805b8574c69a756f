"""Time and disk are estimated from the network's arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.design import design_of, estimate_cost
from runner.design.cost import train_images
from runner.machine.device import Device, Slot
from runner.machine.slots import slots_on
from runner.spec import load_spec

from .conftest import MakeSpec

FIVE = Path(__file__).parents[3] / "ablations" / "five_factor.yaml"
CPU = (Slot("cpu/0", "cpu", "cpu"), Slot("cpu/1", "cpu", "cpu"))


@pytest.mark.parametrize(
    ("data", "images"),
    [
        (DataSpec(), 1294),
        (DataSpec(limit=500, validation=0.2), 400),
        (DataSpec(limit=10**6), 1294),
        (DataSpec(name="cifar10"), 45_000),
        (DataSpec(name="image_folder", root="/x", limit=2000), 1800),
        (DataSpec(name="image_folder", root="/x"), None),
        (DataSpec(name="a_plugin", limit=2000), None),
    ],
)
def test_training_images(data: DataSpec, images: int | None) -> None:
    assert train_images(data) == images


def test_the_shipped_cpu_profile_takes_the_seconds_that_were_measured() -> None:
    design = design_of(load_spec(FIVE, "cpu", cuda_visible=False))
    found = estimate_cost(design, CPU)
    assert found.cell_seconds == pytest.approx(2.4, rel=0.5), "2.4 s measured on one core"
    assert found.seconds is not None
    assert found.seconds == pytest.approx(108 * (found.cell_seconds + 0.3))
    assert "GFLOP/s a thread" in found.basis
    assert 1e6 < found.disk_bytes < 1e8


def test_cost_grows_with_what_is_trained(make_spec: MakeSpec) -> None:
    spec = make_spec([2, 2])
    small = estimate_cost(design_of(spec), CPU)
    long = estimate_cost(design_of(replace(spec, train=TrainSpec(epochs=60))), CPU)
    threads = estimate_cost(design_of(replace(spec, train=TrainSpec(threads=2))), CPU)
    assert small.cell_seconds is not None
    assert long.cell_seconds == pytest.approx(2 * small.cell_seconds, rel=0.02)
    assert threads.cell_seconds is not None
    assert threads.cell_seconds < small.cell_seconds
    assert long.disk_bytes > small.disk_bytes


def test_field_factors_are_averaged(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "name: s\nfactors: {model.depth: [11, 19], optimizer: [adam, sgd]}\n"
        "fixed: {augmentation: none, scheduler: constant, init: he, bn_placement: before}\n"
    )
    both = estimate_cost(design_of(load_spec(file, cuda_visible=False)), CPU).cell_seconds
    single = [
        estimate_cost(
            design_of(
                load_spec(
                    file, "auto", ["factors.model.depth=null", f"model.depth={d}"],
                    cuda_visible=False,
                )
            ),
            CPU,
        ).cell_seconds
        for d in (11, 19)
    ]  # fmt: skip
    assert both == pytest.approx(sum(single) / 2)  # type: ignore[arg-type]


def test_slots_of_one_cuda_device_share_its_arithmetic() -> None:
    design = design_of(load_spec(FIVE, "cuda", cuda_visible=True))
    device = Device("cuda", 0, "a device", 2**36, "GPU-1")
    one = estimate_cost(design, slots_on([device]))
    four = estimate_cost(design, slots_on([device], 4))
    assert one.cell_seconds is not None
    assert one.seconds is not None
    assert four.cell_seconds is not None
    assert four.seconds is not None
    assert one.cell_seconds <= four.cell_seconds <= 4 * one.cell_seconds
    assert four.seconds < one.seconds
    assert "TFLOP/s a device" in one.basis


def test_a_plugins_cost_is_not_made_up(make_spec: MakeSpec) -> None:
    design = design_of(replace(make_spec([2, 2]), model=ModelSpec(name="own")))
    found = estimate_cost(design, CPU)
    assert (found.cell_seconds, found.seconds) == (None, None)
    assert found.basis.startswith("unknown before the first cell")
    assert found.disk_bytes > 0
    with pytest.raises(InputError, match="expected at least 1"):
        slots_on([Device("cuda", 0, "a device", 1, "GPU-1")], 0)
