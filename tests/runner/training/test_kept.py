"""The weights that a cell leaves: the right epoch's, whole, and without a changed bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from runner.content.cell import Cell
from runner.content.outcome import Epoch, Outcome, Status
from runner.data import Images
from runner.network.model import build
from runner.training import train
from runner.training.normalise import Normalise
from runner.training.parts.kept import Kept
from runner.training.scoring import score
from tests.runner.cells import make_cell
from tests.runner.training.test_checkpoint import Interrupted, interrupt_after
from tests.runner.training.test_loop import learned

PROTOCOL = {"epochs": 4, "checkpoint_epochs": 1, "checkpoint_minutes": None}


def cell() -> Cell:
    # Its best epoch by validation is the third, where this was written.
    return make_cell(
        train=PROTOCOL, model={"dropout": 0.3}, optimizer=("adam", {"lr": 0.01}), replicate=2
    )


def accuracy_of(file: Path, images: Images) -> float:
    """Validation accuracy of the network that a file makes."""
    kept = torch.load(file, weights_only=True)
    made = Cell.from_json(kept["content"])
    network = build(made, kept["classes"]).to(memory_format=torch.channels_last)
    network.load_state_dict(kept["network"])
    normalise = Normalise.of(images.mean, images.std, made.train, torch.device("cpu"))
    validation = (
        torch.as_tensor(images.validation_images),
        torch.as_tensor(images.validation_labels),
    )
    return score(network, *validation, normalise, made.train).accuracy


def test_the_first_of_the_best_epochs_is_kept_as_it_was(tmp_path: Path) -> None:
    network, kept = torch.nn.Linear(1, 1), Kept(tmp_path / "cell.pt", "best")
    nan = float("nan")
    for number, (loss, accuracy) in enumerate([(1, 0.1), (1, 0.5), (1, 0.5), (nan, 0.9)], 1):
        with torch.no_grad():
            network.weight.fill_(number)
        kept.after_epoch(Epoch(number, 1, 0, loss, accuracy, 0, 0, 0, 0), network)
    kept.write(cell(), 10, None, network)
    found = torch.load(tmp_path / "cell.pt", weights_only=True)
    assert (found["epoch"], found["network"]["weight"].item()) == (2, 2)


@pytest.fixture(scope="module")
def alone(few_digits: Images) -> Outcome:
    return train(cell(), few_digits)


@pytest.mark.parametrize("which", ["final", "best"])
def test_the_weights_are_those_of_the_epoch_and_the_outcome_is_the_same(
    few_digits: Images, tmp_path: Path, alone: Outcome, which: str
) -> None:
    file = tmp_path / "weights" / "cell.pt"
    outcome = train(cell(), few_digits, kept=Kept(file, which))
    assert learned(outcome) == learned(alone)
    assert outcome.notes == alone.notes
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    accuracies = [epoch.validation_accuracy for epoch in outcome.curve]
    epoch = 4 if which == "final" else 1 + accuracies.index(max(accuracies))
    found = torch.load(file, weights_only=True)
    assert (found["cell"], found["which"], found["epoch"]) == (cell().id, which, epoch)
    assert found["validation_accuracy"] == accuracies[epoch - 1]
    assert accuracy_of(file, few_digits) == accuracies[epoch - 1]


def test_the_best_epoch_is_known_after_an_interruption(
    few_digits: Images, tmp_path: Path, alone: Outcome
) -> None:
    whole, resumed = tmp_path / "whole.pt", tmp_path / "resumed.pt"
    train(cell(), few_digits, kept=Kept(whole, "best"))
    checkpoint = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(
            cell(), few_digits, on_epoch=interrupt_after(4), checkpoint=checkpoint,
            kept=Kept(resumed, "best"),
        )  # fmt: skip
    assert not resumed.exists(), "nothing is left behind by what has not ended"
    outcome = train(cell(), few_digits, checkpoint=checkpoint, kept=Kept(resumed, "best"))
    assert learned(outcome) == learned(alone)
    first, second = (torch.load(one, weights_only=True) for one in (whole, resumed))
    assert first["epoch"] == second["epoch"]
    for name, tensor in first["network"].items():
        assert torch.equal(tensor, second["network"][name]), name


def test_what_diverged_has_no_last_weights(few_digits: Images, tmp_path: Path) -> None:
    wild = make_cell(train=PROTOCOL, optimizer=("sgd", {"lr": 1e30}))
    file = tmp_path / "cell.pt"
    assert train(wild, few_digits, kept=Kept(file, "final")).status is Status.DIVERGED
    assert not file.exists()


def test_weights_that_cannot_be_written_are_a_note(
    few_digits: Images, tmp_path: Path, alone: Outcome
) -> None:
    (tmp_path / "taken").write_text("a file")
    outcome = train(cell(), few_digits, kept=Kept(tmp_path / "taken" / "cell.pt", "final"))
    assert learned(outcome) == learned(replace(alone, notes=outcome.notes))
    (note,) = [one for one in outcome.notes if one not in alone.notes]
    assert note.startswith("the weights could not be written: ")
