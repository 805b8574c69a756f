"""The notebook that shows the analysis runs from top to bottom."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "analysis" / "reading_a_grid.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own start-up, not ours
def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parents[1])}}
    )
    client.execute()
    texts = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert any("44 runs in 11 of 12 cells" in text for text in texts)
    assert any("given adam:    +0.0" in text for text in texts)
    shown = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
