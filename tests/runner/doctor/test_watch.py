"""A loop of one's own, watched: what is wrong is seen, what works is left alone, bit for bit."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from runner.doctor.watch import ENOUGH, Watch
from tests.runner.doctor.test_diagnosis import BROKEN, HEALTHY
from tests.runner.doctor.trainings import made, mlp, seed_all

STEPS = 100


def trained(make, steps=STEPS, *, watched=True, last=True):
    """Train what `make` returns; the training, and what watched it."""
    seed_all(0)
    training = make()
    model, loss, optimizer = (training[name] for name in ("model", "loss", "optimizer"))
    watch = Watch(model, optimizer, loss) if watched else None
    newest = []
    model.register_forward_hook(lambda _m, _i, outputs: newest.append(outputs))
    step = training.get("step")
    number = 0
    while number < steps:
        for x, y in training["train_loader"]:
            newest.clear()
            if step is not None:
                value = step(model, loss, optimizer, x, y)
            else:
                optimizer.zero_grad()
                value = loss(model(x), y)
                if watch is not None and not last:
                    watch.step(x, y, newest[-1], value)
                value.backward()
                optimizer.step()
            if watch is not None and (last or step is not None):
                watch.step(x, y, newest[-1], value)
            number += 1
            if number == steps:
                break
    return training, watch


UNSEEN = ("preprocessing_mismatch", "labels_wrong", "batch_too_small_or_large")
"""They take validation data, or a trial."""


@pytest.mark.parametrize("kind", [one for one in BROKEN if one not in UNSEEN])
def test_a_cause_is_among_the_two_that_are_seen(kind):
    _, watch = trained(BROKEN[kind])
    seen = watch.diagnosis()
    assert kind in [one.kind for one in seen.causes], str(seen)
    assert not seen.healthy
    assert not any(one.proven for one in seen.causes)
    assert "seen, not proven" in str(seen)
    assert "python -m runner doctor FILE.py:make" in str(seen)


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("last", [True, False], ids=["after the step", "before it"])
def test_nothing_is_seen_in_what_works(name, last):
    _, watch = trained(HEALTHY[name], last=last)
    assert watch.diagnosis().healthy, str(watch.diagnosis())


def noisy():
    return made(mlp(norm=True, dropout=0.3))


def test_the_numbers_of_the_training_are_the_same_bit_for_bit():
    alone, _ = trained(noisy, watched=False)
    after_alone = torch.rand(1)
    beside, watch = trained(noisy)
    watch.diagnosis()
    assert torch.equal(torch.rand(1), after_alone)
    one, other = (training["model"].state_dict() for training in (alone, beside))
    assert all(torch.equal(one[name], other[name]) for name in one)
    one, other = (list(training["model"].parameters()) for training in (alone, beside))
    assert all(torch.equal(p.grad, q.grad) for p, q in zip(one, other, strict=True))


def test_few_steps_are_looked_at():
    seed_all(0)
    training = made(mlp())
    watch = Watch(training["model"], training["optimizer"], training["loss"])
    looked = sum(
        watch.step(torch.rand(4, 64), torch.arange(4), torch.rand(4, 10), 1.0)
        for _ in range(10_000)
    )
    assert looked < 25


def test_a_copy_or_a_pickle_of_the_model_has_no_hook_that_acts():
    training, watch = trained(made, steps=3)
    model = training["model"]
    model._forward_hooks.clear()  # the test's own
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        before = watch.steps, watch._close.layers
        other(torch.rand(4, 64)).sum().backward()
        assert (watch.steps, watch._close.layers) == before
    watch.close()
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in model.modules())


class Divides(nn.Module):
    def forward(self, x):
        return x / (x - x)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x, model: x.fill_(torch.nan), "the inputs at step 6"),
        (lambda x, model: model[3].weight.data.fill_(torch.inf), "the weights 3.weight at step 6"),
        (lambda x, model: model.insert(2, Divides()), "the output of 2 at step 6"),
    ],
    ids=["inputs", "weights", "a layer"],
)
def test_the_first_tensor_that_is_not_finite_is_named_with_its_step(spoil, said):
    seed_all(0)
    training = made()
    model, loss = training["model"], training["loss"]
    watch = Watch(model, training["optimizer"], loss)
    for number, (x, y) in enumerate(training["train_loader"], 1):
        if number == 6:
            spoil(x, model)
        training["optimizer"].zero_grad()
        outputs = model(x)
        value = loss(outputs, y)
        value.backward()
        watch.step(x, y, outputs, value)
        training["optimizer"].step()
        if number == 8:
            break
    assert watch.broke == said
    assert f"First not finite: {said}." in str(watch.diagnosis())


def test_before_the_first_step_it_may_be_asked():
    training, watch = trained(made, steps=1)
    fresh = Watch(training["model"], training["optimizer"])
    training["model"](torch.rand(4, 64)).sum().backward()
    training["optimizer"].step()
    assert str(fresh.diagnosis()).startswith("Not known: 0 steps")
    assert str(watch.diagnosis()).startswith("Not known: 1 step ")


def test_too_few_steps_tell_nothing():
    _, watch = trained(made, steps=ENOUGH - 5)
    seen = watch.diagnosis()
    assert not seen.causes
    assert not seen.healthy
    assert "Not known" in str(seen)


def test_without_a_loss_function_its_values_tell_which_it_is():
    seed_all(0)
    training = made(mlp(end=(nn.Softmax(1),)))
    model, loss, optimizer = (training[name] for name in ("model", "loss", "optimizer"))
    with Watch(model, optimizer) as watch:
        for x, y in training["train_loader"]:
            optimizer.zero_grad()
            outputs = model(x)
            value = loss(outputs, y)
            value.backward()
            optimizer.step()
            watch.step(x, y, outputs, value)
    assert watch.diagnosis().causes[0].kind == "softmax_before_cross_entropy"
