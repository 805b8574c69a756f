"""The benchmark works and counts right: tiny grids, literal runs, a CPU twin of the CUDA rows."""

import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from PIL import Image

from ablations.errors import InputError
from runner.network.model import build
from tests.benchmarks import contestants, cuda, meter, peers, roofline, summary, table
from tests.benchmarks.contestants import PEERS, RUNNER, specification
from tests.benchmarks.images import archive, prepare
from tests.benchmarks.machine import machine
from tests.benchmarks.roofline import cell_of, matmul_peak, operations_an_image
from tests.benchmarks.workload import NARROW, Workload, plan

TINY = Workload(
    "tiny",
    epochs=1,
    train_images=64,
    validation_images=20,
    test_images=20,
    batch_size=32,
    seeds=(0,),
)


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """An archive of ten classes of random JPEGs, and a cache folder of its own."""
    path = tmp_path_factory.mktemp("archive") / "images.tar.xz"
    random = np.random.default_rng(0)
    with tarfile.open(path, "w:xz") as tar:
        for split, count in (("train", 10), ("test", 4)):
            for label in range(10):
                for number in range(count):
                    held = io.BytesIO()
                    pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                    Image.fromarray(pixels).save(held, "JPEG")
                    info = tarfile.TarInfo(f"{split}/class{label}/{number:04}.jpg")
                    info.size = held.tell()
                    tar.addfile(info, io.BytesIO(held.getvalue()))
    return path


@pytest.fixture
def pictures(source, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ABLATIONS_CACHE", str(source.parent / "cache"))
    return prepare(TINY, source)


def test_a_missing_archive_is_named_with_the_option_that_gives_it(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.tar.xz is missing.*--images"):
        archive(str(tmp_path / "nowhere.tar.xz"))


def test_peers_get_the_images_the_runner_trains_on(pictures):
    from runner.data import load

    images, arrays = load(pictures.data), np.load(pictures.arrays)
    for split, count in (("train", 64), ("validation", 20), ("test", 20)):
        ours = getattr(images, f"{split}_images")
        assert len(ours) == count
        assert np.array_equal(arrays[f"{split}_images"].transpose(0, 3, 1, 2), ours)
        assert np.array_equal(arrays[f"{split}_labels"], getattr(images, f"{split}_labels"))


def test_both_sides_train_the_same_network(pictures, monkeypatch):
    monkeypatch.syspath_prepend(str(contestants.PROGRAMS))
    from tests.benchmarks.programs.tutorial import vgg11

    ours, theirs = build(cell_of(TINY, pictures), 10), vgg11(list(NARROW))
    shapes = [[tuple(p.shape) for p in network.parameters()] for network in (ours, theirs)]
    assert shapes[0] == shapes[1]
    # 6.63 million multiplications forward; the first layer needs no gradient of its input.
    operations = operations_an_image(ours)
    assert operations == operations_an_image(theirs)
    assert operations["forward"] == pytest.approx(2 * 6.63e6, rel=0.01)
    assert operations["train"] == pytest.approx(38.9e6, rel=0.01)


def test_the_accuracy_grid_trains_each_seed_in_both_precisions(pictures):
    workload = replace(TINY, lrs=(0.05,), precisions=("fp32", "bf16"))
    written = specification(workload, pictures)
    assert written["factors"] == {"train.precision": ["fp32", "bf16"]}
    assert written["fixed"]["optimizer"] == {"as": "0.05", "sgd_momentum": {"lr": 0.05}}


@pytest.mark.long
def test_the_cpu_twin_fills_the_rows_that_need_a_cuda_device(pictures, source, monkeypatch):
    monkeypatch.setattr(roofline, "SIZE", 128)  # a CPU without bf16 takes 20 s for 2048
    raw = cuda.measure("cpu", TINY, [TINY], source, slots=[1], rounds=1, seconds=0.0)
    text = cuda.render(raw)
    assert "not measured here" not in text
    assert "| this runner, 1 slot |" in text
    assert {row["precision"] for row in raw["roofline"]} == {"fp32", "bf16"}
    assert all(row["rate"] > 0 for row in raw["roofline"])
    # The tutorial loop and the runner trained every cell of the grid, and their costs were seen.
    assert len(raw["rounds"][0]) == 2
    for run in raw["rounds"][0].values():
        records = run["records"]
        assert {(r["lr"], r["seed"]) for r in records} == set(product(TINY.lrs, TINY.seeds))
        assert {r["parameters"] for r in records} == {209306}
        assert run["meter"]["cpu_seconds"] > sum(r["cpu_seconds"] for r in records) > 0
        assert 2e9 > run["meter"]["peak_pss_bytes"] > 1e8
    assert str(source.parent) not in json.dumps(raw)  # no paths in what is published


def test_without_a_device_every_cuda_row_is_marked():
    rows = [line for line in cuda.render(None).splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 5 + 8  # two headers, the loop and four slots, eight steps
    assert sum("not measured here" in row for row in rows) == 13


def test_a_measured_peak_is_a_rate_of_this_machine(monkeypatch):
    import torch

    monkeypatch.setattr(roofline, "SIZE", 256)
    assert 1e8 < matmul_peak(torch.float32, seconds=0.0) < 1e15


def test_the_meter_counts_what_an_orphan_used(tmp_path):
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    start = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {burn!r}], start_new_session=True)"
    )
    out = tmp_path / "out.json"
    subprocess.run([sys.executable, meter.__file__, out, sys.executable, "-c", start], check=True)
    found = json.loads(out.read_text())
    assert found["returncode"] == 0
    assert 0.5 <= found["cpu_seconds"] < 3
    assert 0 <= found["foreign_share"] <= 1


