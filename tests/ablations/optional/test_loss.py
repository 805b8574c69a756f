"""Losses: torch's own numbers on one-hot labels, and what shares of classes make of them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from ablations import registry
from ablations.optional.loss import cross_entropy, focal

GENERATOR = torch.Generator().manual_seed(5)
LOGITS = 3 * torch.randn(64, 10, generator=GENERATOR)
LABELS = torch.randint(10, (64,), generator=GENERATOR)
ONE_HOT = functional.one_hot(LABELS, 10).float()
SHARES = torch.softmax(torch.randn(64, 10, generator=GENERATOR), 1)


@pytest.mark.parametrize(
    ("name", "torchs"),
    [
        ("cross_entropy", torch.nn.CrossEntropyLoss()),
        ("mean_squared_error", torch.nn.MSELoss()),
        ("binary_cross_entropy", torch.nn.BCEWithLogitsLoss()),
    ],
)
@pytest.mark.parametrize("targets", [ONE_HOT, SHARES], ids=["one-hot", "shares"])
def test_these_are_torchs(name: str, torchs, targets):
    ours = registry.find("loss", name).function(LOGITS, targets)
    torch.testing.assert_close(ours, torchs(LOGITS, targets))


def test_hinge_is_torchs_and_takes_numbers_of_classes():
    found = registry.find("loss", "hinge")
    assert found.facts == {"hard_labels": True}
    for margin in (1.0, 0.5):
        theirs = torch.nn.MultiMarginLoss(margin=margin)(LOGITS, LABELS)
        torch.testing.assert_close(found.function(LOGITS, LABELS, margin=margin), theirs)


def test_focal_is_its_formula():
    p = torch.softmax(LOGITS.double(), 1)[torch.arange(64), LABELS]
    for gamma in (0.5, 2.0, 5.0):
        expected = (-((1 - p) ** gamma) * p.log()).mean()
        assert float(focal(LOGITS, ONE_HOT, gamma=gamma)) == pytest.approx(float(expected))
    near_cross_entropy = focal(LOGITS, SHARES, gamma=1e-6)
    torch.testing.assert_close(near_cross_entropy, cross_entropy(LOGITS, SHARES), rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", registry.names("loss")[:5])
@pytest.mark.parametrize("parameters", [{}, {"gamma": 0.1}])
def test_what_is_sure_has_a_finite_slope(name: str, parameters: dict[str, float]):
    if not set(parameters) <= set(registry.find("loss", name).defaults):
        return
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0], [20.0, 0.0]], requires_grad=True)
    labels = torch.tensor([0, 0, 0])
    found = registry.find("loss", name)
    hard = found.facts.get("hard_labels")
    targets = labels if hard else functional.one_hot(labels, 2).float()
    found.function(logits, targets, **parameters).backward()
    assert logits.grad.isfinite().all()
    assert logits.grad[1, 0] < 0, "the wrong one is mended"
