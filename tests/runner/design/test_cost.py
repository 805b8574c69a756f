"""Time and disk are estimated from the network's arithmetic, or from cells that were trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.content.cell import Cell, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.design import estimate, plan
from runner.design.cost import CHANNELS, STAGES, multiplications, train_images, weights
from runner.machine.device import Device, Slot
from runner.machine.slots import slots_on
from runner.spec import load_spec

from .conftest import MakeSpec

FIVE = Path(__file__).parents[3] / "ablations" / "five_factor.yaml"
CPU = (Slot("cpu/0", "cpu", "cpu"), Slot("cpu/1", "cpu", "cpu"))


def test_the_table_of_stages_is_the_networks() -> None:
    from runner.network import model

    assert dict(STAGES) == dict(model.STAGES)
    assert CHANNELS == model.CHANNELS


@pytest.mark.parametrize(("depth", "width"), [(11, 1.0), (16, 1.0), (19, 0.25), (13, 0.125)])
def test_weights_are_counted_as_torch_counts_them(depth: int, width: float) -> None:
    from runner.network.model import build
    from runner.network.model import weights as count

    cell = Cell(
        levels=(),
        held=(
            Level("init", "default", "default", {}),
            Level("bn_placement", "none", "none", {}),
        ),
        replicate=0,
        data=DataSpec(),
        model=ModelSpec(depth=depth, width=width),  # type: ignore[arg-type]
        train=TrainSpec(),
    )
    biases = sum(
        repeats * max(1, round(full * width))
        for repeats, full in zip(STAGES[depth], CHANNELS, strict=True)
    )
    assert weights(cell.model, 10) + biases == count(build(cell, 10))


def test_the_arithmetic_of_vgg() -> None:
    # VGG-11 and VGG-16 at 32x32: 152.8 and 313.2 million multiply-adds in convolutions.
    assert multiplications(ModelSpec(depth=11)) == pytest.approx(152.8e6, rel=2e-3)
    assert multiplications(ModelSpec(depth=16)) == pytest.approx(313.2e6, rel=2e-3)
    halved = multiplications(ModelSpec(depth=11, width=0.5))
    assert halved == pytest.approx(152.8e6 / 4, rel=0.02)


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
    design = plan(load_spec(FIVE, "cpu", cuda_visible=False))
    found = estimate(design, CPU)
    assert found.cell_seconds == pytest.approx(2.4, rel=0.5), "2.4 s measured on one core"
    assert found.seconds is not None
    assert found.seconds == pytest.approx(108 * (found.cell_seconds + 0.3))
    assert "GFLOP/s a thread" in found.basis
    assert 1e6 < found.disk_bytes < 1e8


def test_finished_cells_are_the_better_basis(make_spec: MakeSpec) -> None:
    design = plan(make_spec([2, 2], replicates=5))
    found = estimate(design, CPU, remaining=5, past=[1.0, 2.0, 3.0])
    assert found.cell_seconds == 2.0
    assert found.seconds == pytest.approx(3 * 2.3), "five cells in two places: three rounds"
    assert found.basis == "the mean of 3 finished cells of this study"
    assert estimate(design, CPU, remaining=0, past=[1.0]).seconds == 0


def test_cost_grows_with_what_is_trained(make_spec: MakeSpec) -> None:
    spec = make_spec([2, 2])
    small = estimate(plan(spec), CPU)
    long = estimate(plan(replace(spec, train=TrainSpec(epochs=60))), CPU)
    threads = estimate(plan(replace(spec, train=TrainSpec(threads=2))), CPU)
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
    both = estimate(plan(load_spec(file, cuda_visible=False)), CPU).cell_seconds
    single = [
        estimate(
            plan(
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
    design = plan(load_spec(FIVE, "cuda", cuda_visible=True))
    device = Device("cuda", 0, "a device", 2**36, "GPU-1")
    one = estimate(design, slots_on([device]))
    four = estimate(design, slots_on([device], 4))
    assert one.cell_seconds is not None
    assert one.seconds is not None
    assert four.cell_seconds is not None
    assert four.seconds is not None
    assert one.cell_seconds <= four.cell_seconds <= 4 * one.cell_seconds
    assert four.seconds < one.seconds
    assert "TFLOP/s a device" in one.basis


def test_a_plugins_cost_is_not_made_up(make_spec: MakeSpec) -> None:
    design = plan(replace(make_spec([2, 2]), model=ModelSpec(name="own")))
    found = estimate(design, CPU)
    assert (found.cell_seconds, found.seconds) == (None, None)
    assert found.basis.startswith("unknown before the first cell")
    assert found.disk_bytes > 0
    with pytest.raises(InputError, match="expected at least 1"):
        slots_on([Device("cuda", 0, "a device", 1, "GPU-1")], 0)
