"""Numbers become an outcome: finished, diverged, or no response."""

import math

import numpy as np
import pytest
import torch

from runner.content.outcome import Outcome, Point, Reason, Status
from runner.trainers.endings import MOST_POINTS, ended, number, thinned


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), torch.tensor(0.5), torch.tensor([0.5])])
def test_a_number_of_any_library_is_one(value):
    assert number(value) == 0.5


@pytest.mark.parametrize("value", ["0.5", None, [1, 2], {}, object(), torch.tensor([1.0, 2.0])])
def test_what_is_no_number_is_none(value):
    assert number(value) is None


def test_all_that_is_finite_is_kept():
    outcome = ended({"acc": 0.5, "extra": 3, "name": "x"}, ("acc",), [], {})
    assert (outcome.status, outcome.responses) == (Status.FINISHED, {"acc": 0.5, "extra": 3.0})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_declared_number_that_is_not_finite_is_a_divergence(bad):
    outcome = ended({"acc": 0.5, "loss": bad}, ("acc", "loss"), [], {})
    assert (outcome.status, outcome.responses) == (Status.DIVERGED, {"acc": 0.5})
    assert outcome.detail == "loss is not finite"


def test_without_its_first_response_a_run_has_none_and_the_nearest_name_is_said():
    outcome = ended({"accuracy": 0.5}, ("acuracy",), [], {})
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.NO_RESPONSE)
    assert "did you mean 'accuracy'" in (outcome.detail or "")


def test_a_further_response_that_lacks_is_a_note():
    outcome = ended({"acc": 0.5}, ("acc", "minutes"), [], {})
    assert (outcome.status, outcome.notes) == (Status.FINISHED, ("it gave no minutes",))


def test_a_response_that_is_no_number_is_said():
    outcome = ended({"acc": "high"}, ("acc",), [], {})
    assert outcome.reason is Reason.NO_RESPONSE
    assert "'high', no number" in (outcome.detail or "")


def test_long_curves_are_thinned_and_keep_their_ends():
    points = [Point(step, {"loss": 1.0}) for step in range(12_345)]
    kept = thinned(points)
    assert len(kept) == MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert thinned(points[:5]) == tuple(points[:5])


def test_an_outcome_goes_to_json_and_back():
    outcome = ended({"acc": 0.5}, ("acc",), [Point(0, {"acc": 0.1})], {"seconds": 1.0})
    assert Outcome.from_dict(outcome.to_dict()) == outcome
