"""Names that the program uses itself are names like others for a person's factors."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest

from analysis.loading import from_frame
from analysis.table.columns import NUMBERS
from tests.analysis.report.sketch import sketched

COLUMNS = sorted({
    *NUMBERS, "status", "converged", "learned", "replicate", "cell", "device", "noise", "higher",
    "term",
})  # fmt: skip
"""What a table may say of its runs beside the outcome, and what has a share of the variance."""
WORDS = [
    "factor", "level", "other", "other_level", "first", "second", "estimate", "mean", "effect",
    "runs", "rate", "low", "high", "p", "df", "se", "share", "kind", "method", "versus", "shown",
    "best", "worst", "name", "index", "value", "count", "n", "outcome", "response", "claim", "run",
    "epoch", "mode", "sum", "size", "level_0", "did", "reason", "state", "host", "ended",
]  # fmt: skip
"""Columns of tables that the analysis makes."""
LEVELS = {"words": ("failed", "diverged"), "answers": ("yes", "no"), "numbers": ("0", "1")}
PLAIN = "plainly"


def frame_of(name: str, labels: tuple[str, str], lost: bool) -> pd.DataFrame:
    """Two factors and a third called so, three runs each; the first combination may be lost."""
    rng = np.random.default_rng(7)
    rows = [
        {name: label, "lr": lr, "aug": aug, "seed": seed, "acc": 0.6 + 0.05 * (label == labels[0])}
        for label, lr, aug, seed in product(labels, ("1e-3", "1e-4"), ("none", "strong"), range(3))
    ]
    frame = pd.DataFrame(rows)
    frame["acc"] += 0.01 * rng.normal(size=len(frame))
    if lost:
        frame.loc[:3, "acc"] = np.nan
    return frame


@cache
def findings(name: str, kind: str, lost: bool) -> str:
    """What a whole report answers; it must lack nothing."""
    frame = frame_of(name, LEVELS[kind], lost)
    with TemporaryDirectory() as folder:
        page = sketched(from_frame(frame, [name, "lr", "aug"], "acc", "seed"), Path(folder))
        assert "could not be made" not in page
        assert (Path(folder) / "effects.json").exists()
        said = (Path(folder) / "findings.txt").read_text("utf-8")
        return " ".join(said.split())  # columns are as wide as their names


def check(name: str, kind: str, lost: bool) -> None:
    assert findings(name, kind, lost) == findings(PLAIN, kind, lost).replace(PLAIN, name)


CASES = [("words", True), ("numbers", False), ("answers", False)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "case"),
    [("converged", 0), ("accuracy_given_converged", 0), ("noise", 1), ("device", 1), ("term", 2)],
)
def test_a_factor_may_be_called_like_a_column(name: str, case: int) -> None:
    assert name in COLUMNS
    check(name, *CASES[case])


@pytest.mark.long
@pytest.mark.parametrize("name", COLUMNS + WORDS)
@pytest.mark.parametrize(("kind", "lost"), CASES)
def test_a_factor_may_have_any_name(name: str, kind: str, lost: bool) -> None:
    check(name, kind, lost)
