"""`make bench-cuda`: the rows of the speed table that need a CUDA device.

    python -m tests.benchmarks.cuda [--images ARCHIVE] [--rounds N] [--slots 1,2,4,8]

On a CUDA machine: share of the measured peak in the training step, then interleaved rounds of the
tutorial loop and the runner with 1, 2, 4, ... slots on device 0. Writes `cuda.json` and `cuda.md`.
Without one it writes the table with its rows marked, unless a measured one is there, and says so.
`python -m runner tune-device` makes the runner choose its slots by itself; here each is measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch

from ablations.errors import InputError
from tests.benchmarks import contestants, summary
from tests.benchmarks.contestants import PEERS, REPOSITORY, Contestant, runner_on
from tests.benchmarks.images import archive, prepare
from tests.benchmarks.machine import commit, machine
from tests.benchmarks.peers import facts_of, say, to_json
from tests.benchmarks.roofline import shares
from tests.benchmarks.table import NOT_MEASURED, markdown_table
from tests.benchmarks.workload import QUARTER, WIDE, Workload

COMMAND = "python -m tests.benchmarks.cuda"
SLOTS = (1, 2, 4, 8)
STEP = Workload("16 to 128", channels=QUARTER, epochs=5, train_images=20480)
GRID = Workload(
    "cuda",
    channels=QUARTER,
    epochs=5,
    train_images=20480,
    validation_images=2048,
    test_images=5000,
    seeds=(0, 1, 2, 3),
)


def measure(
    device: str,
    grid: Workload,
    steps: Sequence[Workload],
    source: Path,
    *,
    slots: Sequence[int],
    rounds: int,
    seconds: float = 1.0,
) -> dict[str, Any]:
    """Roofline rows and rounds of runs on "cuda" or, as the twin that tests use, on "cpu"."""
    raw: dict[str, Any] = {
        "command": COMMAND,
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "machine": {**machine(), "device": name_of(device)},
        "roofline": [],
        "rounds": [],
    }
    for workload in steps:
        say(f"training step, channels {workload.name}")
        raw["roofline"] += shares(workload, prepare(workload, source), rounds, device, seconds)
    field = contenders(device, slots)
    with tempfile.TemporaryDirectory(prefix="bench-cuda-") as scratch:
        for number in range(rounds):
            fresh = replace(grid.with_seeds(100 * number), device=device)
            start = number % len(field)
            row = {}
            for one in (*field[start:], *field[:start]):
                folder = Path(scratch) / f"{number}-{one.name}-{one.workers}"
                run = contestants.run(one, fresh, prepare(fresh, source), folder)
                shutil.rmtree(folder)
                say(f"  {one.label}: {run.meter['wall_seconds']:.1f} s")
                row[one.label] = {**facts_of(run, 1, slim=False), "workers": one.workers}
            raw["rounds"].append(row)
    return raw


def contenders(device: str, slots: Sequence[int]) -> tuple[Contestant, ...]:
    """The tutorial loop, and the runner with each number of slots."""
    return (PEERS[0], *(runner_on(device, count) for count in slots))


def name_of(device: str) -> str:
    """The device as a person knows it."""
    return torch.cuda.get_device_name(0) if device == "cuda" else "CPU (twin)"


def render(raw: dict[str, Any] | None, slots: Sequence[int] = SLOTS) -> str:
    """The table; every row marked where `raw` is None."""
    if raw is None:
        head = f"No CUDA device was at hand. `make bench-cuda` (`{COMMAND}`) fills this table."
        grid = [[one.label, *[NOT_MEASURED] * 4] for one in contenders("cuda", slots)]
        steps = [
            [workload.name, precision, augmentation, *[NOT_MEASURED] * 3]
            for workload in steps_of_cuda()
            for precision in ("fp32", "bf16")
            for augmentation in ("strong", "none")
        ]
    else:
        found = raw["machine"]
        head = (
            f"`{raw['command']}` on {raw['date']}, commit {raw['commit']}: {found['device']}, "
            f"{found['cores']} CPU cores, torch {found['packages']['torch']}."
        )
        grid = [_grid_row(label, raw["rounds"]) for label in raw["rounds"][0]]
        steps = _step_rows(raw["roofline"])
    grid_header = ["contestant", "cells/h", "times the loop", "with start-up", "images/s in steps"]
    step_header = ["channels", "precision", "augmentation", "images/s", "TFLOP/s", "share of peak"]
    return "\n\n".join(
        [
            "# Speed on a CUDA device",
            head,
            f"{GRID.cells} cells a round, each {GRID.epochs} epochs of {GRID.train_images:,} "
            "CIFAR-10 images, VGG-11 with 16 to 128 "
            "channels; ratios by round as median (least to greatest).",
            markdown_table(grid_header, grid),
            "The training step alone, against the best matrix product of the same process:",
            markdown_table(step_header, steps) + "\n",
        ]
    )


def steps_of_cuda() -> tuple[Workload, ...]:
    """The networks whose training step is measured."""
    return STEP, replace(STEP, name="64 to 512", channels=WIDE)


def _grid_row(label: str, rounds: Sequence[dict[str, Any]]) -> list[str]:
    loop = PEERS[0].label

    def steady(row: dict[str, Any], who: str) -> float:
        return summary.steady_rate(row[who], row[who]["workers"])

    middle, least, most = summary.spread(steady(row, label) / steady(row, loop) for row in rounds)
    speeds = [summary.training_speed(row[label], row[label]["workers"]) for row in rounds]
    return [
        label,
        f"{median(steady(row, label) for row in rounds):,.0f}",
        "1" if label == loop else f"{middle:.1f} ({least:.1f} to {most:.1f})",
        f"{median(summary.whole_rate(row[label]) for row in rounds):,.0f}",
        f"{median(speeds):,.0f}",
    ]


def _step_rows(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    cases: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault((row["network"], row["precision"], row["augmentation"]), []).append(row)
    return [
        [
            *case,
            f"{median(row['images_per_second'] for row in found):,.0f}",
            f"{median(row['rate'] for row in found) / 1e12:.2f}",
            f"{median(row['rate'] / row['peak'] for row in found):.1%}",
        ]
        for case, found in cases.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or mark the rows; returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--images", metavar="ARCHIVE", help="JPEGs of CIFAR-10 (.tar.xz)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", default=",".join(map(str, SLOTS)), help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "results" / "benchmarks")
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    if not torch.cuda.is_available():
        if not (given.output / "cuda.json").exists():
            (given.output / "cuda.md").write_text(render(None))
        print(f"no CUDA device: the rows of cuda.md stay as they are ({NOT_MEASURED})")
        return 0
    try:
        source = archive(given.images).resolve()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    slots = [int(count) for count in given.slots.split(",")]
    raw = measure(
        "cuda", GRID, steps_of_cuda(), source, slots=slots, rounds=given.rounds
    )  # fmt: skip
    (given.output / "cuda.json").write_text(to_json(raw))
    (given.output / "cuda.md").write_text(render(raw))
    print(json.dumps({"written": "cuda.md", "device": raw["machine"]["device"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
