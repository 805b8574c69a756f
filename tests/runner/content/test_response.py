"""The name of somebody's column tells its direction by whole words, its values their unit."""

from __future__ import annotations

import pytest

from runner.content.response import ACCURACY, direction_of, response_of


@pytest.mark.parametrize(
    "column",
    [
        "loss", "val_loss", "testLoss", "trainloss", "rmse", "RMSE", "test mae", "mse", "nll",
        "wer", "CER", "FID", "fid50k", "latency_ms", "time", "training_time", "perplexity",
        "top1_error", "accuracy_loss", "acc_drop", "time_to_accuracy", "seconds_per_epoch",
        "ms_per_step", "errors_per_second", "negative_log_likelihood", "cross_entropy", "mae@10",
        "fid_score", "val/loss", "eval.wer", "ms/step", "epochs_to_target", "bits_per_byte",
    ],
)  # fmt: skip
def test_less_is_better_where_the_name_says_so(column: str) -> None:
    assert direction_of(column) == "lower"


@pytest.mark.parametrize(
    "column",
    [
        "acc", "accuracy", "times_correct", "time_correct", "samples_per_sec", "f1", "top5_acc",
        "neg_mean_squared_error", "neg_loss", "log_likelihood", "loss_reduction", "throughput",
        "accuracy_at_lowest_loss", "images_per_second",
        "images/s", "survival_time", "f1_score", "train/acc",
    ],
)  # fmt: skip
def test_more_is_better_where_the_name_says_so(column: str) -> None:
    assert direction_of(column) == "higher"


@pytest.mark.parametrize(
    "column", ["y", "Tillering", "timestamp", "overtime", "estimate", "glossary", "lossless"]
)
def test_a_part_of_a_word_says_nothing(column: str) -> None:
    assert direction_of(column) is None
    assert response_of(column, [1.0, 3.0]).words.than(1.0) == "higher"  # no "(better)" made up


def test_a_direction_makes_higher_better_or_worse() -> None:
    assert response_of("rmse", [60.0, 168.0]).words.than(-34.8) == "lower (better)"
    assert response_of("acc", [0.1, 0.9]).words.than(-0.1) == "lower (worse)"
    assert response_of("y", [0.0, 9.0], higher_is_better=False).words.than(1) == "higher (worse)"


def test_an_accuracy_is_in_percent_by_its_values() -> None:
    percent = response_of("test_accuracy", [10.0, 93.2])
    assert (percent.scale, percent.unit, percent.difference) == (1.0, "%", "points")
    assert (percent.words.unit, percent.low, percent.high) == ("points", 0.0, 100.0)
    share = response_of("acc", [0.1, 0.93])
    assert (share.scale, share.unit, share.low, share.high) == (1.0, "", 0.0, 1.0)
    assert response_of("test_accuracy", [0.1, 0.93]) is ACCURACY
    right = response_of("accuracy", [310.0, 355.0])  # of 360 images, say
    assert (right.unit, right.high) == ("", None)
    assert response_of("top1_error", [10.0, 93.2]).unit == ""
    assert response_of("speed", [10.0, 120.0], unit="%").difference == "points"


@pytest.mark.parametrize(
    ("ends", "digits"), [((0.89, 0.94), 3), ((60.0, 168.0), 1), ((2e-6, 9e-6), 8), ((0, 4e5), 0)]
)
def test_shown_digits_follow_the_spread(ends: tuple[float, float], digits: int) -> None:
    assert response_of("y", ends).digits == digits
