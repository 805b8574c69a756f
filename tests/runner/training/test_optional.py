"""Factors that a file may leave out: off is as if they were not there, on is what they say."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from ablations import registry
from runner.content.cell import Cell
from runner.content.outcome import Status
from runner.content.protocol import TrainSpec, identity
from runner.data import Images
from runner.training import loop, train
from runner.training.parts import averaged
from runner.training.parts.objective import right_answers
from tests.runner.cells import make_cell
from tests.runner.training.test_capture import Recordings, recordings
from tests.runner.training.test_checkpoint import Interrupted, interrupt_after
from tests.runner.training.test_loop import learned

__all__ = ["recordings"]

Chosen = dict[str, object]
OFF: Chosen = dict(registry.OPTIONAL)
ON: tuple[Chosen, ...] = (
    {"loss": "focal"},
    {"loss": "mean_squared_error"},
    {"loss": "binary_cross_entropy"},
    {"loss": "hinge"},
    {"mixing": "mixup"},
    {"mixing": ("cutmix", {"share": 0.5})},
    {"clipping": ("norm", {"max_norm": 0.1})},
    {"clipping": ("value", {"limit": 0.001})},
    {"averaging": ("ema", {"decay": 0.9})},
    {"averaging": ("swa", {"start": 0.3})},
    {"warmup": ("linear", {"share": 0.6})},
    {
        "loss": "focal", "mixing": "cutmix", "clipping": "norm", "averaging": "ema",
        "warmup": "linear",
    },
)  # fmt: skip


def name_of(chosen: Chosen) -> str:
    return "+".join(one if isinstance(one, str) else one[0] for one in chosen.values())


each = pytest.mark.parametrize("chosen", ON, ids=name_of)


def made(chosen: Chosen, **more: object) -> Cell:
    """A cell whose every stream is drawn from, with a checkpoint after each of four epochs.

    Streams are those of the replicate: what differs between two cells is their levels alone.
    """
    train_section = {
        "epochs": 4, "checkpoint_epochs": 1, "checkpoint_minutes": None,
        **more.pop("train", {}),
    }  # fmt: skip
    usual = {"optimizer": "sgd_momentum", "scheduler": "cosine", "augmentation": "basic"}
    return make_cell(train=train_section, model={"dropout": 0.3}, seeds="shared",
                     **{**usual, **chosen, **more})  # fmt: skip


def curve(outcome, *fields: str) -> list[tuple[float, ...]]:
    return [tuple(getattr(epoch, field) for field in fields) for epoch in outcome.curve]


def test_a_level_that_means_leaving_out_is_the_same_cell_and_the_same_bits(few_digits: Images):
    without = made({}, train={"label_smoothing": 0.1})
    named = made(OFF, train={"label_smoothing": 0.1})
    assert named.id == without.id
    assert set(named.labels) == set(without.labels) | set(OFF), "shown as any other level"
    assert learned(train(named, few_digits)) == learned(train(without, few_digits))


def test_what_is_left_out_is_no_part_of_a_cells_content_and_what_is_on_is():
    assert "weight_decay" not in identity("train", TrainSpec())
    assert identity("train", TrainSpec(weight_decay=0.0))["weight_decay"] == 0
    cells = [make_cell(seeds="shared", **chosen) for chosen in ON] + [
        make_cell(
            seeds="shared",
        ),
        make_cell(seeds="shared", train={"weight_decay": 0.0}),
        make_cell(seeds="shared", train={"weight_decay": 0.1}),
    ]
    assert len({cell.id for cell in cells}) == len(cells)
    assert all(Cell.from_json(cell.to_json()).id == cell.id for cell in cells)


@each
def test_an_interrupted_cell_ends_with_the_bits_of_an_uninterrupted_one(
    few_digits: Images, tmp_path: Path, chosen: Chosen
):
    cell = made(chosen)
    whole = train(cell, few_digits)
    assert whole.status is not Status.DIVERGED
    assert learned(whole) != learned(train(made({}), few_digits)), "and it acts"
    file = tmp_path / "cell.checkpoint"
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    heard = []
    resumed = train(cell, few_digits, on_epoch=heard.append, checkpoint=file)
    assert [epoch.epoch for epoch in heard] == [3, 4]
    assert learned(resumed) == learned(whole)


@each
def test_recorded_steps_learn_the_bits_of_eager_ones(
    few_digits: Images, recordings: Recordings, monkeypatch, chosen: Chosen
):
    cell = made(chosen)
    recorded = learned(train(cell, few_digits))
    assert recordings.replays == 12
    monkeypatch.undo()
    assert recorded == learned(train(cell, few_digits))


def test_a_plugins_level_is_used_and_not_recorded(few_digits: Images, recordings: Recordings):
    @registry.level("loss", "absolute")
    def absolute(logits, targets, *, power: float = 1.0):
        """Mean distance of the logits from the targets."""
        return (logits - targets).abs().pow(power).mean()

    outcome = train(made({"loss": ("absolute", {"power": 1.5})}), few_digits)
    assert recordings.replays == 0
    assert "loss 'absolute' comes from a plugin" in outcome.notes[-1]
    assert outcome.curve[-1].train_loss < outcome.curve[0].train_loss


def test_the_loss_of_test_images_is_cross_entropy_whatever_is_trained_with(few_digits: Images):
    outcome = train(made({"loss": "mean_squared_error"}, train={"epochs": 8}), few_digits)
    assert outcome.curve[-1].train_loss < 0.2
    # Logits of 0 and 1 are never sure: -ln(e / (e + 9)) is the least.
    assert outcome.test_loss > 1.4


def test_label_smoothing_acts_on_every_loss_of_shares(few_digits: Images):
    """Of torch's cross-entropy the smoothing is torch's own; here the two agree."""

    @registry.level("loss", "plain")
    def plain(logits, targets):
        """Cross-entropy, as if it were another loss."""
        return functional.cross_entropy(logits, targets)

    smooth = {"train": {"epochs": 1, "label_smoothing": 0.2}}
    ours = train(made({"loss": "plain"}, **smooth), few_digits).curve[0].train_loss
    theirs = train(made({}, **smooth), few_digits).curve[0].train_loss
    without = train(made({}, train={"epochs": 1}), few_digits).curve[0].train_loss
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert abs(ours - without) > 0.01
    focal = [
        train(
            made({"loss": "focal"}, train={"epochs": 1, "label_smoothing": smoothing}), few_digits
        )
        for smoothing in (0.0, 0.2)
    ]
    assert focal[0].curve[0].train_loss != focal[1].curve[0].train_loss


def test_mixing_draws_nothing_of_the_other_streams(few_digits: Images, monkeypatch):
    """With a share of nobody but the last, the images and their order are those without it."""

    def seen(chosen: Chosen) -> list[torch.Tensor]:
        batches = []
        step_class = loop.Step
        drawn = step_class.drawn

        def spy(step, index, augmentation, mixing):
            batches.append(step.augment(step.images[index], augmentation.clone_state()))
            return drawn(step, index, augmentation, mixing)

        monkeypatch.setattr(step_class, "drawn", spy)
        train(made(chosen, train={"epochs": 2}), few_digits)
        monkeypatch.undo()
        return batches

    one, other = seen({"mixing": "mixup"}), seen({})
    assert len(one) == len(other) == 6
    assert all(map(torch.equal, one, other))


def test_an_answer_to_a_mixed_image_counts_its_share():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 1.0, 0.0]])
    shares = torch.tensor([[0.75, 0.25, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    assert float(right_answers(logits, shares)) == 0.75 + 0 + 1
    assert int(right_answers(logits, torch.tensor([0, 0, 1]))) == 2


def test_mixed_images_are_counted_so(few_digits: Images):
    half = made({"mixing": ("mixup", {"alpha": 1000.0})}, train={"epochs": 1, "batch_size": 90})
    counted = train(half, few_digits).curve[0].train_accuracy * 90
    assert counted != round(counted)


def test_the_reported_gradient_norm_is_the_one_before_clipping(few_digits: Images):
    once = {"epochs": 1, "batch_size": 90}
    clipped = made({"clipping": ("norm", {"max_norm": 0.01})}, train=once)
    free = made({}, train=once)
    norms = [train(cell, few_digits).curve[0].gradient_norm for cell in (clipped, free)]
    assert norms[0] == norms[1] > 0.01


def test_a_limit_that_is_never_met_changes_nothing(few_digits: Images):
    far = {"clipping": ("value", {"limit": 1e9})}
    assert learned(train(made(far), few_digits)) == learned(train(made({}), few_digits))


@pytest.mark.parametrize("name", ["ema", "swa"])
def test_averaging_leaves_the_training_as_it_is(few_digits: Images, name: str):
    fields = ("train_loss", "train_accuracy", "gradient_norm", "learning_rate")
    average, last = (train(made(one), few_digits) for one in ({"averaging": name}, {}))
    assert curve(average, *fields) == curve(last, *fields)
    assert average.parameters == last.parameters
    assert average.test_loss != last.test_loss
    begun = 1 if name == "ema" else 4
    losses = [[epoch.validation_loss for epoch in one.curve] for one in (average, last)]
    same = [one == other for one, other in zip(*losses, strict=True)]
    assert same == [number < begun for number in range(1, 5)]


def test_what_is_evaluated_is_the_mean_of_the_weights(few_digits: Images, monkeypatch):
    weights: list[torch.Tensor] = []
    kept: list[averaged.Averaged] = []
    settle = averaged.Averaged.settle
    step_class = loop.Step
    take = step_class.__call__

    def spy(step, index):
        take(step, index)
        weights.append(step.parameters[0].detach().clone())

    def keep(self, batches):
        kept.append(self)
        return settle(self, batches)

    monkeypatch.setattr(step_class, "__call__", spy)
    monkeypatch.setattr(averaged.Averaged, "settle", keep)
    train(made({"averaging": ("swa", {"start": 0.5})}), few_digits)
    ends = [weights[5 + 3], weights[5 + 6]]  # of three steps in each of four epochs
    torch.testing.assert_close(kept[-1]._mean[0], (ends[0] + ends[1]) / 2)
    weights.clear()
    train(made({"averaging": ("ema", {"decay": 0.8})}), few_digits)
    shares = [0.8 ** (11 - n) for n in range(12)]
    mean = sum(s * w for s, w in zip(shares, weights, strict=True)) / sum(shares)
    torch.testing.assert_close(kept[-1]._mean[0], mean)


def test_batch_norms_of_the_mean_are_measured_on_what_training_sees(
    few_digits: Images, monkeypatch
):
    kept: list[tuple[averaged.Averaged, list[torch.Tensor]]] = []
    settle = averaged.Averaged.settle

    def keep(self, batches):
        seen = list(batches)
        state = torch.get_rng_state()
        network = settle(self, seen)
        assert torch.equal(torch.get_rng_state(), state), "dropout of the training draws on"
        kept.append((self, seen))
        return network

    monkeypatch.setattr(averaged.Averaged, "settle", keep)
    train(made({"averaging": "ema"}), few_digits)
    average, batches = kept[-1]
    assert len(batches) == 3
    norm = next(m for m in average.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    convolution = next(m for m in average.network.modules() if isinstance(m, torch.nn.Conv2d))
    with torch.no_grad():
        means = [convolution(batch).mean((0, 2, 3)) for batch in batches]
    torch.testing.assert_close(norm.running_mean, sum(means) / 3, rtol=1e-4, atol=1e-5)
    trained = next(m for m in average.of.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert not torch.allclose(norm.running_mean, trained.running_mean)
    assert norm.momentum == trained.momentum


def test_a_network_without_batch_norm_is_averaged_too(few_digits: Images):
    outcome = train(made({"averaging": "ema"}, bn_placement="none", optimizer="adam"), few_digits)
    assert math.isfinite(outcome.test_loss)


def test_warm_up_multiplies_whatever_the_scheduler_says(few_digits: Images):
    for scheduler in registry.names("scheduler")[:6]:
        warm, cold = (
            [
                epoch.learning_rate
                for epoch in train(made(one, scheduler=scheduler), few_digits).curve
            ]
            for one in ({"warmup": ("linear", {"share": 1.0})}, {})
        )
        assert warm == pytest.approx([rate * n / 4 for n, rate in enumerate(cold, start=1)])


@pytest.mark.parametrize("optimizer", registry.names("optimizer")[:6])
def test_weight_decay_takes_the_place_of_the_optimizers(few_digits: Images, optimizer: str):
    field = make_cell(seeds="shared", optimizer=optimizer, train={"weight_decay": 0.03})
    own = make_cell(seeds="shared", optimizer=(optimizer, {"weight_decay": 0.03}))
    assert learned(train(field, few_digits)) == learned(train(own, few_digits))
    assert learned(train(field, few_digits)) != learned(
        train(make_cell(seeds="shared", optimizer=optimizer), few_digits)
    )


def test_a_checkpoint_without_the_average_means_starting_over(few_digits: Images, tmp_path: Path):
    file = tmp_path / "cell.checkpoint"
    cell = made({"averaging": "ema"})
    with pytest.raises(Interrupted):
        train(cell, few_digits, on_epoch=interrupt_after(3), checkpoint=file)
    content = torch.load(file, weights_only=True)
    content["average"] = None
    torch.save(content, file)
    heard = []
    outcome = train(cell, few_digits, on_epoch=heard.append, checkpoint=file)
    assert heard[0].epoch == 1
    assert learned(outcome) == learned(train(cell, few_digits))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@each
def test_cuda_records_every_one_and_learns_what_eager_steps_learn(
    few_digits: Images, monkeypatch, chosen: Chosen
):
    cell = made(chosen)
    recorded = train(cell, few_digits, "cuda:0")
    assert not [note for note in recorded.notes if "eagerly" in note]
    monkeypatch.setattr(loop, "captured", lambda step, cell, batch: (step, None))
    eager = train(cell, few_digits, "cuda:0")
    assert recorded.curve[0].train_loss == pytest.approx(eager.curve[0].train_loss, rel=1e-3)