def run_of(ends, wall, cpu, name="runner", accuracy=0.5):
    """A run's facts with one record an end."""
    records = [
        {
            "lr": 0.05,
            "seed": seed,
            "precision": "bf16",
            "accuracy": accuracy,
            "ended": end,
            "train_images": 100,
            "train_seconds": 2.0,
        }
        for seed, end in enumerate(ends)
    ]
    meter_found = {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_pss_bytes": 8e8,
        "peak_process_bytes": 5e8,
        "foreign_share": 0.01,
    }
    return {
        "contestant": name,
        "workload": replace(TINY, lrs=(0.05,)).facts(),
        "meter": meter_found,
        "records": records,
        "cells": len(ends),
        "trained": len(ends),
        "mean_cpu_seconds": 1.0,
        "mean_seconds": 2.0,
    }


def test_steady_rate_leaves_out_the_first_cell_of_each_worker():
    run = run_of([10, 11, 12, 13, 14, 15], wall=18, cpu=30)
    assert summary.steady_rate(run, 2) == pytest.approx(3600 * 4 / 4)
    assert summary.whole_rate(run) == pytest.approx(1200)
    assert summary.cpu_seconds_a_cell(run) == 5
    assert summary.training_speed(run, 2) == pytest.approx(100)


def test_a_cell_trained_twice_counts_once():
    run = run_of([10, 11, 12], wall=18, cpu=30)
    run["records"].append({**run["records"][0], "ended": 14})
    assert summary.first_ends(run) == [10, 11, 12]


def test_growth_is_the_slope_and_what_is_left_of_it_beyond_training():
    found = summary.growth(run_of(range(4), 10, 12), run_of(range(8), 18, 24), workers=2)
    assert found["wall"] == 2
    assert found["cpu"] == 3
    assert found["start_up"] == 2
    assert found["beyond_cpu"] == 2  # 3 s of CPU less 1 s of training
    assert found["beyond_slot"] == 2  # 2 workers x 2 s less 2 s of training


