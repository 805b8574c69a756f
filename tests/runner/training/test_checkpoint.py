"""Checkpoints: resumed bit by bit, and whatever is damaged or foreign means starting over."""

from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path

import pytest
import torch

from runner.content.outcome import Epoch
from runner.data import Images
from runner.training import train
from tests.runner.cells import make_cell
from tests.runner.training.test_loop import learned


class Interrupted(Exception):
    """The power went."""


def interrupt_after(epochs: int):
    def on_epoch(epoch: Epoch) -> None:
        if epoch.epoch == epochs:
            raise Interrupted

    return on_epoch


def cell_with_checkpoints(**levels: object):
    train_section = {"epochs": 4, "checkpoint_epochs": 1, "checkpoint_minutes": None}
    return make_cell(train=train_section, model={"dropout": 0.3}, **levels)


@pytest.mark.parametrize(
    "levels",
    [
        {"optimizer": "adam", "scheduler": "one_cycle", "augmentation": "strong"},
        {"optimizer": "sgd_momentum", "scheduler": "plateau", "augmentation": "basic"},
        {"optimizer": "rmsprop", "scheduler": "cyclic", "augmentation": "trivial_augment"},
        {"optimizer": "sgd_nesterov", "scheduler": "step"},
        {"optimizer": "adamw", "scheduler": "cosine"},
    ],
    ids=lambda levels: levels["optimizer"],
)
def test_an_interrupted_cell_ends_with_the_bits_of_an_uninterrupted_one(
    few_digits: Images, tmp_path: Path, levels
):
    cell = cell_with_checkpoints(**levels)
    whole = train(cell, few_digits)
    file = tmp_path / "a folder" / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    heard: list[Epoch] = []
    resumed = train(cell, few_digits, on_epoch=heard.append, checkpoint=file)
    # Interrupted within the third epoch's report: the second was the last one kept.
    assert [epoch.epoch for epoch in heard] == [3, 4]
    assert learned(resumed) == learned(whole)


def test_time_spent_before_the_interruption_counts(few_digits: Images, tmp_path: Path):
    cell = cell_with_checkpoints()
    file = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    content = torch.load(file, weights_only=True)
    content["seconds"] = 5000.0
    torch.save(content, file)
    assert train(cell, few_digits, checkpoint=file).seconds > 5000


def test_a_full_disk_costs_the_checkpoint_and_not_the_cell(
    few_digits: Images, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    cell = cell_with_checkpoints()
    whole = train(cell, few_digits)
    file = tmp_path / "cell.checkpoint"
    partial = tmp_path / f"{file.name}.{os.getpid()}.partial"

    def fill_the_disk(epoch: Epoch) -> None:
        if epoch.epoch >= 2:
            partial.symlink_to("/dev/full")  # each write to it says "no space left on device"

    with caplog.at_level(logging.WARNING, logger="runner.training"):
        outcome = train(cell, few_digits, on_epoch=fill_the_disk, checkpoint=file)
    note = "a checkpoint could not be written: No space left on device"
    assert outcome.notes == (note,)
    assert learned(outcome) == {**learned(whole), "notes": (note,)}
    assert caplog.text.count("training goes on") == 2
    assert torch.load(file, weights_only=True)["curve"][-1]["epoch"] == 1, "the last one that fit"


def started_over(cell, images, file: Path, caplog: pytest.LogCaptureFixture) -> str:
    """Train with `file` as checkpoint; the warning, after asserting that nothing was resumed."""
    whole = learned(train(cell, images))
    heard: list[Epoch] = []
    with caplog.at_level(logging.WARNING, logger="runner.training"):
        outcome = train(cell, images, on_epoch=heard.append, checkpoint=file)
    assert heard[0].epoch == 1
    assert learned(outcome) == whole
    assert "starting over" in caplog.text
    return caplog.text


@pytest.fixture
def checkpoint(few_digits: Images, tmp_path: Path) -> Path:
    file = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell_with_checkpoints(), few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    return file


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.999])
def test_a_truncated_checkpoint_means_starting_over(few_digits, checkpoint, caplog, share):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(share * len(whole))])
    started_over(cell_with_checkpoints(), few_digits, checkpoint, caplog)


def test_another_cells_checkpoint_means_starting_over(few_digits, checkpoint, caplog):
    other = cell_with_checkpoints(optimizer="sgd")
    assert "another cell" in started_over(other, few_digits, checkpoint, caplog)


def test_a_checkpoint_that_only_half_fits_leaves_nothing_behind(few_digits, checkpoint, caplog):
    content = torch.load(checkpoint, weights_only=True)
    content["random"]["order"] = torch.zeros(3, dtype=torch.uint8)  # after network and optimizer
    torch.save(content, checkpoint)
    started_over(cell_with_checkpoints(), few_digits, checkpoint, caplog)


def test_a_malicious_checkpoint_is_not_run(few_digits, tmp_path, caplog):
    trace = tmp_path / "trace"

    class Payload:
        def __reduce__(self):
            return (Path.touch, (trace,))

    file = tmp_path / "cell.checkpoint"
    torch.save({"cell": Payload()}, file)
    started_over(cell_with_checkpoints(), few_digits, file, caplog)
    file.write_bytes(pickle.dumps(Payload()))
    started_over(cell_with_checkpoints(), few_digits, file, caplog)
    assert not trace.exists()


def test_no_checkpoint_is_written_unless_asked(few_digits: Images, tmp_path: Path):
    file = tmp_path / "cell.checkpoint"
    train(make_cell(), few_digits, checkpoint=file)
    assert not file.exists()


def test_an_old_checkpoint_is_renewed_by_the_clock(few_digits: Images, tmp_path: Path):
    file = tmp_path / "cell.checkpoint"
    train(make_cell(train={"checkpoint_minutes": 1e-6}), few_digits, checkpoint=file)
    assert file.exists()
