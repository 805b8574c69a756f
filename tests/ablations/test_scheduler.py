"""Schedulers: torch's own numbers at torch's own granularity, relative to the level's rate."""

import math
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler

from ablations import registry
from ablations.scheduler import Stepper

EPOCHS, STEPS, RATE = 6, 5, 0.2


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE, momentum=0.9)


def run(
    name: str,
    losses: list[float] | None = None,
    budget: tuple[int, int] = (EPOCHS, STEPS),
    **given: object,
) -> list[float]:
    """The learning rate of every step of a training of so many epochs and steps in each."""
    used = optimizer()
    parameters = registry.resolve("scheduler", name, given)
    stepper = registry.find("scheduler", name).function(used, *budget, **parameters)
    assert isinstance(stepper, Stepper)
    rates = []
    for epoch in range(budget[0]):
        for _ in range(budget[1]):
            rates.append(used.param_groups[0]["lr"])
            used.step()
            stepper.after_batch()
        stepper.after_epoch(losses[epoch] if losses else 1.0)
    assert used.param_groups[0]["momentum"] == 0.9  # only the learning rate moves
    return rates


def reference(make, per_batch: bool) -> list[float]:
    used = optimizer()
    scheduler = make(used)
    rates = []
    for _ in range(EPOCHS):
        for _ in range(STEPS):
            rates.append(used.param_groups[0]["lr"])
            used.step()
            if per_batch:
                scheduler.step()
        if not per_batch:
            scheduler.step()
    return rates


def test_constant_never_moves():
    assert run("constant") == [RATE] * (EPOCHS * STEPS)


def test_cosine_is_torchs_by_the_epoch_and_ends_near_zero():
    rates = run("cosine")
    expected = reference(lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS), per_batch=False)
    assert rates == pytest.approx(expected)
    assert rates[-1] == pytest.approx(RATE * (1 + math.cos(math.pi * 5 / 6)) / 2)


def test_step_drops_twice_at_equal_distances():
    rates = run("step")
    assert rates == pytest.approx(
        reference(lambda o: lr_scheduler.StepLR(o, 2, 0.1), per_batch=False)
    )
    assert sorted({round(rate, 9) for rate in rates}) == pytest.approx([0.002, 0.02, 0.2])


@pytest.mark.parametrize(("epochs", "drops"), [(6, 3), (4, 2), (9, 5), (10, 3), (30, 2), (3, 2)])
def test_step_drops_as_often_as_it_says_and_the_stages_are_alike(epochs, drops):
    """One distance for all, rounded up, left (6, 3) two drops and (4, 2) one."""
    rates = run("step", budget=(epochs, 1), drops=drops)
    stages = [sum(rate == pytest.approx(RATE / 10**n) for rate in rates) for n in range(drops + 1)]
    assert sum(stages) == epochs
    assert max(stages) - min(stages) <= 1
    assert min(stages) > 0


@pytest.mark.parametrize("drops", [1, 2, 5])
def test_step_of_a_budget_too_short_for_its_drops_only_falls(drops):
    for epochs in range(1, drops + 1):
        rates = run("step", budget=(epochs, 1), drops=drops)
        assert rates[0] == RATE
        assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("steps", "cycles"), [(660, 20), (100, 3), (101, 3), (132, 7), (990, 30)])
def test_cyclic_has_whole_waves_and_ends_at_its_floor(steps, cycles):
    """Waves of whole steps drifted: 20 of them in 660 steps ended four fifths of the way up."""
    rates = run("cyclic", budget=(1, steps), cycles=cycles)
    rising = [after > before for before, after in pairwise(rates)]
    tops = sum(up and not still for up, still in pairwise(rising))
    assert tops == cycles
    slope = 0.9 * RATE / (steps / (2 * cycles))
    assert rates[-1] <= RATE / 10 + slope * (1 + 1e-9)
    assert max(rates) > RATE - slope / 2 - 1e-12
    assert sum(rates) / steps == pytest.approx(0.55 * RATE, rel=0.01)


def test_cyclic_is_torchs_triangle_by_the_batch_with_the_rate_as_its_peak():
    rates = run("cyclic", cycles=3)
    expected = reference(
        lambda o: lr_scheduler.CyclicLR(
            o, base_lr=RATE / 10, max_lr=RATE, step_size_up=5, cycle_momentum=False
        ),
        per_batch=True,
    )
    assert rates == pytest.approx(expected)
    assert rates[0] == pytest.approx(RATE / 10)
    assert max(rates) == pytest.approx(RATE)
    assert sum(rate == pytest.approx(RATE) for rate in rates) == 3


def test_one_cycle_is_torchs_by_the_batch_with_the_rate_as_its_peak():
    rates = run("one_cycle")
    expected = reference(
        lambda o: lr_scheduler.OneCycleLR(
            o, max_lr=RATE, total_steps=EPOCHS * STEPS, cycle_momentum=False
        ),
        per_batch=True,
    )
    assert rates == pytest.approx(expected)
    assert max(rates) == pytest.approx(RATE, rel=1e-3)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (1, 3), (2, 5), (3, 4)])
@pytest.mark.parametrize("rise", [1e-3, 0.1, 0.3, 1 / 3, 0.5, 1.0])
def test_one_cycle_ends_low_however_short_the_training(epochs, steps, rise):
    used = optimizer()
    stepper = registry.find("scheduler", "one_cycle").function(used, epochs, steps, rise=rise)
    rates = []
    for _ in range(epochs * steps):
        rates.append(used.param_groups[0]["lr"])
        used.step()
        stepper.after_batch()
    assert all(0 < rate <= RATE * (1 + 1e-12) for rate in rates)
    if epochs * steps > 2:
        assert rates[-1] < 1e-5 * RATE


def test_plateau_waits_for_the_validation_loss_to_stop_improving():
    falling = run("plateau", losses=[6.0, 5.0, 4.0, 3.0, 2.0, 1.0], patience=1)
    assert falling == [RATE] * (EPOCHS * STEPS)
    flat = run("plateau", losses=[1.0] * 6, patience=1)
    # The first epoch is the best; the second is borne, the third is one too many.
    by_epoch = flat[::STEPS]
    assert by_epoch == pytest.approx([RATE, RATE, RATE, RATE / 10, RATE / 10, RATE / 100])


def test_plateau_survives_a_loss_that_is_not_a_number():
    rates = run("plateau", losses=[1.0] + [math.nan] * 5, patience=0)
    assert rates[-1] < RATE


@pytest.mark.parametrize("name", registry.names("scheduler"))
def test_the_shortest_training_of_one_step_is_possible(name):
    used = optimizer()
    parameters = registry.resolve("scheduler", name, {})
    stepper = registry.find("scheduler", name).function(used, 1, 1, **parameters)
    used.step()
    stepper.after_batch()
    stepper.after_epoch(1.0)
    assert 0 <= used.param_groups[0]["lr"] <= RATE
