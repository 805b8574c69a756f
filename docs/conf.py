"""Sphinx: the site of docs/, with decisions, measured tables and the generated reference.

The root of its sources is the repository, so that a link works on the site as it does in a
checkout; `make docs` builds it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

project = "Ablation grid runner"
html_title = project
root_doc = "docs/index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = [
    "docs/**.md",
    "results/README.md",
    "results/benchmarks/*.md",
    "results/published/README.md",
    "tests/analysis/cases/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
exclude_patterns = [".*", "build", "**/node_modules", "data", "results/*/*/*"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # "--hours" is no dash
default_role = "code"  # docstrings quote in single backticks
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_additional_pages = {"index": "redirect.html"}
html_copy_source = False
html_show_copyright = False
pygments_style = "default"


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    from docs._generate import filled

    source[0] = filled(source[0])


def setup(app: Sphinx) -> None:
    """Generated parts, and levels as things that can be linked to and searched for."""
    app.connect("source-read", _fill)
    app.add_object_type("level", "level", objname="level")
