"""What the page says of tuning, and of what else differs between levels."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from analysis.confounds.flags import flag_sentences
from analysis.confounds.measures import by_level
from analysis.number_words import difference_words
from analysis.tuning.words import at_an_end, changes, cost_sentence, flat_sentence, span_words
from runner.spec.tune import group_words

if TYPE_CHECKING:
    from analysis.study import Study
    from analysis.tuning.searched import Searched

CHANGES = {
    "same": "",
    "reversed": "turned round",
    "gone": "shown as given only",
    "new": "shown tuned only",
    "smaller": "smaller tuned",
    "larger": "larger tuned",
}


def tuning_told(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    """Sentences and tables; nothing where nothing was tuned."""
    if not study.searched:
        return [], []
    texts = [*at_an_end(study), *(flat_sentence(one) for one in study.searched)]
    tables = [_values(study)]
    if (beside := _beside(study)) is not None:
        tables.append(beside)
    return [*texts, cost_sentence(study)], tables


def _head(names: tuple[str, ...], texts: int) -> list[dict[str, Any]]:
    return [{"text": name, "number": place >= texts} for place, name in enumerate(names)]


def _values(study: Study) -> dict[str, Any]:
    head = ("Levels", "Parameter", "Tuned", "As given", "Range", "Flat over", "At an end", "Best",
            "Trials")  # fmt: skip
    first = study.searched[0]
    tuned = {factor for factor, _ in first.group}
    others = [f"{factor} = {label}" for factor, label in first.at.items() if factor not in tuned]
    where = f", at {', '.join(others)}" if others else ""
    return {
        "title": f"What tuning found, in {first.response}{where}; flat: values whose trials are "
        "within one noise deviation of the best",
        "head": _head(head, 2),
        "rows": [row for one in study.searched for row in _rows(one)],
    }


def _rows(one: Searched) -> list[list[str]]:
    rows = []
    best = one.best
    failed = sum(trial.mean is None for trial in one.trials)
    for range_ in one.ranges:
        flat, end = one.flat(range_.name), one.end(range_.name)
        given = one.given.get(range_.name)
        rows.append(
            [
                group_words(one.group),
                range_.name,
                f"{one.values[range_.name]:g}",
                "" if given is None else f"{given:g}",
                f"{range_.low:g} to {range_.high:g}",
                "" if flat is None else span_words(flat),
                "" if end is None else f"{end.upper()} END",
                "" if best is None or best.mean is None else f"{best.mean:.4g}",
                f"{len(one.trials)}, {failed} failed" if failed else str(len(one.trials)),
            ]
        )
    return rows


def _beside(study: Study) -> dict[str, Any] | None:
    rows = changes(study)
    if rows is None:
        return None
    unit = f" ({study.measure.difference})" if study.measure.difference else ""
    head = ("Factor", "Levels", "Verdict", f"Tuned{unit}", f"As given{unit}")
    return {
        "title": "Each difference between levels, tuned and as given, with 95% intervals",
        "head": _head(head, 3),
        "rows": [
            [
                str(row["factor"]),
                f"{row['first']} − {row['second']}",
                CHANGES[str(row["change"])],
                _told(row, "", study),
                _told(row, "given_", study),
            ]
            for row in rows.to_dict("records")
        ],
    }


def _told(row: Mapping[Any, Any], prefix: str, study: Study) -> str:
    estimate, low, high = (float(row[f"{prefix}{name}"]) for name in ("estimate", "low", "high"))
    if not isfinite(estimate):
        return ""
    words = difference_words(estimate, low, high, study.measure, unit="")
    return f"{words.value.removesuffix(' (no interval)')} {words.interval}".strip()


SCALES = {"flops": 1e12, "step_seconds": 1e-6, "peak_memory_bytes": 2**20}
HEADS = {
    "parameters": "Parameters",
    "flops": "TFLOPs",
    "step_seconds": "µs an image",
    "seconds": "Seconds",
    "peak_memory_bytes": "MiB",
    "rate": "Mean rate",
}


def confounds_told(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    """Flags, and every level's size, arithmetic, time, memory and rate as far as they are known."""
    rows = by_level(study)
    there = [key for key in HEADS if any(isfinite(values[key]) for _, _, values in rows)]
    if not there:
        return [], []
    texts = flag_sentences(study) or [
        "No effect that is said to be so goes with more of any of these in its better level."
    ]
    table = {
        "title": "What else differs between levels: geometric means over combinations; times and "
        "rates of runs that came to their end",
        "head": _head(("Factor", "Level", *(HEADS[key] for key in there)), 2),
        "rows": [
            [factor, level, *(_amount(key, values[key]) for key in there)]
            for factor, level, values in rows
        ],
    }
    return texts, [table]


def _amount(key: str, value: float) -> str:
    if not isfinite(value):
        return ""
    return f"{value:,.0f}" if key == "parameters" else f"{value / SCALES.get(key, 1):.3g}"
