"""Clipping, averaging and warm-up: functions of a few numbers, held against torch and formulas."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

from ablations import registry
from ablations.errors import InputError
from ablations.optional import averaging, clipping, warmup


def parameters() -> list[torch.nn.Parameter]:
    made = [torch.nn.Parameter(torch.zeros(3)) for _ in range(3)]
    made[0].grad, made[2].grad = torch.tensor([3.0, 0.0, -4.0]), torch.tensor([0.1, 0.2, 12.0])
    return made


def gradients(of: list[torch.nn.Parameter]) -> list[list[float] | None]:
    return [None if one.grad is None else one.grad.tolist() for one in of]


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping_is_torchs(limit: float):
    norm = get_total_norm([p.grad for p in parameters() if p.grad is not None])
    assert float(norm) == pytest.approx(13.0, abs=0.01)
    for ours, theirs in ((clipping.norm, clip_grad_norm_), (clipping.value, clip_grad_value_)):
        mine, reference = parameters(), parameters()
        ours(mine, norm, **{"max_norm" if ours is clipping.norm else "limit": limit})
        theirs(reference, limit)
        assert gradients(mine) == gradients(reference)
        assert (gradients(mine) == gradients(parameters())) is (limit == 100.0)
    left = parameters()
    clipping.none(left, norm)
    assert gradients(left) == gradients(parameters())


def weights_of(share, count: int) -> list[float]:
    """How much each of `count` values that enter a running mean weighs in the end."""
    weights: list[float] = []
    for n in range(1, count + 1):
        weights = [one * (1 - share(n)) for one in weights] + [share(n)]
    return weights


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_an_exponential_mean_weighs_the_past_by_its_decay_and_nothing_else(decay: float):
    rule = averaging.ema(30, decay=decay)
    assert (rule.per, rule.first) == ("batch", 1)
    weights = weights_of(rule.share, 40)
    assert sum(weights) == pytest.approx(1), "nothing of the initial weights is in it"
    for older, newer in pairwise(weights):
        assert older / newer == pytest.approx(decay)


@pytest.mark.parametrize(
    ("epochs", "start", "first"), [(30, 0.75, 23), (4, 0.75, 4), (6, 0.5, 4), (1, 0.0, 1)]
)
def test_swa_weighs_epochs_alike_from_its_start_on(epochs: int, start: float, first: int):
    rule = averaging.swa(epochs, start=start)
    assert (rule.per, rule.first) == ("epoch", first)
    assert weights_of(rule.share, 5) == pytest.approx([0.2] * 5)


def test_no_averaging_has_no_rule():
    assert averaging.none(30) is None


def test_linear_warmup_rises_in_equal_steps_and_stays():
    shares = [warmup.linear(step, 40, share=0.25) for step in range(1, 41)]
    assert shares == pytest.approx([n / 10 for n in range(1, 11)] + [1.0] * 30)
    assert [warmup.none(step, 40) for step in (1, 40)] == [1, 1]
    assert warmup.linear(1, 3, share=0.01) == 1


@pytest.mark.parametrize(
    ("factor", "name", "given", "message"),
    [
        ("loss", "focal", {"gamma": 0}, "expected above 0"),
        ("mixing", "mixup", {"alpha": 0}, "expected at least 0.01 and at most 1,000"),
        ("mixing", "cutmix", {"share": 1.1}, "at most 1"),
        ("clipping", "norm", {"max_norm": 0}, "expected above 0"),
        ("clipping", "value", {"max_norm": 1}, "no parameter 'max_norm'; expected one of limit"),
        ("averaging", "ema", {"decay": 1}, "below 1"),
        ("averaging", "swa", {"start": 1}, "below 1"),
        ("warmup", "linear", {"share": 0}, "above 0"),
        ("averaging", "emma", {}, "did you mean 'ema'"),
    ],
)
def test_what_cannot_be_is_refused(factor: str, name: str, given, message: str):
    with pytest.raises(InputError, match=message):
        registry.resolve(factor, name, given)
