"""Evidence changes nothing of an outcome but itself, and says what there was to see."""

from __future__ import annotations

import json
from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch

from ablations import registry
from runner.content.outcome import Outcome, Status
from runner.data import Images
from runner.probe.record import Evidence
from runner.training import loop, train
from runner.training.capture import captured
from tests.runner.cells import make_cell
from tests.runner.training.test_loop import learned

CELLS: list[dict[str, Any]] = [
    {"model": {"dropout": 0.3}, "augmentation": "strong", "scheduler": "one_cycle"},
    {"bn_placement": "after", "optimizer": "rmsprop", "train": {"precision": "bf16"}},
    {"bn_placement": "none", "optimizer": ("sgd_momentum", {"lr": 1e6})},  # diverges
    {"averaging": "ema", "mixing": "mixup", "loss": "focal", "clipping": "norm"},
    {"warmup": "linear", "optimizer": "sgd_nesterov", "scheduler": "plateau"},
]


def bits(outcome: Outcome) -> str:
    """All of an outcome but evidence and clocks, every digit of its numbers; NaN equals NaN."""
    return json.dumps(learned(replace(outcome, evidence=None)))


@pytest.mark.parametrize("levels", CELLS, ids=lambda levels: "-".join(levels))
def test_a_cell_has_the_same_bits_with_evidence_and_without(
    few_digits: Images, levels: dict[str, Any]
) -> None:
    cell = make_cell(**levels)
    watched, alone = (train(cell, few_digits, watched=one) for one in (True, False))
    assert alone.evidence is None
    assert watched.evidence
    assert bits(watched) == bits(alone)


def test_so_has_a_recorded_one(few_digits: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA, but for the graph: looks are taken beside the recorded step."""

    def record(thunk: Any, learner: Any) -> Any:
        group, rate = learner.optimizer.param_groups[0], learner.optimizer.param_groups[0]["lr"]

        def replay() -> None:
            number, group["lr"] = group["lr"], rate
            thunk()
            group["lr"] = number

        return replay

    monkeypatch.setattr(
        loop, "captured", lambda step, cell, batch: captured(step, cell, batch, record=record)
    )
    cell = make_cell(model={"dropout": 0.3}, augmentation="strong")
    watched, alone = (train(cell, few_digits, watched=one) for one in (True, False))
    assert bits(watched) == bits(alone)


def test_it_says_what_a_healthy_cell_did(few_digits: Images) -> None:
    outcome = train(make_cell(train={"epochs": 12}), few_digits)
    found = Evidence.from_plain(outcome.evidence or {})
    first, last = found.first, found.last
    assert first is not None
    assert last is not None
    assert (first.step, last.step, last.epoch) == (0, 36, 12)
    assert "36 steps are too few for more than two looks" in found.note
    assert 1.5 < first.entropy < 2 * log(10)
    assert last.accuracy > 0.8
    assert len(found.losses) == 3
    assert sum(found.losses) / 3 == pytest.approx(outcome.curve[0].train_loss, rel=0.01)
    assert all(1e-5 < value < 0.5 for _, value in found.of(first, "update", "weighted"))
    assert found.normalised
    assert not found.unreached
    assert found.broke is None
    assert found.dropout == 0


def test_the_largest_dropout_is_told(few_digits: Images) -> None:
    outcome = train(make_cell(model={"dropout": 0.3}), few_digits)
    assert Evidence.from_plain(outcome.evidence or {}).dropout == 0.3


def test_the_step_that_broke_first_is_named(few_digits: Images) -> None:
    cell = make_cell(bn_placement="none", optimizer=("sgd_momentum", {"lr": 1e6}))
    outcome = train(cell, few_digits)
    assert outcome.status is Status.DIVERGED
    broke = Evidence.from_plain(outcome.evidence or {}).broke
    assert broke is not None
    assert broke.step == 2
    assert broke.what in ("loss", "gradient")
    assert broke.where.startswith("features.0")


def test_a_network_that_takes_no_such_batch_is_trained_all_the_same(
    few_digits: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole_batches_only(*_: Any) -> Any:
        raise RuntimeError("expected 30 images\nsecond line")

    monkeypatch.setattr("runner.training.watching.look_at", whole_batches_only)
    cell = make_cell()
    outcome = train(cell, few_digits)
    assert (outcome.evidence or {})["note"] == "not looked at after step 0: expected 30 images"
    monkeypatch.undo()
    alone = train(cell, few_digits, watched=False)
    assert bits(outcome) == bits(alone)


def test_a_plugins_network_that_counts_its_passes_is_copied(few_digits: Images) -> None:
    """What it counts in Python no state dict holds, and a look must not move it."""

    class Counting(torch.nn.Module):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.last = torch.nn.Linear(3, classes)
            self.passes = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.passes += 1
            logits: torch.Tensor = self.last(images.mean((2, 3)))
            return logits / self.passes

    @registry.model("counting")
    def counting(classes: int, block: Any) -> torch.nn.Module:
        return Counting(classes)

    try:
        cell = make_cell(model={"name": "counting"}, init="keep")
        watched, alone = (train(cell, few_digits, watched=one) for one in (True, False))
    finally:
        registry._registered.pop(("model", "counting"))
    assert bits(watched) == bits(alone)
    assert len((watched.evidence or {})["looks"]) == 2
