"""A look at a network: right numbers, and not a bit of the network changed."""

from __future__ import annotations

from contextlib import nullcontext
from math import sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from runner.network.fused_norm import FusedNorm
from runner.probe.probe import Seen, Sight, look_at
from runner.probe.record import Evidence, Look


def network(*, fused: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(6)
    behind = [FusedNorm(norm, nn.ReLU())] if fused else [norm, nn.ReLU()]
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), *behind, nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4),
    )  # fmt: skip


def sight(*, copied: bool = False) -> Sight:
    torch.manual_seed(1)
    inputs = torch.randn(12, 3, 8, 8).to(memory_format=torch.channels_last)
    labels = torch.arange(12) % 4
    return Sight(inputs, labels, functional.cross_entropy, nullcontext, copied)


def of(seen: Seen, column: str, name: str) -> float:
    names = [one.name for one in seen.layers]
    return seen.look.columns[column][names.index(name)]


def state(module: nn.Module) -> list[Tensor]:
    return [value.clone() for value in module.state_dict().values()]


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_a_look_leaves_no_trace(fused: bool, copied: bool) -> None:
    looked_at = network(fused=fused).train()
    looked_at[3].eval()  # a mode that somebody chose
    for one in looked_at.parameters():
        one.grad = torch.ones_like(one)
    before, modes = state(looked_at), [one.training for one in looked_at.modules()]
    kept, draws = [one.grad for one in looked_at.parameters()], torch.get_rng_state()
    what = sight(copied=copied)
    torch.set_rng_state(draws)
    look_at(looked_at, what, 0, 0, {})
    assert all(torch.equal(a, b) for a, b in zip(before, state(looked_at), strict=True))
    assert [one.training for one in looked_at.modules()] == modes
    assert [one.grad for one in looked_at.parameters()] == kept  # the same tensors
    assert all(bool((one == 1).all()) for one in kept if one is not None)
    assert torch.equal(torch.get_rng_state(), draws)
    assert not any(one._forward_hooks for one in looked_at.modules())


def test_its_numbers_are_those_of_the_definitions() -> None:
    looked_at, what = network().train(), sight()
    looked_at[3].p = 0.0
    seen = look_at(looked_at, what, 7, 1, {"0": 0.25})
    with torch.no_grad():
        first = looked_at[0](what.inputs)
        rectified = torch.relu(
            functional.batch_norm(first, None, None, looked_at[1].weight, looked_at[1].bias, True)
        )
    assert of(seen, "mean", "0") == pytest.approx(float(first.mean()), abs=1e-6)
    assert of(seen, "deviation", "0") == pytest.approx(float(first.std()), rel=1e-5)
    assert of(seen, "varied", "0") == pytest.approx(float(first.var(0).mean().sqrt()), rel=1e-5)
    assert of(seen, "deviation", "2") == pytest.approx(float(rectified.std()), rel=1e-4)
    length = float(looked_at[0].weight.detach().norm())
    assert of(seen, "weight", "0") == pytest.approx(length, rel=1e-5)
    assert of(seen, "update", "0") == 0.25
    loss = functional.cross_entropy(looked_at(what.inputs), what.labels)
    loss.backward()
    assert seen.look.entropy == pytest.approx(float(loss.detach()), rel=1e-5)
    assert of(seen, "gradient", "0") == pytest.approx(float(looked_at[0].weight.grad.norm()), 1e-4)
    assert (seen.look.step, seen.look.epoch) == (7, 1)
    assert [one.kind for one in seen.layers] == [
        "weighted", "norm", "rectifier", "weighted", "saturating", "weighted"
    ]  # fmt: skip


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("momentum", [0.1, 0.01, None])
def test_the_batchs_statistics_are_told_from_how_the_running_ones_move(
    fused: bool, momentum: float | None
) -> None:
    looked_at, what = network(fused=fused).train(), sight()
    norm = looked_at[1][0] if fused else looked_at[1]
    norm.momentum = momentum
    norm.running_mean += 3.0
    seen = look_at(looked_at, what, 0, 0, {})
    with torch.no_grad():
        given = looked_at[0](what.inputs)
    mean, spread = given.mean((0, 2, 3)), given.var((0, 2, 3))
    shift = float(((mean - norm.running_mean).abs() / spread.sqrt()).mean())
    assert of(seen, "shift", "1") == pytest.approx(shift, rel=1e-3)
    expected = float((norm.running_var / spread).sqrt().median())
    assert of(seen, "spread", "1") == pytest.approx(expected, rel=1e-3)


def test_units_that_never_fire_and_weights_without_a_gradient_are_seen() -> None:
    looked_at, what = network().train(), sight()
    with torch.no_grad():
        looked_at[1].bias[:3] = -100.0
    looked_at.unused = nn.Linear(2, 2)
    looked_at.forward = lambda x: nn.Sequential(*list(looked_at)[:-1])(x)  # type: ignore[method-assign]
    seen = look_at(looked_at, what, 0, 0, {})
    assert of(seen, "silent", "2") == 0.5
    assert set(seen.unreached) == {"unused.weight", "unused.bias"}


def test_a_gain_is_he_s_for_weights_drawn_by_his_rule() -> None:
    torch.manual_seed(0)
    looked_at = nn.Sequential(nn.Flatten(), nn.Linear(192, 400), nn.ReLU(), nn.Linear(400, 4))
    nn.init.kaiming_normal_(looked_at[1].weight)
    seen = look_at(looked_at.train(), sight(), 0, 0, {})
    found = Evidence(12, 12, 4, seen.layers, (seen.look,))
    (_, gain), *_ = found.gains(seen.look)
    assert gain == pytest.approx(sqrt(2), rel=0.02)


def test_what_is_not_finite_is_null_and_the_rest_comes_back_as_it_was() -> None:
    looked_at = network().train()
    with torch.no_grad():
        looked_at[6].weight[0, 0] = float("nan")
    seen = look_at(looked_at, sight(), 0, 0, {})
    assert seen.broke_at == "6"
    kept = Evidence(12, 12, 4, seen.layers, (seen.look,), losses=(2.3456, float("nan")))
    plain = kept.to_plain()
    assert plain["losses"] == [2.35, None]
    assert plain["looks"][0]["entropy"] is None
    assert Evidence.from_plain(plain).to_plain() == plain
    assert isinstance(Evidence.from_plain(plain).first, Look)
