"""Who is compared: each contestant as the command a user would type, and what its run tells.

Every contestant runs as a process of its own under `meter.py` in a fresh folder, so that start-up,
daemons and stores count. A run's records (one a cell) come from the peers' shared training module
and, for this project's runner, from its store.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runner.store import open_store
from tests.benchmarks.images import Pictures
from tests.benchmarks.workload import Workload

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
REPOSITORY = HERE.parents[1]
PLUGIN = str(HERE / "network.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Record:
    """One trained cell."""

    lr: float
    seed: int
    accuracy: float  # share of the test images
    began: float  # seconds since the epoch
    ended: float
    train_seconds: float  # in training steps
    train_images: int  # images trained on, all epochs
    cpu_seconds: float  # of the process that trained it, training and evaluation
    parameters: int
    precision: str = "fp32"
    seconds: float | None = None  # what the runner says the training took, start-up left out


@dataclass(frozen=True, slots=True)
class Run:
    """One command: what the meter saw and what was trained."""

    contestant: str
    workload: dict[str, Any]
    meter: dict[str, Any]
    records: list[Record] = field(repr=False)

    @property
    def cells(self) -> int:
        """Cells trained, each counted once."""
        return len({(r.lr, r.seed, r.precision) for r in self.records})

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to train a grid."""

    name: str
    label: str
    workers: int  # cells that train side by side
    command: Callable[[Workload, Path, Path], list[str]]  # workload, its file, scratch folder
    environment: dict[str, str] = field(default_factory=dict)
    has_store: bool = False  # its records come from the runner's store, not from files


def _script(name: str) -> Callable[[Workload, Path, Path], list[str]]:
    return lambda workload, file, scratch: [sys.executable, str(PROGRAMS / name), str(file)]


def _hydra(workload: Workload, file: Path, scratch: Path) -> list[str]:
    return [
        *(sys.executable, str(PROGRAMS / "with_hydra.py"), "--multirun", "hydra/launcher=joblib"),
        *("hydra.launcher.n_jobs=2", f"hydra.sweep.dir={scratch}/multirun", f"workload={file}"),
        "lr=" + ",".join(map(str, workload.lrs)),
        "seed=" + ",".join(map(str, workload.seeds)),
    ]


def runner_on(device: str, slots: int) -> Contestant:
    """This project's runner with so many slots on one device, "cpu" or "cuda"."""

    def command(workload: Workload, file: Path, scratch: Path) -> list[str]:
        return [
            *(sys.executable, "-m", "runner", "grid", str(scratch / "grid.yaml"), "--quiet"),
            *("--no-report", "--devices", "0" if device == "cuda" else device),
            *("--slots-per-device", str(slots), "--storage", storage(scratch)),
            *("--results", str(scratch / "results")),
        ]

    plural = "s" if slots > 1 else ""
    return Contestant(
        "runner", f"this runner, {slots} slot{plural}", slots, command, has_store=True
    )


def storage(scratch: Path) -> str:
    """The runner's store of one run."""
    return f"sqlite:///{scratch}/ablations.db"


RUNNER = runner_on("cpu", 2)

PEERS = (
    Contestant("loop", "(a) tutorial loop", 1, _script("with_loop.py")),
    Contestant("joblib", "(b) joblib, 2 processes", 2, _script("with_joblib.py")),
    Contestant(
        "ray",
        "(c) Ray Tune grid_search, 2 workers",
        2,
        _script("with_ray.py"),
        {"RAY_USAGE_STATS_ENABLED": "0"},
    ),
    Contestant(
        "optuna", "(d) Optuna GridSampler, 2 processes", 2, _script("with_optuna.py"), ONE_THREAD
    ),
    Contestant("hydra", "(e) Hydra multirun, joblib launcher", 2, _hydra),
)
EVERYBODY = (*PEERS, RUNNER)


