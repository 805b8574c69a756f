"""Programs as people have them, each as a factorial of eight cells and two seeds.

By the command line alone: the run is killed in the middle, the same command continues it, the
analysis reads it, the report says what was found. The programs know nothing of the runner.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults.harness import Bench, finish, wait_until

CLIENTS = Path(__file__).with_name("clients")
COMBINATIONS = 8
SLOTS = 2
PATIENCE = 600.0
"""Seconds for half a grid: a command that imports torch takes long on a machine that is busy."""


@dataclass(frozen=True)
class Client:
    """One program and the question that is asked with it.

    Attributes:
        trainer: the section of the specification; `HERE` is the programs' folder.
        factors: three of two levels each.
        response: name, and what the file says of it.
        fixed: given to every cell.
        finding: factor and levels, as the findings' table has them.
    """

    trainer: str | dict[str, Any]
    factors: dict[str, list[Any]]
    response: tuple[str, dict[str, Any]]
    finding: str
    fixed: dict[str, Any] = field(default_factory=dict)


MNIST = Client(
    {
        "command": "python HERE/mnist.py {args} --seed {seed} --save-dir {folder}",
        "metrics": "{folder}/metrics.jsonl",
        "resume": "--resume {folder}/last.pt",
    },
    {"lr": [0.1, 0.001], "momentum": [0.9, 0.0], "dropout": [0.0, 0.25]},
    ("accuracy", {"better": "higher", "unit": "share", "chance": 0.1}),
    "lr: 0.1 over 0.001",
)
REGRESSION = Client(
    "HERE/regression.py:fit",
    {
        "model": [
            {"as": "ridge", "set": {"model": "ridge"}},
            {"as": "boosting", "set": {"model": "boosting", "trees": 50}},
        ],
        "degree": [1, 3],
        "noise": [0.1, 1.0],
    },
    ("mae", {"better": "lower"}),
    "degree: 3 over 1",
)
HYDRA = Client(
    {
        "command": "python HERE/hydra_app.py {overrides} seed={seed} hydra.run.dir={folder}",
        "metrics": {"stdout": r"epoch (?P<epoch>\d+) error (?P<error>\S+)"},
    },
    {"optim.lr": [0.1, 0.01], "optim.momentum": [0.0, 0.9], "model.width": [4, 16]},
    ("error", {"better": "lower"}),
    "optim.lr: 0.1 over 0.01",
)
SHELL = Client(
    {
        "command": "sh HERE/logistic.sh {rate} {steps} {clip} {seed} {folder}",
        "metrics": "{folder}/metrics.csv",
    },
    {"rate": [1, 0.01], "steps": [400, 100], "clip": [True, False]},
    ("loss", {"better": "lower"}),
    "rate: 1 over 0.01",
)
SEGMENTATION = Client(
    "HERE/segmentation.py:fit",
    {"loss": ["dice", "bce"], "skip": [True, False], "lr": [0.02, 0.0005]},
    ("iou", {"better": "higher", "unit": "share"}),
    "loss: dice over bce",
)
LIGHTNING = Client(
    "HERE/lightning_module.py:fit",
    {"width": [32, 4], "activation": ["relu", "tanh"], "lr": [0.01, 0.0001]},
    ("val_acc", {"better": "higher", "unit": "share", "chance": 0.5}),
    "lr: 0.01 over 0.0001",
)
TRANSFORMER = Client(
    "HERE/transformer.py:fit",
    {"layers": [1, 2], "hidden": [32, 16], "learning_rate": [0.01, 0.0001]},
    ("accuracy", {"better": "higher", "unit": "share", "chance": 0.5}),
    "learning_rate: 0.01 over 0.0001",
)


def specification(folder: Path, client: Client) -> Path:
    name, about = client.response
    content = {
        "name": "client",
        "trainer": client.trainer,
        "factors": client.factors,
        "fixed": client.fixed,
        "replicates": 2,
        "responses": {name: about},
    }
    text = yaml.safe_dump({k: v for k, v in content.items() if v}, sort_keys=False)
    path = folder / "client.yaml"
    path.write_text(text.replace("HERE", str(CLIENTS)))
    return path


def killed_and_continued(bench: Bench, file: Path) -> None:
    """One run is killed in its middle; the next completes what is left, and reports."""
    run = bench.grid(file)
    middle = COMBINATIONS // 2
    wait_until(lambda: _completed(bench) >= middle or run.poll() is not None, PATIENCE)
    assert run.poll() is None, "it ended before it was killed: " + finish(run)[1]
    run.kill()
    run.wait()
    bench.assert_no_orphans(seconds=60)
    before = bench.completed()
    assert 0 < before < 2 * COMBINATIONS
    code, output = finish(bench.start("grid", file), PATIENCE)
    assert code == 0, output
    bench.assert_exact(2 * COMBINATIONS)
    # A cell whose outcome file lay there when the run was killed is adopted, not trained again.
    done = int(re.findall(r"(\d+) done", output)[0])
    assert before <= done <= before + SLOTS
    assert [run["attempts"] for run in bench.runs()] == [1] * 2 * COMBINATIONS


def _completed(bench: Bench) -> int:
    there = (bench.folder / "ablations.db").exists() and bench.store().studies()
    return bench.completed() if there else 0


def analysed(bench: Bench, client: Client) -> None:
    """The report is there and says the finding, and so do its tables."""
    (study,) = bench.store().studies()
    page = (bench.results / study.name / "report.html").read_text()
    findings = (bench.results / study.name / "findings.txt").read_text()
    assert client.finding in findings, findings
    assert client.finding.split(": ")[1] in re.sub(r"<[^>]+>", "", page)
    effects = json.loads((bench.results / study.name / "effects.json").read_text())
    assert effects["response"] == client.response[0]
    assert (effects["n_runs"], effects["n_cells"]) == (2 * COMBINATIONS, COMBINATIONS)


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE)
@pytest.mark.parametrize(
    "client",
    [
        pytest.param(REGRESSION, id="regression", marks=pytest.mark.long),
        pytest.param(SHELL, id="shell"),
        pytest.param(HYDRA, id="hydra", marks=pytest.mark.long),
        pytest.param(MNIST, id="mnist", marks=pytest.mark.long),
        pytest.param(SEGMENTATION, id="segmentation", marks=pytest.mark.long),
        pytest.param(LIGHTNING, id="lightning", marks=pytest.mark.long),
        pytest.param(TRANSFORMER, id="transformer", marks=pytest.mark.long),
    ],
)
def test_a_client_is_ablated_killed_continued_and_reported(tmp_path, client):
    bench = Bench(tmp_path, f"sqlite:///{tmp_path}/ablations.db")
    try:
        killed_and_continued(bench, specification(tmp_path, client))
        analysed(bench, client)
    finally:
        bench.close()