def test_intervals_agree_with_a_worked_example():
    # Differences 1, 2, 3: mean 2, sd 1, t(0.975; 2) = 4.3027.
    difference, low, high = summary.paired([2, 4, 6], [1, 2, 3])
    assert (difference, low, high) == pytest.approx(
        (2, 2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3
    )
    difference, low, high = summary.welch([1, 2, 3], [1, 2, 3])
    assert difference == 0
    assert low == pytest.approx(-high)


def test_accuracies_that_do_not_vary_are_not_said_to_differ():
    """After a few steps every seed answers one class: the table said NOT zero of a NaN."""
    alike = run_of(range(3), 10, 12, accuracy=0.1)
    both = {**alike, "records": [*alike["records"]]}
    both["records"] += [{**record, "precision": "fp32"} for record in alike["records"]]
    text = table.render(raw_of(accuracy={"joblib": alike, "runner": both}))
    assert text.count("+0.00 points, no interval, because the seeds do not vary") == 3
    assert "NOT zero" not in text
    assert "nan" not in text


def raw_of(**parts):
    """What a benchmark writes, with these parts measured."""
    head = {"plan": "default", "command": "x", "date": "2026-01-01", "commit": "0" * 12}
    return {**head, "machine": machine(), **parts}


def rounds_of(slow, fast):
    """Two rounds of everybody: the runner with the ends `fast`, the peers with `slow`."""
    names = [one.name for one in (*PEERS, RUNNER)]
    return [
        [run_of(fast if name == "runner" else slow, 20, 40, name) for name in names]
        for _ in range(2)
    ]


def test_the_table_says_what_was_not_measured_and_which_goals_were_missed():
    raw = raw_of(throughput=rounds_of(slow=[10, 20, 30, 40], fast=[10, 11, 12, 13]))
    text = table.render(raw)
    assert "10.0 (10.0 to 10.0)" in text
    assert text.count("Not measured here.") == 5
    found = {goal: (shown, met) for goal, shown, met in table.goals(raw)}
    assert found["≥ 7x (a) tutorial loop"] == ("10.0x", True)
    assert found["< 700 MB a CPU slot"] == ("400 MB", True)
    assert found["overhead < 2 % of a 5 s cell"] == ("not measured here", None)


def test_the_table_shows_every_part_that_was_measured():
    rounds = rounds_of(slow=[10, 20, 30, 40], fast=[10, 15, 20, 25])
    step = {
        "network": "16 to 64",
        "channels": NARROW,
        "precision": "bf16",
        "augmentation": "strong",
        "images_per_second": 2000,
        "operations_an_image": 40e6,
        "rate": 80e9,
        "peak": 200e9,
    }
    start = {
        "cpu_seconds": 0.5,
        "training_cpu_seconds": 0.45,
        "wall_seconds": 0.7,
        "training_seconds": 0.6,
        "peak_memory_bytes": 5e8,
    }
    ours = run_of(range(4), 10, 12)
    ours["records"] += [{**r, "precision": "fp32", "accuracy": 0.48} for r in ours["records"]]
    for number, record in enumerate(ours["records"]):
        record["accuracy"] += 0.01 * (number % 3)
    theirs = run_of(range(4), 10, 12)
    for record, accuracy in zip(theirs["records"], (0.5, 0.51, 0.49, 0.5), strict=True):
        record["accuracy"] = accuracy
    raw = raw_of(
        throughput=rounds,
        wide=rounds,
        roofline=[step],
        startup=[start],
        growth={
            one.name: [run_of(range(4), 10, 12), run_of(range(8), 18, 16)]
            for one in (*PEERS, RUNNER)
        },
        accuracy={"joblib": theirs, "runner": ours},
    )
    text = table.render(json.loads(peers.to_json(raw)))
    assert "Not measured" not in text
    assert "| 16 to 64 | bf16 | strong | 40.0 | 2,000 | 80 | 200 | 40 (40 to 40) % |" in text
    assert "50 (50 to 50) ms of CPU time and 100 (100 to 100) ms of waiting" in text
    assert text.count("95 % interval") == 3
    found = {goal: (shown, met) for goal, shown, met in table.goals(raw)}
    assert found["≥ 3.5x (b) joblib, 2 processes"] == ("2.0x", False)
    assert found["≥ 50% of one core's bf16 peak, channels 16 to 64"] == ("40%", False)
    assert found["start-up < 0.3 s CPU beyond training"] == ("0.05 s", True)


@pytest.mark.parametrize("name", ["quick", "default", "long"])
def test_every_plan_can_be_computed(name):
    chosen = plan(name)
    for workload in (chosen.throughput, chosen.wide, chosen.tiny, chosen.accuracy):
        assert workload.train_images % workload.batch_size == 0
        assert workload.cells > 2  # more than one a worker, or there is no steady rate
    assert chosen.growth[0] < chosen.growth[1]
    assert chosen.growth[0] % len(chosen.tiny.lrs) == 0


def test_phases_are_added_to_those_of_an_earlier_run_and_say_their_commit(tmp_path):
    file = tmp_path / "speed.json"
    start = {
        "cpu_seconds": 0.5,
        "training_cpu_seconds": 0.45,
        "wall_seconds": 0.7,
        "training_seconds": 0.6,
        "peak_memory_bytes": 5e8,
    }
    file.write_text(peers.to_json(raw_of(startup=[start], seconds=9)))
    head = raw_of(commit="1" * 12)
    found = peers.continued(file, head)
    assert found["startup"] == [start]
    text = table.render(found)
    assert "Measured earlier, at commit 000000000000 on 2026-01-01: startup." in text
    assert "50 (50 to 50) ms of CPU time" in text
    other = {**head, "machine": {**head["machine"], "cpu": "another"}}
    with pytest.raises(InputError, match="another machine"):
        peers.continued(file, other)
    with pytest.raises(InputError, match=r"no speed\.json to add to"):
        peers.continued(tmp_path / "none" / "speed.json", head)


@pytest.mark.parametrize(
    ("name", "seconds", "cells"),
    [("default", 0.1, 128), ("default", 1.0, 40), ("default", 9.0, 16), ("long", 9.0, 128)],
)
def test_a_slow_contestant_gets_a_smaller_second_grid_unless_time_has_no_limit(
    name, seconds, cells
):
    assert peers.cells_to_afford(plan(name), seconds) == cells


def test_an_unknown_phase_is_refused(capsys):
    assert peers.main(["--phases", "throughputs"]) == 2
    assert "expected some of roofline" in capsys.readouterr().err
