"""The shipped notebook: it runs from top to bottom, and is committed with what it prints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from tests.notebook import NOTEBOOK, ROOT, executed


def _code(notebook: nbformat.NotebookNode) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own start-up, not ours
def test_the_notebook_runs_and_prints_what_is_committed(tmp_path: Path) -> None:
    committed = _code(nbformat.read(NOTEBOOK, as_version=4))
    ran = _code(executed(tmp_path))
    assert [_printed(cell) for cell in ran] == [_printed(cell) for cell in committed]
    assert [file.name for file in tmp_path.iterdir()] == ["interaction_matrix.pdf"]


def test_its_outputs_are_committed_and_of_no_machine() -> None:
    cells = _code(nbformat.read(NOTEBOOK, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell.outputs for cell in cells)
    kinds = [set(output.get("data", {})) for cell in cells for output in cell.outputs]
    assert sum("image/png" in one for one in kinds) >= 2
    assert sum("text/html" in one for one in kinds) >= 3
    outputs = json.dumps([cell.outputs for cell in cells])
    without = re.sub(r'"image/png": "[^"]*"', "", outputs)
    assert "216 runs in 72 of 72 cells" in without
    assert not re.search(r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6}|error", without)
    assert NOTEBOOK.stat().st_size < 300_000


def test_its_table_holds_every_run_of_the_shipped_grid() -> None:
    runs = pd.read_csv(ROOT / "results" / "published" / "five_factor-cpu-again" / "runs.csv")
    factors = ["augmentation", "scheduler", "init", "bn_placement", "optimizer"]
    assert runs.groupby(factors).size().tolist() == [3] * 72
    assert runs["status"].isin(["reached", "short", "stalled", "diverged"]).all()