def specification(workload: Workload, pictures: Pictures) -> dict[str, Any]:
    """The runner's YAML file for the workload: the protocol's defaults but for what peers share."""
    rates = [{"as": str(lr), "sgd_momentum": {"lr": lr}} for lr in workload.lrs]
    factors: dict[str, Any] = {}
    fixed = {
        "augmentation": "strong",
        "scheduler": "constant",
        "init": "default",
        "bn_placement": "before",
    }
    train: dict[str, Any] = {
        "epochs": workload.epochs,
        "batch_size": workload.batch_size,
        "seed": workload.seeds[0],
    }
    if len(workload.precisions) > 1:
        factors["train.precision"] = list(workload.precisions)
    else:
        train["precision"] = workload.precisions[0]
    if len(rates) > 1:
        factors["optimizer"] = rates
    else:
        fixed["optimizer"] = rates[0]  # type: ignore[assignment]
    return {
        "name": f"bench_{workload.name}",
        "plugins": [PLUGIN] if workload.needs_plugin else [],
        "data": pictures.data.model_dump(exclude_defaults=True),
        "model": workload.model,
        "train": train,
        "factors": factors,
        "fixed": fixed,
        "replicates": len(workload.seeds),
        "seeds": "shared",  # precisions are compared pair by pair
    }


def run(contestant: Contestant, workload: Workload, pictures: Pictures, scratch: Path) -> Run:
    """Train the grid with the contestant in an empty `scratch` and measure it.

    Raises:
        RuntimeError: the command failed, or left cells untrained.
    """
    records = scratch / "records"
    records.mkdir(parents=True)
    shared = {
        **workload.facts(),
        "images": str(pictures.arrays),
        "mean": pictures.mean,
        "std": pictures.std,
        "records": str(records),
        "scratch": str(scratch),
        "workers": contestant.workers,
    }
    file = scratch / "workload.json"
    file.write_text(json.dumps(shared))
    # JSON is YAML.
    (scratch / "grid.yaml").write_text(json.dumps(specification(workload, pictures)))
    log, measured = scratch / "log.txt", scratch / "meter.json"
    command = contestant.command(workload, file, scratch)
    with log.open("wb") as output:
        subprocess.run(
            [sys.executable, str(HERE / "meter.py"), str(measured), *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env={**os.environ, **contestant.environment},
            check=True,
        )
    meter = json.loads(measured.read_text())
    found = _from_store(scratch, workload) if contestant.has_store else _from_files(records)
    result = Run(contestant.name, workload.facts(), meter, found)
    expected = workload.cells * (len(workload.precisions) if contestant.has_store else 1)
    if meter["returncode"] != 0 or result.cells != expected:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise RuntimeError(
            f"{contestant.label}: exit code {meter['returncode']}, {result.cells} of {expected} "
            f"cells; the end of {log}:\n{tail}"
        )
    return result


def _from_files(folder: Path) -> list[Record]:
    found = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    return sorted((Record(**one) for one in found), key=lambda one: one.ended)


def _from_store(scratch: Path, workload: Workload) -> list[Record]:
    """The runner's cells, from its store."""
    store = open_store(storage(scratch))
    study = store.studies()[0]
    curves = store.curves(study)
    images = _images_an_epoch(workload)
    training: dict[str, float] = defaultdict(float)
    for cell, speed in zip(curves["cell"], curves["images_per_second"], strict=True):
        training[cell] += images / speed
    records = []
    for cell in store.runs(study):
        if cell["state"] != "complete":
            continue
        records.append(
            Record(
                lr=float(cell.get("factor:optimizer", workload.lrs[0])),
                seed=workload.seeds[0] + cell["replicate"],
                accuracy=cell["test_accuracy"],
                began=cell["started"].timestamp(),
                ended=cell["ended"].timestamp(),
                train_seconds=training[cell["cell"]],
                train_images=images * workload.epochs,
                cpu_seconds=cell["cpu_seconds"],
                parameters=cell["parameters"],
                precision=cell.get("factor:train.precision", workload.precisions[0]),
                seconds=cell["seconds"],
            )
        )
    return sorted(records, key=lambda one: one.ended)


def _images_an_epoch(workload: Workload) -> int:
    """The engine leaves an incomplete batch out; workloads have none."""
    return workload.train_images // workload.batch_size * workload.batch_size
