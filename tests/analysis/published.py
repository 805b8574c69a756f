"""Where a published case lies: committed beside the tests, or in another reference folder.

`cases/README.md` lists every case with its origin. The few that this repository may not hold are
made by `make reference` or stand in the folder that ABLATIONS_REFERENCE names.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

HERE = Path(__file__).parent
COMMITTED = HERE / "cases"
"""Cases whose licence permits it, and those that `make reference` has made."""
REFERENCE = Path(os.environ.get("ABLATIONS_REFERENCE", HERE.parents[2] / "shared" / "reference"))
"""The rest: the folder that ABLATIONS_REFERENCE names, or one beside the checkout."""


def find(case: str) -> Path | None:
    """The case's folder, committed first; None where it is not on this machine."""
    return next((p / case for p in (COMMITTED, REFERENCE) if (p / case).is_dir()), None)


def absent(case: str) -> str:
    """Why a test is skipped, loudly."""
    return f"REFERENCE CASE {case} IS ABSENT: see {COMMITTED.name}/README.md (`make reference`)"


def folder(case: str) -> Path:
    """The case's folder; skips the calling test, loudly, where it is absent."""
    found = find(case)
    if found is not None:
        return found
    pytest.skip(absent(case))


def table(case: str) -> pd.DataFrame:
    """The case's data, everything as text."""
    return pd.read_csv(folder(case) / "data.csv", dtype=str, keep_default_na=False)


def expected(case: str, name: str) -> dict[str, Any]:
    """One of the case's files of expected numbers."""
    loaded: dict[str, Any] = json.loads((folder(case) / name).read_text(encoding="utf-8"))
    return loaded
