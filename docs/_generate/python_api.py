"""What `import analysis` offers, for autodoc to describe from the docstrings."""

from __future__ import annotations

import inspect

import analysis
from analysis.report.gallery.catalogue import FIGURES
from docs._generate.markdown import table, text


def analysis_names() -> str:
    """One directive of autodoc for each public name: where a study comes from, it, the rest."""
    named = {name: getattr(analysis, name) for name in analysis.__all__}
    functions = [name for name, one in named.items() if not inspect.isclass(one)]
    functions.sort(key=lambda name: name != "load")
    classes = [name for name, one in named.items() if inspect.isclass(one)]
    classes.sort(key=lambda name: name != "Study")
    blocks = [_auto("function", name) for name in functions]
    blocks += [_auto("class", name, "   :members:") for name in classes]
    return "\n\n".join(blocks)


def figures() -> str:
    """Every figure of a study by its name."""
    rows = [(f"`study.plot.{one.name}()`", text(one.title)) for one in FIGURES]
    return table(("figure", "what it shows"), rows)


def _auto(kind: str, name: str, *options: str) -> str:
    body = "\n".join([f".. auto{kind}:: analysis.{name}", *options])
    return f"```{{eval-rst}}\n{body}\n```"
