"""What differs between studies of one name: the same file before and after it was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.store import StudyInfo

ABSENT = "absent"
"""What is said of a key that only namesakes have."""

LONGEST = 40
"""Letters of a value; of a longer one only the key is said."""

_LEFT_OUT = {"seeds": "shared"}
"""What a stored specification that does not say it means: so all were once."""

_NOT_CONTENT = {"name", "study", "source"}


def differences(studies: Sequence[StudyInfo]) -> dict[str, dict[str, str]]:
    """Study to the keys in which it and its namesakes are not all alike, each with its own value.

    Keys are dotted, as `--set` takes them. Studies without namesakes, and those of another's
    tuning, are left out.
    """
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for one in studies:
        if "/" not in one.name:
            facts = {"profile": one.profile, "replicates": one.replicates}
            flat = dict(_flat(_LEFT_OUT | one.spec | facts))
            groups.setdefault(str(one.spec.get("name")), {})[one.name] = flat
    found: dict[str, dict[str, str]] = {}
    for group in groups.values():
        if len(group) < 2:
            continue
        keys = dict.fromkeys(key for flat in group.values() for key in flat)
        differ = [k for k in keys if len({flat.get(k, ABSENT) for flat in group.values()}) > 1]
        for name, flat in group.items():
            found[name] = {key: flat.get(key, ABSENT) for key in differ}
    return found


def words(differ: Mapping[str, str]) -> str:
    """The same in one line: "train.epochs 5; seeds shared; trainer.code"."""
    alike = "nothing in the file: the program or a plugin's code has changed"
    return (
        alike
        if not differ
        else "; ".join(
            f"{key} {value}" if len(value) <= LONGEST else key for key, value in differ.items()
        )
    )


def _flat(spec: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in spec.items():
        name = f"{before}{key}"
        if name in _NOT_CONTENT:
            continue
        if name == "fixed":
            rows += [(f"fixed.{one['factor']}", _level(one)) for one in value]
        elif before == "factors.":
            rows.append((name, f"[{', '.join(map(_level, value))}]"))
        elif isinstance(value, Mapping):
            rows += _flat(value, f"{name}.")
        else:
            rows.append((name, _text(value)))
    return rows


def _level(level: Mapping[str, Any]) -> str:
    """A level by its label, its parameters beside it: "sgd(lr 0.1, momentum 0)"."""
    given = ", ".join(f"{key} {_text(value)}" for key, value in level["parameters"].items())
    return f"{level['label']}({given})" if given else str(level["label"])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return "null" if value is None else str(value)
