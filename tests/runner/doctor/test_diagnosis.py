"""What was broken on purpose is named first, and nothing is said of what works."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.runner.doctor.trainings import found, kinds, made, mlp


def not_cleared(model, loss, optimizer, x, y):
    value = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value


def clipped(model, loss, optimizer, x, y):
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    nn.utils.clip_grad_value_(model.parameters(), 0.1)
    optimizer.step()
    return value


def accumulated():
    seen = []

    def step(model, loss, optimizer, x, y):
        value = loss(model(x), y) / 2
        value.backward()
        seen.append(1)
        if len(seen) % 2 == 0:
            optimizer.step()
            optimizer.zero_grad()
        return value

    return step


def evaluating(model, loss, optimizer, x, y):
    model.eval()
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value


def without_step(model, loss, optimizer, x, y):
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()
    return value


def scaled(factor):
    model = mlp()
    with torch.no_grad():
        for one in model.modules():
            if isinstance(one, nn.Linear):
                one.weight.mul_(factor)
    return model


def each_batch():
    returned = made()
    scheduler = torch.optim.lr_scheduler.ExponentialLR(returned["optimizer"], 0.3)

    def step(model, loss, optimizer, x, y):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        scheduler.step()
        return value

    return returned | {"step": step}


def shuffled(y):
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(3))]


BROKEN = {
    "learning_rate_too_high": lambda: made(rate=20.0),
    "learning_rate_too_low": lambda: made(rate=1e-5),
    "schedule_wrong": each_batch,
    "missing_zero_grad": lambda: made(step=not_cleared),
    "wrong_loss": lambda: made(loss=lambda o, y: F.mse_loss(o.mean(1), y.float())),
    "softmax_before_cross_entropy": lambda: made(mlp(end=(nn.Softmax(1),))),
    "wrong_activation": lambda: made(mlp(nn.Sigmoid, depth=6)),
    "wrong_output_layer": lambda: made(
        mlp(outputs=1), rate=1e-3, loss=lambda o, y: F.mse_loss(o[:, 0], y.float())
    ),
    "no_normalisation": lambda: made(scale=255.0),
    "preprocessing_mismatch": lambda: made(held=lambda x: x + 3),
    "wrong_init": lambda: made(scaled(30.0)),
    "labels_wrong": lambda: made(labels=shuffled),
    "weights_not_updated": lambda: made(step=without_step),
    "too_strong_regularisation": lambda: made(decay=1.0),
    "eval_mode_in_training": lambda: made(mlp(norm=True), step=evaluating),
    "optimizer_without_parameters": lambda: (
        made() | {"optimizer": torch.optim.SGD(mlp().parameters(), 0.1)}
    ),
    "batch_too_small_or_large": lambda: made(rate=0.2, batch=1200) | {"epochs": 4},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_the_cause_is_named_first(kind):
    diagnosis = found(BROKEN[kind])
    assert kinds(diagnosis)[:1] == [kind], diagnosis.causes
    assert not diagnosis.healthy
    assert len(diagnosis.causes) <= 2
    first = diagnosis.causes[0]
    assert first.where
    assert first.evidence.endswith(".")
    assert first.change.endswith(".")


HEALTHY = {
    "plain": made,
    "slow": lambda: made(rate=0.01),
    "tanh": lambda: made(mlp(nn.Tanh)),
    "batch norm": lambda: made(mlp(norm=True)),
    "dropout": lambda: made(mlp(dropout=0.3)),
    "clipped": lambda: made(step=clipped),
    "two batches a step": lambda: made(step=accumulated(), rate=0.1),
    "linear": lambda: made(mlp(nn.Identity)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_what_works(name):
    diagnosis = found(HEALTHY[name])
    assert diagnosis.causes == ()
    assert diagnosis.healthy


def test_the_labels_of_two_sets_must_be_the_same_ones():
    diagnosis = found(lambda: made(labels=lambda y: (y + 1) % 10))
    assert kinds(diagnosis) == ["labels_wrong"]
    assert "validation" in diagnosis.causes[0].evidence


def test_a_regression_is_diagnosed_by_the_variance_it_explains():
    def regression(rate):
        draws = torch.Generator().manual_seed(0)
        x = torch.randn(800, 8, generator=draws)
        y = (x @ torch.arange(1.0, 9.0))[:, None] / 10
        pairs = torch.utils.data.TensorDataset(x, y)
        model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
        loader = torch.utils.data.DataLoader(pairs, 32)
        return {
            "model": model, "loss": nn.MSELoss(), "epochs": 10,
            "optimizer": torch.optim.SGD(model.parameters(), rate),
            "train_loader": loader, "val_loader": loader,
        }  # fmt: skip

    assert found(lambda: regression(0.05)).healthy
    low = found(lambda: regression(1e-6))
    assert kinds(low)[0] == "learning_rate_too_low"
    assert "variance explained" in low.causes[0].evidence


def test_the_same_seeds_give_the_same_answer():
    first, second = (found(BROKEN["wrong_init"], steps=40) for _ in range(2))
    assert first.as_json() == second.as_json()


def test_what_a_repair_changes_is_put_back():
    torch.manual_seed(0)
    returned = made(mlp(nn.Sigmoid, depth=6, dropout=0.5), decay=0.5)
    before = {name: value.clone() for name, value in returned["model"].state_dict().items()}
    groups = [dict(group, params=None) for group in returned["optimizer"].param_groups]

    def same():
        return returned

    found(same, steps=10)
    after = returned["model"].state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [dict(group, params=None) for group in returned["optimizer"].param_groups] == groups
    assert not any(one._forward_hooks or one._forward_pre_hooks
                   for one in returned["model"].modules())  # fmt: skip
    assert [one.p for one in returned["model"].modules() if isinstance(one, nn.Dropout)] == [0.5]


def _of_numbers(end, targets):
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(600, 4, generator=draws)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), *end)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, targets(x)), 20)
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 3,
        "optimizer": torch.optim.SGD(model.parameters(), 0.05),
        "train_loader": loader, "val_loader": loader,
    }  # fmt: skip


def test_outputs_that_cannot_reach_the_targets_are_an_activation():
    diagnosis = found(lambda: _of_numbers((nn.Sigmoid(),), lambda x: 3 * x[:, :1]))
    assert kinds(diagnosis) == ["wrong_activation"]
    assert "from 0 to 1" in diagnosis.causes[0].evidence


def test_targets_of_thousands_are_not_normalised():
    diagnosis = found(lambda: _of_numbers((), lambda x: 5000 + 2000 * x[:, :1]))
    assert kinds(diagnosis)[0] == "no_normalisation"
    assert diagnosis.causes[0].where == "targets"


@pytest.mark.parametrize(
    ("outputs", "labels", "kind", "change"),
    [
        (10, lambda y: y + 1, "labels_wrong", "from 0"),
        (6, lambda y: y, "wrong_output_layer", "10 outputs"),
    ],
)
def test_a_label_that_no_output_stands_for_is_said_although_no_step_can_be_made(
    outputs, labels, kind, change
):
    def make():
        torch.manual_seed(0)
        return made(mlp(outputs=outputs), labels=labels, batch=300)

    diagnosis = found(make)
    assert kinds(diagnosis) == [kind]
    assert change in diagnosis.causes[0].change
    assert diagnosis.evidence is None


def test_an_optimizer_of_one_bias_leaves_the_rest_untrained():
    def make():
        returned = made()
        bias = [next(reversed(list(returned["model"].parameters())))]
        return returned | {"optimizer": torch.optim.SGD(bias, 0.05)}

    diagnosis = found(make)
    assert kinds(diagnosis) == ["frozen_layers"]
    assert "5 of the model's 6 weights" in diagnosis.causes[0].evidence
