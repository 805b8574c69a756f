"""Whether a report is there and still true, and what it found: read without making anything.

Apart from `write`, because a grid that has nothing to do asks only this and should not wait for
the drawing libraries, which take seconds to import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from runner.store.cells.studies import spec_digest
from runner.tuning.groups import GIVEN

STATE = "report.json"
"""What the report in a folder was made from: `is_current` compares it with the store."""


def findings(folder: Path | str) -> list[str]:
    """The findings of the report in a folder, a line each; nothing where there is none."""
    path = Path(folder) / "findings.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def is_current(store: Any, study: Any, folder: Path | str) -> bool:
    """Whether the report in the folder was made from the study as it now is in the store."""
    folder = Path(folder)
    if not (folder / "report.html").exists():
        return False
    try:
        then = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    now = state_of(pd.DataFrame(store.runs(study)), study.spec)
    if (study.spec.get("tune") or {}).get("compare"):  # another study stands beside it
        beside = study.name + GIVEN
        there = beside in store.study_names()
        now["as_given"] = state_of(pd.DataFrame(store.runs(beside))) if there else None
    if "spec" not in then:  # written from a table, or before the specification was compared
        now.pop("spec", None)
    return bool(then == now)


def state_of(frame: pd.DataFrame, spec: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a report was made from, in short.

    Any new outcome changes the counts by state or the last end; claims, aliases and what else is
    said of the same cells change the specification.

    Args:
        frame: one row per planned run.
        spec: the study's resolved specification; None for a table.
    """
    states: dict[str, int] = {}
    if "state" in frame:
        counts = frame["state"].astype(str).value_counts().sort_index()
        states = {str(name): int(count) for name, count in counts.items()}
    ended = pd.to_datetime(frame["ended"], utc=True).max() if "ended" in frame else None
    specification = {} if not spec else {"spec": spec_digest(spec)}
    return specification | {
        "runs": len(frame),
        "states": states,
        "ended": None if ended is None or pd.isna(ended) else str(ended),
    }
