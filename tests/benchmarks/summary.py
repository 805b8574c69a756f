"""From raw runs to the table's numbers: rates, ratios by round, slopes, confidence intervals.

Plain values in (what `speed.json` holds), plain values out; nothing is timed and nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean, median, stdev
from typing import Any

from scipy import stats

Raw = dict[str, Any]
CONFIDENCE = 0.95


def first_ends(run: Raw) -> list[float]:
    """When each cell was trained for the first time; a cell trained twice counts once."""
    ends: dict[tuple[float, int, str | None], float] = {}
    for record in run["records"]:
        key = (record["lr"], record["seed"], record.get("precision"))
        ends[key] = min(record["ended"], ends.get(key, record["ended"]))
    return sorted(ends.values())


def steady_rate(run: Raw, workers: int) -> float:
    """Cells an hour once every worker has ended its first: what a grid of hundreds runs at.

    Start-up and the first cell of each worker (libraries still loading) are left out.
    """
    ends = first_ends(run)
    return 3600 * (len(ends) - workers) / (ends[-1] - ends[workers - 1])


def whole_rate(run: Raw) -> float:
    """Cells an hour of the command from its first to its last moment."""
    return 3600 * len(first_ends(run)) / float(run["meter"]["wall_seconds"])


def cpu_seconds_a_cell(run: Raw) -> float:
    """CPU time of everything the command started, over its cells."""
    return float(run["meter"]["cpu_seconds"]) / len(first_ends(run))


def training_speed(run: Raw, workers: int) -> float:
    """Images a second in training steps, all workers together."""
    images = sum(record["train_images"] for record in run["records"])
    seconds = sum(record["train_seconds"] for record in run["records"])
    return workers * float(images) / float(seconds)


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Median, least and greatest."""
    found = list(values)
    return median(found), min(found), max(found)


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; the deviation of one value is not known (NaN)."""
    return mean(values), stdev(values) if len(values) > 1 else float("nan")


def welch(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Difference of two means, `one` less `other`, with its interval (Welch 1947).

    Values that do not vary at all give no interval (NaN), as after a few steps of training.
    """
    if len({*one}) == len({*other}) == 1:
        return mean(one) - mean(other), float("nan"), float("nan")
    test = stats.ttest_ind(one, other, equal_var=False)
    interval = test.confidence_interval(CONFIDENCE)
    return mean(one) - mean(other), float(interval.low), float(interval.high)


def paired(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Mean of the differences of pairs, with Student's interval; NaN where none differ."""
    if len({a - b for a, b in zip(one, other, strict=True)}) == 1:
        return mean(one) - mean(other), float("nan"), float("nan")
    interval = stats.ttest_rel(one, other).confidence_interval(CONFIDENCE)
    return mean(one) - mean(other), float(interval.low), float(interval.high)


def growth(few: Raw, many: Raw, workers: int) -> dict[str, float]:
    """What each further cell costs, from two grids of tiny cells.

    `beyond_cpu` and `beyond_slot` are what is left of a cell's CPU time, and of its worker's time,
    once the training itself is taken off: process, store, records, supervision.
    """
    cells = many["cells"] - few["cells"]
    wall = (many["meter"]["wall_seconds"] - few["meter"]["wall_seconds"]) / cells
    cpu = (many["meter"]["cpu_seconds"] - few["meter"]["cpu_seconds"]) / cells
    return {
        "few": few["cells"],
        "many": many["cells"],
        "few_wall": few["meter"]["wall_seconds"],
        "many_wall": many["meter"]["wall_seconds"],
        "wall": wall,
        "cpu": cpu,
        "start_up": few["meter"]["wall_seconds"] - few["cells"] * wall,
        "beyond_cpu": cpu - many["mean_cpu_seconds"],
        "beyond_slot": workers * wall - many["mean_seconds"],
    }


def accuracies(runs: Iterable[Raw], lr: float, precision: str | None = None) -> list[float]:
    """Test accuracies of one learning rate, one a seed, in the order of seeds."""
    found = {
        record["seed"]: record["accuracy"]
        for run in runs
        for record in run["records"]
        if record["lr"] == lr and precision in (None, record["precision"])
    }
    return [found[seed] for seed in sorted(found)]
