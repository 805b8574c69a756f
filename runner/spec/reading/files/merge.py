"""How files, profiles and the command line are laid over each other.

Order: the file that is extended, the file, the profile, `--set`. Mappings are merged key by key;
lists and single values replace; a section with nothing in it changes nothing. A factor's levels are
replaced as a whole, and `null` under `factors` or `fixed` takes a factor away. A design of another
kind replaces the whole design.
"""

from __future__ import annotations

import re
from pathlib import Path

from ablations.errors import InputError, did_you_mean
from runner.spec.node import Node
from runner.spec.reading.files.shipped import specification_file
from runner.spec.reading.files.source import read_file, read_text

BY_FACTOR = ("factors", "fixed")
"""Sections whose keys are factors: a factor's name may hold dots, its entry is one piece."""

PROFILE = re.compile(r"\w[\w.+-]{0,39}")
"""A profile's name: it is part of the study's, which names a folder."""

NOT_SETTABLE = ("profiles", "extends")


def overlay(base: Node, top: Node, path: tuple[str, ...] = ()) -> Node:
    """`base` with everything `top` says laid over it; both remember where each value came from."""
    if top.value is None and _is_section(path):
        return base
    if not isinstance(base.value, dict) or not isinstance(top.value, dict):
        return top
    if path == ("design",) and "kind" in top.value:
        return top
    if _below_factors(path):
        return top
    merged = dict(base.value)
    for key, node in top.value.items():
        inner = (*path, key)
        if node.value is None and _below_factors(inner) and inner[0] in BY_FACTOR:
            merged.pop(key, None)  # in a profile it stays until the profile is applied
        else:
            merged[key] = overlay(merged[key], node, inner) if key in merged else node
    return Node(merged, base.origin, base.line, base.within)


def _is_section(path: tuple[str, ...]) -> bool:
    """Whether `path` names a top-level key, a profile, or a top-level key in a profile."""
    return len(path[2:] if path[:1] == ("profiles",) else path) <= 1


def _below_factors(path: tuple[str, ...]) -> bool:
    """Whether `path` names one factor's entry, in the file itself or in a profile."""
    if path[:1] == ("profiles",):
        path = path[2:]
    return len(path) == 2 and path[0] in BY_FACTOR


def read_extended(path: Path) -> Node:
    """The file at `path` laid over the file it extends, if any."""
    return _read_chain(path, ())


def _read_chain(path: Path, above: tuple[Path, ...]) -> Node:
    resolved = path.resolve()
    if resolved in above:
        loop = " -> ".join(one.name for one in (*above, resolved))
        raise InputError(f"{path}: extends itself: {loop}")
    root = read_file(path)
    assert isinstance(root.value, dict)  # read_file promises  # noqa: S101 - `source` refuses others
    link = root.value.get("extends")
    if link is None or link.value is None:
        return root
    if not isinstance(link.value, str):
        raise root.refuse(("extends",), "expected the name of one YAML file")
    target = path.parent / link.value
    if not target.is_file():
        target = specification_file(link.value)
    if not target.is_file():
        raise root.refuse(("extends",), f"there is no file {path.parent / link.value}")
    base = _read_chain(target, (*above, resolved))
    own = Node(
        {key: node for key, node in root.value.items() if key != "extends"},
        root.origin,
        root.line,
    )
    return overlay(base, own)


def with_profile(root: Node, profile: str) -> Node:
    """The file with one of its profiles applied, and without the profiles."""
    assert isinstance(root.value, dict)  # noqa: S101 - `source` refuses others
    base = Node({k: v for k, v in root.value.items() if k != "profiles"}, root.origin, root.line)
    if profile not in profile_names(root):
        return base
    top = root.at(("profiles", profile))
    return base if top.value is None else overlay(base, _stamped(top, f"profiles.{profile}."))


def _stamped(node: Node, within: str) -> Node:
    """The tree, each node of which says in errors that it stands in a profile."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _stamped(inner, within) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [_stamped(inner, within) for inner in value]
    return Node(value, node.origin, node.line, within)


def profile_names(root: Node) -> tuple[str, ...]:
    """Names of the profiles the file holds.

    Raises:
        InputError: `profiles` is no mapping, a profile is none, or a profile holds another.
    """
    profiles = root.value.get("profiles") if isinstance(root.value, dict) else None
    if profiles is None or profiles.value is None:
        return ()
    if not isinstance(profiles.value, dict):
        raise root.refuse(("profiles",), "expected a mapping from a profile's name to overrides")
    for name, profile in profiles.value.items():
        if name in ("auto", "default"):
            raise root.refuse(("profiles", name), f"{name!r} is taken; choose another name")
        if not PROFILE.fullmatch(name):
            raise root.refuse(
                ("profiles", name),
                f"profile {name!r}: expected at most 40 letters, digits and '-_.+', the first a "
                "letter or digit",
            )
        if profile.value is None:
            continue
        if not isinstance(profile.value, dict):
            raise root.refuse(("profiles", name), "expected a mapping of overrides")
        for key in NOT_SETTABLE:
            if key in profile.value:
                raise root.refuse(("profiles", name, key), "cannot stand in a profile")
    return tuple(profiles.value)


def choose_profile(root: Node, asked: str, *, cuda_visible: bool) -> str:
    """The profile to use: the one asked for, or for "auto" the one this machine is made for.

    "default" means that the file is used as it stands: it has no profile for the machine.
    """
    names = profile_names(root)
    if asked == "auto":
        machine = "cuda" if cuda_visible else "cpu"
        return machine if machine in names else "default"
    if asked not in names and asked != "default":
        hint = did_you_mean(asked, names) if names else "the file has no profiles"
        raise InputError(f"{root.origin}: no profile {asked!r}; {hint}")
    return asked


def with_setting(root: Node, setting: str) -> Node:
    """The tree with a `key=value` of the command line put in.

    The value is read as YAML: `2`, `5e-4`, `null`, `[adam, sgd]`, `{kind: full}`.
    """
    key, equals, text = setting.partition("=")
    key = key.strip()
    origin = f"--set {setting}"
    if not equals or not key:
        raise InputError(f"{origin}: expected key=value, such as train.epochs=2")
    steps = _steps(key)
    if not all(steps) or steps[0] in NOT_SETTABLE:
        raise InputError(f"{origin}: {key!r} cannot be set")
    value = read_text(text, origin, lines=False)
    _check_not_a_factor(root, key, origin)
    if value.value is None and len(steps) == 1 and isinstance(root.value, dict):
        rest = {name: node for name, node in root.value.items() if name != key}
        return Node(rest, root.origin, root.line)  # back to what the program assumes
    for step in reversed(steps[1:]):
        value = Node({step: value}, origin)
    return overlay(root, Node({steps[0]: value}, origin))


def _steps(key: str) -> list[str]:
    steps = key.split(".")
    if steps[0] in BY_FACTOR and len(steps) > 2:
        steps = [steps[0], ".".join(steps[1:])]
    return steps


def _check_not_a_factor(root: Node, key: str, origin: str) -> None:
    factors = root.at(("factors",)).value
    if isinstance(factors, dict) and key in factors:
        raise InputError(f"{origin}: {key} is a factor; set factors.{key}=[...] instead")
