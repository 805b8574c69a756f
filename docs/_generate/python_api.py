"""What `import analysis` offers, for autodoc to describe from the docstrings."""

from __future__ import annotations

import inspect

import analysis


def analysis_names() -> str:
    """One directive of autodoc for each public name: functions first, then classes."""
    named = {name: getattr(analysis, name) for name in analysis.__all__}
    functions = [name for name, one in named.items() if not inspect.isclass(one)]
    classes = [name for name, one in named.items() if inspect.isclass(one)]
    blocks = [_auto("function", name) for name in functions]
    blocks += [_auto("class", name, "   :members:") for name in classes]
    return "\n\n".join(blocks)


def _auto(kind: str, name: str, *options: str) -> str:
    body = "\n".join([f".. auto{kind}:: analysis.{name}", *options])
    return f"```{{eval-rst}}\n{body}\n```"
