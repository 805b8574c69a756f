"""Pieces of MyST: what is escaped, and a directive with its options and its body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_SPECIAL = re.compile(r"([\\*_<>\[\]|$#])")
_QUOTED = re.compile(r"(`[^`]*`)")


def text(words: str) -> str:
    """Words of the code as Markdown shows them: what stands in backticks stays as it is."""
    parts = _QUOTED.split(words)
    return "".join(part if n % 2 else _SPECIAL.sub(r"\\\1", part) for n, part in enumerate(parts))


def directive(
    name: str, argument: str, body: str = "", options: Mapping[str, str] | None = None
) -> str:
    """A directive; its body may hold others with fewer colons."""
    fence = ":" * (max((len(run) for run in re.findall(r":{3,}", body)), default=2) + 1)
    lines = [f"{fence}{{{name}}} {argument}".rstrip()]
    lines += [f":{key}: {value}" for key, value in (options or {}).items()]
    if body:
        lines += ["", body]
    return "\n".join([*lines, fence])


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose cells are Markdown already."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in lines
    )
