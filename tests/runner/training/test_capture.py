"""Recorded steps: the logic with a recorder that calls the step, the device's own on CUDA."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from ablations import registry
from ablations.augmentation import none
from runner.content.outcome import Status
from runner.data import Images
from runner.training import capture, loop, train
from runner.training.capture import CapturedStep, captured
from tests.runner.cells import make_cell
from tests.runner.training.test_checkpoint import Interrupted, interrupt_after
from tests.runner.training.test_loop import learned

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


class Recordings:
    """A recorder for the CPU: a replay is the step itself, called again."""

    def __init__(self) -> None:
        self.replays = 0

    def record(self, thunk, learner):
        thunk_rate = learner.optimizer.param_groups[0]["lr"]
        group = learner.optimizer.param_groups[0]

        def replay() -> None:
            # As in a graph, the optimizer reads the tensor it was recorded with.
            self.replays += 1
            number, group["lr"] = group["lr"], thunk_rate
            thunk()
            group["lr"] = number

        return replay


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """Train on the CPU as on CUDA, but for the graph."""
    made = Recordings()

    def record_on_cpu(step, cell, batch):
        return captured(step, cell, batch, record=made.record)

    monkeypatch.setattr(loop, "captured", record_on_cpu)
    return made


@pytest.mark.parametrize("optimizer", registry.names("optimizer")[:6])
@pytest.mark.parametrize("scheduler", ["one_cycle", "plateau", "cosine"])
def test_recorded_steps_learn_the_bits_of_eager_ones(
    few_digits: Images, recordings: Recordings, monkeypatch, optimizer: str, scheduler: str
):
    cell = make_cell(
        optimizer=optimizer,
        scheduler=scheduler,
        augmentation="strong",
        model={"dropout": 0.3},
        train={"epochs": 2},
    )
    recorded = learned(train(cell, few_digits))
    assert recordings.replays == 6
    monkeypatch.undo()
    assert recorded == learned(train(cell, few_digits))


def test_a_recorded_cell_resumes_with_the_same_bits(
    few_digits: Images, recordings: Recordings, tmp_path: Path
):
    cell = make_cell(
        optimizer="sgd_momentum", scheduler="cyclic", train={"epochs": 3, "checkpoint_epochs": 1}
    )
    whole = learned(train(cell, few_digits))
    file = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    assert learned(train(cell, few_digits, checkpoint=file)) == whole


def test_the_checkpoint_of_a_recorded_cell_serves_an_eager_one(
    few_digits: Images, recordings: Recordings, tmp_path: Path, monkeypatch
):
    cell = make_cell(optimizer="adam", train={"epochs": 3, "checkpoint_epochs": 1})
    file = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    monkeypatch.undo()
    assert learned(train(cell, few_digits, checkpoint=file)) == learned(train(cell, few_digits))


def test_a_recording_that_fails_falls_back_to_eager_with_the_same_bits(
    few_digits: Images, monkeypatch, caplog
):
    cell = make_cell(optimizer="sgd_momentum", augmentation="basic", train={"epochs": 1})
    eager = learned(train(cell, few_digits))

    def fails(thunk, learner):
        thunk()
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    monkeypatch.setattr(
        loop, "captured", lambda step, cell, batch: captured(step, cell, batch, record=fails)
    )
    fallen = learned(train(cell, few_digits))
    note = "step not captured, run eagerly: operation not permitted when stream is capturing"
    assert fallen["notes"][-1] == note
    assert "not captured" in caplog.text
    fallen["notes"] = fallen["notes"][:-1]
    assert fallen == eager


def test_what_a_recording_would_freeze_is_run_eagerly(few_digits: Images, recordings: Recordings):
    @registry.level("augmentation", "now_and_then")
    def now_and_then(images, draw, mirror):
        """Decides on the host."""
        return none(images, draw, mirror)

    outcome = train(make_cell(augmentation="now_and_then"), few_digits)
    assert recordings.replays == 0
    assert "'now_and_then' comes from a plugin" in outcome.notes[0]


def test_running_out_of_memory_while_recording_is_not_hidden(few_digits: Images, monkeypatch):
    def out_of_memory(thunk, learner):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(
        loop,
        "captured",
        lambda step, cell, batch: captured(step, cell, batch, record=out_of_memory),
    )
    with pytest.raises(torch.cuda.OutOfMemoryError):
        train(make_cell(), few_digits)


def test_nothing_is_recorded_on_the_cpu(few_digits: Images, monkeypatch):
    steps = []

    def spy(step, cell, batch):
        made = captured(step, cell, batch)
        steps.append(made)
        return made

    monkeypatch.setattr(loop, "captured", spy)
    train(make_cell(train={"epochs": 1}), few_digits)
    assert not isinstance(steps[0][0], CapturedStep)
    assert steps[0][1] is None


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("optimizer", registry.names("optimizer")[:6])
def test_cuda_records_every_optimizer_and_learns_what_eager_steps_learn(
    few_digits: Images, monkeypatch, optimizer: str
):
    cell = make_cell(optimizer=optimizer, scheduler="one_cycle", augmentation="strong")
    recorded = train(cell, few_digits, "cuda:0")
    assert not [note for note in recorded.notes if "eagerly" in note]
    monkeypatch.setattr(loop, "captured", lambda step, cell, batch: (step, None))
    eager = train(cell, few_digits, "cuda:0")
    # The recorded rate is float32, so the last bits may differ; the first step's may not.
    assert recorded.curve[0].train_loss == pytest.approx(eager.curve[0].train_loss, rel=1e-3)


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("name", registry.names("augmentation")[:4])
def test_cuda_records_every_augmentation(few_digits: Images, name: str):
    outcome = train(make_cell(augmentation=name), few_digits, "cuda:0")
    assert not [note for note in outcome.notes if "eagerly" in note]
    assert math.isfinite(outcome.curve[-1].train_loss)


@pytest.mark.cuda
@needs_cuda
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_cuda_repeats_bit_by_bit_after_another_cell(few_digits: Images, precision: str):
    cell = make_cell(augmentation="strong", train={"precision": precision})
    first = learned(train(cell, few_digits, "cuda:0"))
    train(make_cell(optimizer="sgd", replicate=2), few_digits, "cuda:0")
    assert learned(train(cell, few_digits, "cuda:0")) == first


@pytest.mark.cuda
@needs_cuda
def test_cuda_learns_as_the_cpu_does(few_digits: Images):
    cell = make_cell(model={"width": 0.125}, train={"epochs": 12})
    there, here = train(cell, few_digits, "cuda:0"), train(cell, few_digits)
    assert there.status is here.status is Status.LEARNED
    assert there.test_accuracy == pytest.approx(here.test_accuracy, abs=0.15)
    # Initial weights and the order of images are the same numbers on every device.
    assert there.curve[0].train_loss == pytest.approx(here.curve[0].train_loss, rel=0.05)


@pytest.mark.cuda
@needs_cuda
def test_a_cuda_epoch_waits_for_the_device_a_handful_of_times(few_digits: Images, monkeypatch):
    """Reading a value per step would wait once per step; 45 steps here."""
    synchronised = []
    monkeypatch.setattr(capture, "REHEARSALS", 1)
    cell = make_cell(train={"epochs": 1, "batch_size": 2})
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        train(cell, few_digits, "cuda:0")
    synchronised = [e for e in profile.events() if "Synchronize" in e.name]
    assert len(synchronised) < 40
