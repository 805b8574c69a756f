"""A folder that cannot be used is the user's mistake: one sentence, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands import main
from tests.analysis.report.simulated import simulate

SPECIFICATION = """
name: small
factors: {init: [he, naive], optimizer: [adam, sgd]}
fixed: {augmentation: none, scheduler: constant, bn_placement: before}
data: {name: digits, limit: 100}
model: {depth: 11, width: 0.03125}
replicates: 1
train: {epochs: 1, batch_size: 32}
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    specification = tmp_path / "small.yaml"
    specification.write_text(SPECIFICATION, encoding="utf-8")
    return simulate(tmp_path, specification, profile="default", finished=0.0)[0]


@pytest.mark.parametrize("option", ["--out", "--results"])
def test_export_into_a_file_says_which_and_leaves_it_alone(
    store: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert main(["export", "small", "--storage", store, option, str(taken)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: cannot make the folder")
    assert str(taken) in told
    assert taken.read_text(encoding="utf-8") == "mine"


def test_grid_into_results_that_are_a_file_is_refused(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    more = ["--storage", store, "--set", "replicates=2", "--results", str(taken)]
    assert main(["grid", str(tmp_path / "small.yaml"), *more]) == 2
    assert "cannot make the folder" in capsys.readouterr().err


@pytest.mark.parametrize("slots", ["0", "-1", "two"])
def test_slots_per_device_are_counted_from_one(
    slots: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "any.yaml", "--slots-per-device", slots])
    assert ended.value.code == 2
    assert "at least 1" in capsys.readouterr().err
