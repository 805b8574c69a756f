"""A value of the file with the place it was written, which every complaint about it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ablations.errors import InputError

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place it was written: a scalar, a list of nodes or a mapping to nodes."""

    value: Scalar | list[Node] | dict[str, Node]
    origin: str  # the file, or the option it came from
    line: int | None = None  # 1-based; None where there are no lines
    within: str = ""  # what stands before its key in the file, such as "profiles.cpu."

    @property
    def where(self) -> str:
        """`file:line`, the way editors and compilers write it."""
        return self.origin if self.line is None else f"{self.origin}:{self.line}"

    @property
    def plain(self) -> Any:
        """The value without places: what `json` would hold."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value

    def at(self, path: Sequence[str | int]) -> Node:
        """The node at `path`, or the deepest one on the way to it."""
        node = self
        for step in path:
            value: Any = node.value
            inside = isinstance(value, dict) and step in value
            if not inside and not (isinstance(value, list) and isinstance(step, int)):
                break
            node = value[step]
        return node

    def get(self, key: str) -> Node:
        """The node under `key` of a mapping; a node with nothing in it where there is none."""
        if isinstance(self.value, dict) and key in self.value:
            return self.value[key]
        return Node(None, self.origin)

    def refuse(self, path: Sequence[str | int], problem: str) -> InputError:
        """An error that names the place and the key at `path` below this node."""
        node = self.at(path)
        key = node.within + path_text(path) if path else ""
        return InputError(f"{node.where}: {key + ': ' if key else ''}{problem}")


def path_text(path: Sequence[str | int]) -> str:
    """A path as a person writes it: `factors.optimizer[2]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
