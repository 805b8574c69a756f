"""Causes of cells: the four that people met, told from curves and layers, and what a grid adds."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import log, nan
from typing import Any

import pytest

from runner.content.outcome import Epoch, Status, Target
from runner.data import Images
from runner.doctor.causes.kinds import KINDS
from runner.doctor.cells.grid import Placed, removals
from runner.doctor.cells.run import Run
from runner.doctor.cells.why import Why, run_of, why
from runner.probe.record import Broke, Evidence, LayerName, Look
from runner.training import train
from tests.runner.cells import make_cell

TARGET = Target(0.9)
LAYERS = (
    LayerName("conv1", "weighted", 16), LayerName("relu1", "rectifier"),
    LayerName("conv2", "weighted", 16), LayerName("relu2", "rectifier"),
    LayerName("last", "weighted", 10),
)  # fmt: skip


def curve(
    losses: list[float], train_accuracy: float, validation: float, gradients: list[float]
) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(k, loss, train_accuracy, loss, validation, 0.1, gradient, 1.0, 1.0)
        for k, (loss, gradient) in enumerate(zip(losses, gradients, strict=True), start=1)
    )


def look(step: int, **numbers: Any) -> Look:
    given = {
        "loss": 2.3, "entropy": 2.3, "accuracy": 0.1, "entropy_used": 2.3, "accuracy_used": 0.1,
        "top": 0.4, "answered": 5, "scale": 0.5,
    }  # fmt: skip
    columns = {
        "varied": (1.0, nan, 1.0, nan, 0.5), "weight": (5.6, nan, 5.6, nan, 4.4),
        "silent": (nan, 0.0, nan, 0.0, nan), "update": (0.01, nan, 0.01, nan, 0.01),
    } | numbers.pop("columns", {})  # fmt: skip
    return Look(step=step, epoch=step // 10, **{**given, **numbers}, columns=columns)


def seen(*looks: Look, **about: Any) -> Evidence:
    return Evidence(32, 64, 10, LAYERS, looks, **about)


def told(found: Evidence | None, curve: tuple[Epoch, ...], status: str = "stalled") -> Why:
    answer = why(Run(status, 10, curve, 0.9, len(curve), found))
    assert answer is not None
    return answer


FLAT = curve([2.303] * 4, 0.1, 0.1, [0.14] * 4)
"""Loss 2.303 from the first epoch on, with a gradient of 0.14."""
SPENT = curve([2.4, 2.31, 2.31, 2.31], 0.1, 0.1, [3.5, 0.3, 0.2, 0.2])
"""Gradient 3.5, then 0.2, and the loss stays."""
LOUD = curve([5.4, 3.0, 2.4, 2.31], 0.1, 0.1, [9.0, 4.0, 3.0, 2.0])
"""First loss 5.4 where ln 10 is 2.3."""
APART = curve([2.0, 2.6, 3.0, 3.5], 1.0, 0.16, [3.0, 1.0, 0.5, 0.3])
"""Training 1.00 against validation 0.16."""

FADING = {"varied": (0.05, nan, 1e-3, nan, 1e-6), "weight": (0.2, nan, 0.2, nan, 0.03)}


@pytest.mark.parametrize(
    ("found", "history", "kind", "said"),
    [
        (seen(look(0), look(40, accuracy=1.0, accuracy_used=0.16)), APART,
         "norm_statistics_wrong", "get 32 right by the batch's statistics and 5 by the running"),
        (seen(look(0, columns=FADING), look(40)), FLAT,
         "wrong_init", "the signal goes from 0.05 behind the first layer to 1e-06"),
        (seen(look(0, columns={"varied": (0.5, nan, 0.01, nan, 1e-6)}), look(40)), FLAT,
         "no_norm_layers", "Through 3 layers without normalisation"),
        (seen(look(0), look(40)), SPENT,
         "learning_rate_too_high", "The gradient falls from 3.5 in the first epoch to 0.2"),
        (seen(look(0, entropy=5.4, scale=4.0), look(40)), LOUD,
         "wrong_init", "the loss is 5.4 where an answer at random has 2.30"),
        (seen(look(0), look(40, columns={"silent": (nan, 1.0, nan, 1.0, nan)})), FLAT,
         "learning_rate_too_high", "0% are zero for every image before the first step and 100%"),
        (seen(look(0), look(40), losses=(2.4, 9.0, 80.0)), FLAT,
         "learning_rate_too_high", "The loss jumps from 2.4 to 80 within 3 steps"),
        (seen(look(0, columns={"update": (1e-7, nan, 1e-7, nan, 1e-7)})), FLAT,
         "learning_rate_too_low", "by more than 1e-07 of their length"),
        (seen(look(0), look(40), unreached=("conv1.weight",)), FLAT,
         "frozen_layers", "No gradient reaches conv1.weight"),
        (seen(look(0), look(40)), FLAT, "vanishing_gradient", "the gradient 0.14"),
        (seen(look(0), look(40, columns={"weight": (0.2, nan, 0.1, nan, 0.9)})), SPENT,
         "too_strong_regularisation", "those of conv1 from a length of 5.6 to 0.2"),
    ],
)  # fmt: skip
def test_a_cells_cause_is_told_from_its_layers(
    found: Evidence, history: tuple[Epoch, ...], kind: str, said: str
) -> None:
    answer = told(found, history)
    assert answer.kind == kind
    assert answer.sentences[0].startswith(KINDS[kind].title)
    assert said in answer.sentences[0]
    assert len(answer.causes) <= 2
    assert "curve alone" not in answer.sentences[0]


def test_shrunken_weights_are_a_cause_only_where_little_was_learned_and_no_sign_of_a_hot_rate():
    half = curve([2.0, 1.2, 0.8, 0.79], 0.8, 0.7, [3.5, 0.3, 0.2, 0.2])
    shrunk = seen(look(0), look(40, columns={"weight": (0.2, nan, 0.1, nan, 0.9)}))
    assert "too_strong_regularisation" not in {one.kind for one in told(shrunk, half).causes}
    assert [one.kind for one in told(shrunk, SPENT).causes] == ["too_strong_regularisation"]
    kept = seen(look(0), look(40, columns={"weight": (0.2, nan, 5.1, nan, 4.0)}))
    assert [one.kind for one in told(kept, SPENT).causes] == ["learning_rate_too_high"]


@pytest.mark.parametrize(
    ("history", "kind"),
    [(APART, "norm_statistics_wrong"), (FLAT, "vanishing_gradient"),
     (SPENT, "learning_rate_too_high"), (LOUD, "wrong_init")],
)  # fmt: skip
def test_of_an_older_store_the_curve_alone_tells_it(history: tuple[Epoch, ...], kind: str) -> None:
    answer = told(None, history)
    assert answer.kind == kind
    assert answer.sentences[0].endswith("(Told from its curve alone.)")


def test_a_cell_that_diverges_at_once_is_too_hot_and_a_late_one_is_where_it_broke() -> None:
    history = curve([nan], 0.1, 0.1, [nan])
    broke = Broke(3, "loss", "conv1.weight")
    hot = told(seen(look(0), losses=(2.4, 50.0, nan), broke=broke), history, "diverged")
    assert hot.kind == "learning_rate_too_high"
    assert "the loss is 2.4 in step 1 and not finite in step 3" in hot.sentences[0].lower()
    late = replace(broke, step=300)
    answer = told(seen(look(0), losses=(2.4, 2.3, 2.2), broke=late), history, "diverged")
    assert answer.kind == "exploding_gradient"
    assert "the loss in step 300" in answer.sentences[0]


def test_healthy_and_not_known_are_answers() -> None:
    learned = curve([1.0, 0.5, 0.3, 0.2], 0.98, 0.95, [2.0, 1.0, 0.5, 0.4])
    assert told(seen(look(0), look(40)), learned, "reached").kind == "healthy"
    level = curve([1.0, 0.5, 0.6, 0.6], 0.8, 0.8, [2.0, 1.0, 0.9, 0.9])
    answer = told(seen(look(0), look(40)), level, "short")
    assert (answer.kind, answer.sentences) == ("not known", ())
    assert why(Run("failed", 10)) is None
    assert why(Run("timeout", 10)) is None
    assert told(None, (), "stalled").kind == "not known"


def test_a_short_cell_was_still_learning_or_knows_its_images_by_heart() -> None:
    falling = curve([2.0, 1.5, 1.2, 1.0], 0.8, 0.8, [2.0] * 4)
    assert told(None, falling, "short").kind == "too_few_epochs"
    heart = curve([1.0, 0.9, 1.0, 1.1], 1.0, 0.7, [2.0] * 4)
    assert told(seen(look(0), look(40)), heart, "short").kind == "overfitting"
    assert told(seen(look(0), look(40, accuracy=1.0, accuracy_used=0.1)), heart, "short").kind == (
        "norm_statistics_wrong"
    )


HELD = curve([1.5, 1.3, 1.29, 1.29], 0.4, 0.7, [2.0] * 4)
"""Better in validation than on what it is trained on."""


@pytest.mark.parametrize(
    ("dropout", "kind", "said"),
    [
        (0.0, "too_strong_augmentation", "As augmentation changes them 40% of the training images"),
        (0.3, "too_strong_augmentation", "and 70% of the validation images"),
        (
            0.9,
            "too_strong_regularisation",
            "Dropout takes 90% of a layer's inputs: with it 40%",
        ),
        (None, "not known", ""),
    ],
)
def test_what_holds_a_training_back_is_told_by_validation_that_is_better(
    dropout: float | None, kind: str, said: str
) -> None:
    answer = told(seen(look(0), look(40), dropout=dropout), HELD, "short")
    assert answer.kind == kind
    assert said in "".join(answer.sentences)


def test_nothing_is_said_to_hold_back_what_only_learns_fast_or_is_still_learning_first() -> None:
    rising = (*HELD[:-1], replace(HELD[-1], validation_accuracy=0.9))
    fast = (*rising[:-2], replace(rising[-2], validation_accuracy=0.4), rising[-1])
    assert told(seen(look(0), look(40), dropout=0.9), fast, "short").kind == "not known"
    falling = curve([2.0, 1.5, 1.2, 1.0], 0.4, 0.7, [2.0] * 4)
    causes = told(seen(look(0), look(40), dropout=0.0), falling, "short").causes
    assert [one.kind for one in causes] == ["too_few_epochs", "too_strong_augmentation"]


def test_a_gradient_that_falls_with_the_loss_is_no_sign_of_a_hot_rate() -> None:
    falls = (*SPENT[:-1], replace(SPENT[-1], validation_loss=2.1))
    assert told(seen(look(0), look(40)), falls).kind != "learning_rate_too_high"
    assert told(seen(look(0), look(40)), SPENT).kind == "learning_rate_too_high"


def test_a_loss_that_dropout_makes_is_no_fault_of_the_weights() -> None:
    first = look(0, entropy=9.0, entropy_used=2.31, scale=8.0)
    assert told(seen(first, look(40), dropout=0.97), LOUD).kind != "wrong_init"
    assert told(seen(first, look(40), dropout=0.0), LOUD).kind == "wrong_init"


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        ({"bn_placement": "none", "init": "naive"}, "wrong_init"),
        ({"bn_placement": "none", "init": "default", "model": {"depth": 19}}, "no_norm_layers"),
        (
            {"bn_placement": ("before", {"momentum": 1e-4}), "init": "naive"},
            "norm_statistics_wrong",
        ),
        ({"optimizer": ("adam", {"lr": 3.0})}, "learning_rate_too_high"),
        ({"optimizer": ("sgd_momentum", {"lr": 1e6})}, "learning_rate_too_high"),
        ({"optimizer": ("sgd", {"lr": 1e-7})}, "learning_rate_too_low"),
        ({}, "healthy"),
    ],
    ids=str,
)
def test_a_trained_cell_gets_its_cause(
    few_digits: Images, levels: dict[str, Any], kind: str
) -> None:
    outcome = train(make_cell(**levels, train={"epochs": 20 if kind in LEARN else 6}), few_digits)
    best = outcome.best_validation_accuracy or 0.0
    learned = outcome.status in (Status.LEARNED, Status.STALLED)
    status = Status.REACHED if learned and best >= 0.9 else outcome.status
    row = {"status": status, "classes": 10, "epochs_budget": outcome.epochs_budget}
    answer = why(run_of(row, TARGET, outcome.curve, outcome.evidence))
    assert answer is not None
    assert answer.kind == kind


LEARN = ("healthy", "norm_statistics_wrong")
"""What shows only once the training images are known."""

FACTORS = {"init": ("he", "naive"), "norm": ("none", "before", "after"), "rate": ("low", "high")}


def placed(ill: Any, replicates: int = 4) -> list[Placed]:
    found = []
    for levels in product(*FACTORS.values(), range(replicates)):
        named = dict(zip(FACTORS, levels, strict=False))
        bad = ill(named)
        found.append(Placed(named, "wrong_init" if bad else "healthy", not bad))
    return found


def test_the_level_that_removes_a_cause_is_named_with_its_partners() -> None:
    runs = placed(lambda one: one["init"] == "naive" and one["norm"] == "none")
    by = {one.factor: one for one in removals(runs, FACTORS, "wrong_init")}
    assert set(by) == {"init", "norm"}
    assert by["init"].at == ("naive",)
    assert by["init"].without == ("he",)
    assert (by["init"].partners, by["init"].partners_converged) == (8, 8)
    assert by["norm"].without == ("before", "after")
    assert by["norm"].partners == 16


def test_nothing_is_named_that_luck_would_do() -> None:
    one = placed(lambda levels: levels == {"init": "naive", "norm": "none", "rate": "low"}, 1)
    assert removals(one, FACTORS, "wrong_init") == []
    assert removals(placed(lambda _: False), FACTORS, "wrong_init") == []


def test_the_loss_of_an_answer_at_random_is_its_classes_logarithm() -> None:
    assert Run("stalled", 10).at_chance == log(10)
    assert Run("stalled", 0).at_chance == log(2)
