"""What a verb found, for a program: `--json` prints one mapping on one line.

`schema` and `verb` come first, then the verb's facts (docs/answers.md). What is not known, or not
finite, is null. A mistake stays a sentence on standard error and an exit code.
"""

from __future__ import annotations

import argparse
import enum
import json
import math
from collections.abc import Mapping
from typing import Any

SCHEMA = "urn:ablation-grid-runner:answer:1"
"""Names the shape; a fact that is added keeps it, one that changes its meaning does not."""


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="the facts as JSON, for a program")


def print_answer(verb: str, facts: Mapping[str, Any]) -> None:
    """Print what a verb found."""
    answer = {"schema": SCHEMA, "verb": verb, **facts}
    print(json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):  # of NumPy, which not every verb imports
        return _plain(value.tolist())
    return str(value)
