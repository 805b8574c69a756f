"""Specifications with a few random mistakes: of values, keys, structure and text, by number."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

FACTORS = {
    "augmentation": ["none", "strong"],
    "scheduler": ["constant", "cosine", "one_cycle"],
    "init": ["he", "naive"],
    "bn_placement": ["none", "before", "after"],
    "optimizer": ["adam", {"as": "hot", "sgd_momentum": {"lr": 0.1}}],
}
GOOD: list[dict[str, Any]] = [
    {
        "name": "full",
        "factors": FACTORS,
        "replicates": 3,
        "exclude": [{"scheduler": "one_cycle", "optimizer": "adam"}],
        "claims": ["bn_placement: before > none", "optimizer: hot > adam | scheduler != constant"],
        "data": {"name": "digits"},
        "model": {"depth": 11, "width": 0.125},
        "train": {"epochs": 6, "batch_size": 64, "target": 0.9},
        "profiles": {"cpu": {"train": {"epochs": 2}}, "short": {"replicates": 2}},
    },
    {
        "name": "regular",
        "factors": {
            "augmentation": ["none", "strong"],
            "init": ["he", "naive"],
            "bn_placement": ["none", "before"],
            "model.depth": [11, 16],
        },
        "fixed": {"scheduler": "constant", "optimizer": "adam"},
        "design": {"kind": "regular", "resolution": 4},
        "data": {"name": "digits"},
        "run": {"devices": "cpu", "slots_per_device": 1},
        "backend": {"kind": "local"},
    },
    {
        "name": "optimal",
        "factors": {key: FACTORS[key] for key in ("augmentation", "scheduler", "optimizer")}
        | {"train.batch_size": [32, 64]},
        "fixed": {"init": "he", "bn_placement": "before"},
        "design": {"kind": "d_optimal", "runs": 15, "order": 1, "seed": 3},
        "only": [{"optimizer": ["adam", "hot"]}],
        "data": {"name": "digits"},
    },
]
LONG = "x" * 10_000
TEXTS = [
    *("", " ", "\t", "a\nb", "null", "true", "1e3", "0x10", "nan", ".inf", "~", "=", "=="),
    *("../x", "<script>alert(1)</script>", "a:b", "a|b", "a, b", "'", '"', "\\", "%s", "{x}"),
    *("[b]", "\u202e", "\0x", "\u2028", "\x1b[31m", "é", "e\u0301", "😀", "\x7f", LONG),
]
NUMBERS = [0, -1, 1, 10**6, 10**18, 10**39, 2**63, -(2**63), 1e308, 5e-324, 0.1 + 0.2, 1.5]
LEVELS: list[Any] = [
    *(
        {"sgd": None},
        {"sgd": []},
        {"sgd": {"lr": "0.1"}},
        {"sgd": {"lr": -1}},
        {"sgd": {"lr": 1e308}},
    ),
    *({"as": text, "adam": {}} for text in ("", "true", "<b>", "a > b", LONG, None, 1, ["x"])),
    *({"as": "x"}, {"as": "adam", "sgd": {}}, {"adam": {}, "sgd": {}}, {"": 1}),
]
VALUES: list[Any] = [
    *TEXTS, *NUMBERS, *LEVELS, True, False, None, [], {}, [[]], [{}], [None], [1, 1.0], [1, "1"],
    ["none", "none"], list(range(50)), [f"x{i}" for i in range(300)], {"a": {"b": {"c": 1}}},
]  # fmt: skip
KEYS = [
    *TEXTS, "a.b", "data", "data.", "model.", "train.", "train.lr", "train.epochs", "model.depth",
    "model.name", "data.name", "data.root", "data.size", "train.target", "train.precision", "as",
    "extends", "plugins", "__class__", "Optimizer", "optimizer ", "fixed", "only", "exclude",
    "claims", "seed", "design", "noise", "replicate", "converged",
]  # fmt: skip
CLAIMS = [
    *("", ":", "a: b", "optimizer:", "optimizer: adam", "optimizer: adam >", "optimizer: > hot"),
    *("optimizer: adam > adam", "optimizer: adam >= hot", "optimizer: adam = hot"),
    *(f"optimizer: adam > hot{end}" for end in (" by", " by 1e999", " by -1", " by nan", " |")),
    *(f"optimizer: adam > hot{end}" for end in (" | x", " on", " on x", " on epochs by 3")),
    *("optimizer: adam > hot | optimizer != adam", "optimizer: 0.5 adam + 0.5 hot > adam"),
    *("optimizer: adam > hot" * 500, "(" * 2000, "optimizer: " + "adam + " * 3000 + "adam > hot"),
]
INSERTED = [
    *("&a ", "*a ", "!!python/object:os.system ", "!!binary ", "? ", ": ", "- ", "#", "\n", "'"),
    *('"', "|\n", "> \n", "%YAML 1.1\n---\n", "\x85", "\ufeff", "\x01", "{", "}", "[", "]", ","),
    *("<<: ", "\t", "\n---\n"),
]


WORDS = [
    *([[]] * 25),
    *(["--profile", "default"], ["--profile", "short"], ["--set", "replicates=2"]),
    *(["--set", "train.epochs=[1"], ["--set", "factors.x={"], ["--set", "=3"], ["--cells", "0"]),
    *(["--set", "name.x.y=3"], ["--all"]),
]


def random_specification(number: int) -> tuple[bytes, list[str]]:
    """The file of that number, and options of `plan`: a good one with one to three changes."""
    draw = Random(number)
    tree = copy.deepcopy(draw.choice(GOOD))
    change = draw.choice([_change, _change, _vary])
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        change(tree, draw)
    text = json.dumps(tree, ensure_ascii=draw.random() < 0.5)
    if change is _change and draw.random() < 0.2:
        text = _misprint(text, draw)
    return text.encode("utf-8", "surrogatepass"), draw.choice(WORDS)


def _change(tree: dict[str, Any], draw: Random) -> None:
    holder, key = draw.choice(list(_places(tree)))
    kind = draw.choice(["set", "set", "set", "delete", "rename", "add", "repeat", "wrap", "claim"])
    if kind == "set":
        holder[key] = copy.deepcopy(draw.choice(VALUES))
    elif kind == "delete":
        del holder[key]
    elif kind == "rename" and isinstance(holder, dict):
        holder[draw.choice(KEYS)] = holder.pop(key)
    elif kind == "add" and isinstance(holder, dict):
        holder[draw.choice(KEYS)] = copy.deepcopy(draw.choice(VALUES))
    elif kind == "repeat" and isinstance(holder, list):
        holder.extend(copy.deepcopy(holder) * draw.choice([1, 3, 50]))
    elif kind == "wrap":
        holder[key] = _wrapped(holder[key], draw.choice([1, 5, 16, 17, 100, 200]))
    elif isinstance(tree.get("claims"), list):
        tree["claims"].append(draw.choice(CLAIMS))


def _vary(tree: dict[str, Any], draw: Random) -> None:
    """Change what may be changed: most of it is planned, into grids of every shape."""
    factor = draw.choice(list(tree["factors"]))
    levels = tree["factors"][factor]
    kind = draw.choice(
        ["replicates", "fewer", "alias", "runs", "exclude", "only", "claim", "target"]
    )
    some = draw.sample(levels, draw.randint(1, len(levels)))
    if kind == "replicates":
        tree["replicates"] = draw.choice([1, 2, 7, 1000, 10**6])
    elif kind == "fewer":
        tree["factors"][factor] = some
    elif kind == "alias":
        tree["factors"].setdefault("optimizer", ["adam"])
        tree["fixed"] = {k: v for k, v in tree.get("fixed", {}).items() if k != "optimizer"}
        parameters = {"lr": draw.choice([1e-3, 0.5, 3])}
        tree["factors"]["optimizer"] += [{"as": draw.choice(TEXTS), "sgd": parameters}]
    elif kind == "runs":
        design = draw.choice(["d_optimal", "orthogonal", "regular", "full"])
        size = {"regular": {"resolution": draw.randint(2, 6)}, "full": {}}
        number = {"runs": draw.choice([1, 4, 8, 9, 12, 27])}
        tree["design"] = {"kind": design, **size.get(design, number)}
    elif kind in ("exclude", "only"):
        named = [one if not isinstance(one, dict) else one.get("as", "sgd") for one in some]
        tree.setdefault(kind, []).append({factor: named})
    elif kind == "claim":
        tree.setdefault("claims", []).append(draw.choice(CLAIMS))
    else:
        tree.setdefault("train", {})["target"] = draw.choice([0.1, 0.5, 1, 1e-9, "half"])


def _places(node: Any) -> Any:
    """Every (mapping or list, key) of the tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def _wrapped(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = [value] if level % 2 else {"x": value}
    return value


def _misprint(text: str, draw: Random) -> str:
    at = draw.randrange(len(text))
    kind = draw.choice(["insert", "insert", "cut", "swap", "truncate", "twice"])
    if kind == "insert":
        return text[:at] + draw.choice(INSERTED) + text[at:]
    if kind == "cut":
        return text[:at] + text[at + draw.randrange(1, 40) :]
    if kind == "swap":
        return text[:at] + chr(draw.randrange(1, 0x3000)) + text[at + 1 :]
    return text[:at] if kind == "truncate" else f"{text}\n---\n{text}"
