"""From a cell to its outcome: every status, the same bits every time, and what an outcome says."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ablations import registry
from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome import Outcome, Reason, Status
from runner.data import DataError, Images
from runner.trainers.failure import reason_of
from runner.training import train
from tests.runner.cells import make_cell

ROOT = Path(__file__).parents[3]


def learned(outcome: Outcome) -> dict[str, object]:
    """An outcome without what a clock says."""
    curve = [replace(epoch, seconds=0.0, images_per_second=0.0) for epoch in outcome.curve]
    quiet = replace(
        outcome, curve=tuple(curve), seconds=0.0, cpu_seconds=None, peak_memory_bytes=None
    )
    return quiet.to_dict()


def test_digits_are_learned(few_digits: Images):
    cell = make_cell(model={"width": 0.125}, train={"epochs": 12})
    heard = []
    outcome = train(cell, few_digits, on_epoch=heard.append)
    assert outcome.status is Status.LEARNED
    assert outcome.test_accuracy > 0.5
    assert outcome.test_accuracy == outcome.test_correct / outcome.n_test
    assert outcome.n_test == 359
    assert (outcome.classes, outcome.train_images) == (10, 90)
    assert outcome.epochs_run == outcome.epochs_budget == 12
    assert tuple(heard) == outcome.curve
    assert [epoch.epoch for epoch in outcome.curve] == list(range(1, 13))
    first, last = outcome.curve[0], outcome.curve[-1]
    assert last.train_loss < first.train_loss / 2
    assert last.train_accuracy > 0.8
    accuracies = [epoch.validation_accuracy for epoch in outcome.curve]
    assert outcome.best_validation_accuracy == max(accuracies)
    assert outcome.final_validation_accuracy == accuracies[-1]
    assert outcome.cpu_seconds > 0
    assert outcome.seconds >= sum(epoch.seconds for epoch in outcome.curve)
    assert outcome.peak_memory_bytes > 50e6


def test_the_same_cell_gives_the_same_bits_alone_after_others_and_elsewhere(
    few_digits: Images, image_cache: Path
):
    cell = make_cell(augmentation="strong", model={"dropout": 0.3}, scheduler="one_cycle")
    alone = learned(train(cell, few_digits))
    # Whatever another cell leaves behind: threads, seeds, precision, determinism.
    torch.set_num_threads(2)
    torch.manual_seed(1234)
    np.random.seed(1)
    other = make_cell(
        optimizer="sgd", replicate=3, train={"precision": "bf16", "deterministic": False}
    )
    train(other, few_digits)
    assert learned(train(cell, few_digits)) == alone
    script = (
        "import json, sys\n"
        "from runner.content.cell import Cell\n"
        "from runner.data import load\n"
        "from runner.training import train\n"
        "cell = Cell.from_json(sys.stdin.read())\n"
        "print(json.dumps(train(cell, load(cell.data)).to_dict()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=cell.to_json(),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "ABLATIONS_CACHE": str(image_cache)},
    )
    elsewhere = Outcome.from_dict(json.loads(done.stdout.splitlines()[-1]))
    assert learned(elsewhere) == alone


def test_a_cell_leaves_torchs_settings_as_it_found_them(few_digits: Images):
    torch.manual_seed(77)
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.get_rng_state().tolist(),
    )
    train(make_cell(train={"epochs": 1}), few_digits)
    after = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.get_rng_state().tolist(),
    )
    assert after == before


def test_replicates_differ_and_levels_are_felt(few_digits: Images):
    outcomes = [
        train(cell, few_digits)
        for cell in (
            make_cell(),
            make_cell(replicate=1),
            make_cell(optimizer="sgd"),
            make_cell(augmentation="basic"),
            make_cell(init="xavier"),
            make_cell(train={"seed": 1}),
            make_cell(train={"label_smoothing": 0.2}),
            make_cell(train={"precision": "bf16"}),
        )
    ]
    curves = {tuple(epoch.train_loss for epoch in outcome.curve) for outcome in outcomes}
    assert len(curves) == len(outcomes)


def test_memory_format_changes_no_more_than_rounding(few_digits: Images):
    """Different kernels, the same arithmetic: the first epoch's loss agrees to four digits."""
    losses = [
        train(
            make_cell(
                seeds="shared",  # one stream for both
                train={"epochs": 1, "memory_format": layout},
                optimizer=("sgd", {"lr": 0.01}),
            ),
            few_digits,
        )
        .curve[0]
        .train_loss
        for layout in ("channels_last", "contiguous")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("optimizer", [("sgd_momentum", {"lr": 1e6}), ("adam", {"lr": 1e30})])
def test_an_absurd_learning_rate_diverges_which_is_a_result(few_digits: Images, optimizer):
    cell = make_cell(optimizer=optimizer, bn_placement="none", train={"epochs": 4})
    outcome = train(cell, few_digits)
    assert outcome.status is Status.DIVERGED
    assert outcome.test_accuracy == outcome.final_validation_accuracy == 1 / 10
    assert outcome.test_loss == math.log(10)
    assert outcome.diverged_epoch == outcome.epochs_run == len(outcome.curve) < 4
    assert outcome.test_correct is None
    assert outcome.reason is None
    assert Outcome.from_dict(outcome.to_dict()).status is Status.DIVERGED


def test_weights_that_are_not_finite_are_seen_under_a_finite_loss(few_digits: Images):
    @registry.level("optimizer", "breaks_last")
    def breaks_last(parameters, *, lr: float = 0.0, weight_decay: float = 0.0):
        """After the last loss of the epoch was computed, one weight becomes infinite."""

        class Breaks(torch.optim.SGD):
            steps = 0

            def step(self, closure=None):
                self.steps += 1
                if self.steps == 3:  # 90 images in batches of 30
                    with torch.no_grad():
                        parameters[0][0, 0, 0, 0] = math.inf

        return Breaks(parameters, lr=lr)

    outcome = train(make_cell(optimizer="breaks_last"), few_digits)
    assert outcome.status is Status.DIVERGED
    assert outcome.diverged_epoch == 1
    assert math.isfinite(outcome.curve[0].train_loss)


def test_a_network_that_cannot_learn_is_stalled(few_digits: Images):
    cell = make_cell(init="naive", bn_placement="none", optimizer=("sgd", {"lr": 1e-6}))
    outcome = train(cell, few_digits)
    assert outcome.status is Status.STALLED
    assert outcome.test_accuracy < 0.15


def test_a_passed_time_limit_is_an_outcome(few_digits: Images):
    cell = make_cell(train={"epochs": 1000, "time_limit": 1.0})
    outcome = train(cell, few_digits)
    assert outcome.status is Status.TIMEOUT
    assert outcome.reason is Reason.TIMEOUT
    assert outcome.test_accuracy is None
    assert outcome.epochs_run == len(outcome.curve) < 1000
    assert "1 s" in outcome.detail


def test_flips_are_left_out_and_noted_where_mirroring_changes_labels(few_digits: Images):
    note = ("horizontal flip left out: mirroring changes labels",)
    once = {"epochs": 1}
    assert train(make_cell(augmentation="basic", train=once), few_digits).notes == note
    assert train(make_cell(augmentation="none", train=once), few_digits).notes == ()
    mirrored = replace(few_digits, mirror_keeps_labels=True)
    assert train(make_cell(augmentation="basic", train=once), mirrored).notes == ()


def test_schedulers_see_validation_only_and_test_images_change_nothing_before_the_end(
    few_digits: Images,
):
    cell = make_cell(scheduler=("plateau", {"patience": 0}), train={"epochs": 4})
    poisoned = replace(few_digits, test_images=np.ascontiguousarray(few_digits.test_images[::-1]))
    assert train(cell, few_digits).curve[-1].validation_loss == (
        train(cell, poisoned).curve[-1].validation_loss
    )
    assert train(cell, few_digits).test_loss != train(cell, poisoned).test_loss


def test_a_batch_larger_than_the_data_is_the_data(few_digits: Images):
    outcome = train(make_cell(train={"batch_size": 4096, "epochs": 1}), few_digits)
    assert math.isfinite(outcome.curve[0].train_loss)
    assert 0 <= outcome.curve[0].train_accuracy <= 1


def test_the_reported_rate_is_that_of_the_last_step(few_digits: Images):
    cell = make_cell(scheduler="cosine", optimizer=("sgd", {"lr": 0.2}))
    rates = [epoch.learning_rate for epoch in train(cell, few_digits).curve]
    assert rates == pytest.approx([0.2, 0.1])


def test_images_that_changed_since_planning_are_refused(few_digits: Images):
    with pytest.raises(DataError, match="changed since the study was planned"):
        train(make_cell(data_identity="digits/0"), few_digits)
    assert few_digits.identity == "digits/1"


def test_a_level_that_refuses_its_parameters_is_the_users_to_mend(few_digits: Images):
    usual = make_cell()
    # The registry would refuse this one: a plugin's level may know no bounds.
    wrong = replace(
        usual.level("optimizer"), parameters={**usual.level("optimizer").parameters, "beta1": 1.5}
    )
    cell = replace(usual, levels=(), held=(*usual.levels[:-1], wrong))
    with pytest.raises(InputError, match=r"optimizer: a level refused its parameters.*1\.5"):
        train(cell, few_digits)


def test_a_cell_is_not_trained_with_plugin_code_it_was_not_planned_with(few_digits: Images):
    cell = replace(make_cell(), code=(("optimizer adam", "0" * 16),))
    with pytest.raises(InputError, match="not the one this was planned with") as refused:
        train(cell, few_digits)
    assert reason_of(refused.value) is Reason.BAD_LEVEL


def test_a_plugins_level_is_loaded_and_used(few_digits: Images, tmp_path: Path):
    plugin = tmp_path / "my levels.py"
    plugin.write_text(
        "from ablations.registry import level\n"
        "@level('augmentation')\n"
        "def negative(images, draw, mirror, *, strength: float = 1.0):\n"
        "    '''Inverted images.'''\n"
        "    return (255 * strength - images.float()).clamp(0, 255)\n"
    )
    registry.load_plugins((str(plugin),))
    cell = make_cell(augmentation="negative", plugins=(str(plugin),))
    assert Cell.from_json(cell.to_json()) == cell
    ours = train(cell, few_digits).curve[0].train_loss
    assert ours != train(make_cell(), few_digits).curve[0].train_loss
