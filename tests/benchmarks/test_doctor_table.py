"""The table of `doctor` counts faults alone, and tells every alarm."""

from __future__ import annotations

import json

from runner.doctor.causes.kinds import KINDS
from tests.benchmarks.doctor.healthy import HEALTHY
from tests.benchmarks.doctor.measure import cases, page
from tests.benchmarks.doctor.mutants import MUTANTS


def row(case, strength, causes, used, right=()):
    return {
        "case": case, "strength": strength, "seed": 0, "right": list(right), "seconds": 1.0,
        "healthy": not causes, "causes": [[kind, 0.9] for kind in causes], "used": used,
        "score": used, "proven": True,
    }  # fmt: skip


def test_a_mutant_that_costs_nothing_is_no_fault(tmp_path):
    raw = tmp_path / "doctor.jsonl"
    rate = ("learning_rate_too_high",)
    rows = [
        row("VGG as it is", -2, [], 0.4),
        row("VGG, BN, SGD 0.05", -1, [], 0.4),
        row("ResNet, SGD 0.1", -1, ["wrong_init"], 0.4),
        row("rate too high", 0, [], 0.39, rate),
        row("rate too high", 1, ["learning_rate_too_high"], 0.1, rate),
        row("rate too high", 2, ["wrong_init", "learning_rate_too_high"], float("nan"), rate),
    ]
    raw.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    text = page(raw, 60)
    assert "| rate too high | 2 | 1 | 2 | 1 |" in text
    assert "| **all** | 2 | 1 (50 %) | 2 (100 %) | |" in text
    assert "Healthy trainings: 2, of which 1 raised an alarm" in text
    assert "- ResNet, SGD 0.1: wrong_init" in text


def test_every_case_is_there_once_and_asks_for_known_kinds():
    names = [(name, strength) for name, strength, _, _ in cases()]
    assert len(names) == len(set(names)) == len(HEALTHY) + 3 * len(MUTANTS)
    assert {kind for mutant in MUTANTS for kind in mutant.right} <= set(KINDS)
