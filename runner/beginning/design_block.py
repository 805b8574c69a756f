"""The `design` of a YAML file replaced by another, all else of the file left as it is.

Only the characters of the old value change: comments, order, quotes and line ends of the rest stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
WORDS = re.compile(r"(?i)null|true|false|yes|no|on|off|y|n")


def flow(value: Any) -> str:
    """A value as YAML has it in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        plain = PLAIN.fullmatch(value) and not WORDS.fullmatch(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value)


def with_design(text: str, design: Mapping[str, Any], profile: str | None = None) -> str:
    """The text of a file with another design.

    Args:
        text: YAML, a mapping.
        design: What stands under `design` then.
        profile: Whose design it is; None: the file's own, added at its end if it has none.
    """
    root = YAML().compose(text)
    section = root if profile is None else _under(_under(root, "profiles"), profile)
    old = _under(section, "design")
    if old is None:
        return f"{text.rstrip()}\ndesign: {flow(design)}\n"
    begin, end = old.start_mark.index, _end(old)
    return text[:begin] + flow(design) + text[end:]


def _under(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _end(node: Node) -> int:
    """Where a value ends: of a block, where its last value does, before comments that follow."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
