"""Optimizer levels: the bundle each name stands for, and the step it takes."""

import pytest
import torch

from ablations import registry


def make(name: str, **given: object) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    parameters = registry.resolve("optimizer", name, given)
    return weight, registry.find("optimizer", name).function([weight], **parameters)


def steps(name: str, count: int = 3, **given: object) -> torch.Tensor:
    weight, optimizer = make(name, **given)
    for number in range(count):
        weight.grad = torch.tensor([0.5, -0.25]) * (number + 1)
        optimizer.step()
    return weight.detach()


@pytest.mark.parametrize(
    ("name", "lr", "weight_decay"),
    [
        ("adam", 1e-3, 0.0),
        ("adamw", 1e-3, 0.01),
        ("sgd", 0.1, 5e-4),
        ("sgd_momentum", 0.05, 5e-4),
        ("sgd_nesterov", 0.05, 5e-4),
        ("rmsprop", 1e-3, 0.0),
    ],
)
def test_a_level_is_a_rule_with_its_learning_rate_and_weight_decay(name, lr, weight_decay):
    _, optimizer = make(name)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (lr, weight_decay)
    _, optimizer = make(name, lr=0.5, weight_decay=0.25)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)


def test_every_shipped_level_is_tested_here():
    built_in = [
        name
        for name in registry.names("optimizer")
        if registry.code_digest("optimizer", name) is None
    ]
    assert tuple(built_in) == (
        "adam", "adamw", "sgd", "sgd_momentum", "sgd_nesterov", "rmsprop",
    )  # fmt: skip


def test_sgd_follows_the_gradient_and_decays_weights():
    # w <- w - lr (g + wd w), by hand.
    weight = torch.tensor([1.0, -2.0])
    for number in range(3):
        weight = weight - 0.1 * (torch.tensor([0.5, -0.25]) * (number + 1) + 0.01 * weight)
    torch.testing.assert_close(steps("sgd", lr=0.1, weight_decay=0.01), weight)


def test_momentum_and_nesterov_follow_their_recursions():
    heavy, nesterov = torch.tensor([1.0, -2.0]), torch.tensor([1.0, -2.0])
    velocity = torch.zeros(2)
    for number in range(3):
        gradient = torch.tensor([0.5, -0.25]) * (number + 1)
        velocity = 0.8 * velocity + gradient
        heavy = heavy - 0.1 * velocity
        nesterov = nesterov - 0.1 * (gradient + 0.8 * velocity)
    given = {"lr": 0.1, "weight_decay": 0.0, "momentum": 0.8}
    torch.testing.assert_close(steps("sgd_momentum", **given), heavy)
    torch.testing.assert_close(steps("sgd_nesterov", **given), nesterov)


def test_adams_first_step_has_the_length_of_the_learning_rate():
    moved = steps("adam", count=1, lr=0.01) - torch.tensor([1.0, -2.0])
    torch.testing.assert_close(moved, torch.tensor([-0.01, 0.01]), atol=1e-6, rtol=0)


def test_adamw_decays_apart_from_the_gradient_and_adam_within_it():
    apart = steps("adamw", count=1, lr=0.01, weight_decay=0.5)
    expected = torch.tensor([1.0, -2.0]) * (1 - 0.01 * 0.5) + torch.tensor([-0.01, 0.01])
    torch.testing.assert_close(apart, expected, atol=1e-6, rtol=0)
    within = steps("adam", count=1, lr=0.01, weight_decay=0.5)
    torch.testing.assert_close(within, torch.tensor([0.99, -1.99]), atol=1e-6, rtol=0)


def test_rmsprops_first_step_is_the_gradient_over_its_scaled_size():
    # Square average after one step: (1 - alpha) g^2, so the step is lr / sqrt(1 - alpha).
    moved = steps("rmsprop", count=1, lr=0.01) - torch.tensor([1.0, -2.0])
    torch.testing.assert_close(moved, torch.tensor([-0.1, 0.1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "sgd_momentum", "sgd_nesterov"])
def test_the_fused_kernel_is_used_where_there_is_one(name):
    _, optimizer = make(name)
    assert optimizer.param_groups[0]["fused"]
