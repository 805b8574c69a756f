"""The shipped notebook with its outputs, written anew by `make notebook`.

It runs in an empty folder, so that it depends on none. What would be another in every run (times,
versions) is left out, and pictures have few colours: the file stays small and changes only where
an answer does.
"""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "analysis" / "reading_a_grid.ipynb"
COLOURS = 128


def executed(folder: Path) -> nbformat.NotebookNode:
    """The notebook after its cells have run in a folder."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=120, record_timing=False, resources=where)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    client.execute(env={**os.environ, "PYTHONPATH": path})
    return notebook


def write(notebook: nbformat.NotebookNode, file: Path) -> None:
    """Write an executed notebook without what differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _with_few_colours(output.data["image/png"])
    nbformat.write(notebook, file)


def _with_few_colours(picture: str) -> str:
    """A PNG in base 64 as one of a palette, a third of its size."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        write(executed(Path(folder)), NOTEBOOK)
