"""NIST StRD one-way analysis of variance: the certified digits, through the shell."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from analysis.commands import run

CASE = Path(__file__).with_name("cases") / "nist_strd_anova"
EXPECTED = json.loads((CASE / "expected.json").read_text("utf-8"))["datasets"]
DIGITS = {"SiRstv": 12, "AtmWtAg": 9, **{f"SmLs0{i}": 12 for i in (1, 2, 3)}} | {
    f"SmLs0{i}": 11 for i in range(4, 10)
}
"""Correct digits of F. SmLs07-09 keep them because the text is read as decimals."""


def digits(ours: float, certified: str) -> float:
    error = abs(ours - float(certified)) / abs(float(certified))
    return 15.0 if error == 0 else min(15.0, -math.log10(error))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_certified_digits(name: str, tmp_path: Path) -> None:
    out = tmp_path / "effects.json"
    arguments = ["effects", "--table", str(CASE / f"{name}.csv"), "--factors", "treatment"]
    assert run([*arguments, "--response", "y", "--out", str(out)]) == 0
    document: dict[str, Any] = json.loads(out.read_text("utf-8"))
    rows = {row["term"]: row for row in document["anova"]["type3"]}
    certified = EXPECTED[name]
    assert rows["treatment"]["df"] == certified["df_between"]
    assert rows["Residuals"]["df"] == certified["df_within"]
    for ours, key in (
        (rows["treatment"]["F"], "F"),
        (rows["treatment"]["ss"], "ss_between"),
        (rows["Residuals"]["ss"], "ss_within"),
        (document["sigma"], "resid_sd"),
    ):
        assert digits(ours, certified[key]) >= DIGITS[name], (key, ours, certified[key])
