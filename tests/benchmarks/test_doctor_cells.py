"""The table of cells' causes counts cells that failed alone, and tells each miss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.doctor.causes.kinds import KINDS
from tests.benchmarks.doctor.cells import FAULTS, cases, page
from tests.runner.cells import make_cell


def test_every_fault_is_a_cell_and_asks_for_known_kinds() -> None:
    found = list(cases())
    assert len({(name, strength) for name, strength, _, _ in found}) == 1 + 3 * len(FAULTS)
    assert {kind for fault in FAULTS for kind in fault.right} <= set(KINDS)
    cells = {str(make_cell(**levels)) for _, _, _, levels in found}
    assert len(cells) == len(found)


def test_a_cell_that_converged_is_no_fault(tmp_path: Path) -> None:
    def row(strength: int, status: str, *causes: str) -> dict[str, Any]:
        return {
            "case": FAULTS[0].name if strength >= 0 else "no fault", "strength": strength,
            "right": list(FAULTS[0].right), "seed": 0, "status": status, "best": 0.1,
            "causes": list(causes), "commit": "abc", "machine": "one", "versions": {"torch": "2"},
        }  # fmt: skip

    right = FAULTS[0].right[0]
    raw = tmp_path / "rows.jsonl"
    rows = [row(-1, "reached"), row(0, "reached"), row(1, "stalled", right),
            row(2, "stalled", "wrong_init", right), row(2, "diverged")]  # fmt: skip
    raw.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    text = page(raw)
    assert f"| {FAULTS[0].name} | 3 | 1 (33%) | 2 | 1 | 1 |" in text
    assert "1 of 1 reach it" in text
    assert text.count(f"- {FAULTS[0].name} (strength 3 of 3, 10% right at best)") == 2
