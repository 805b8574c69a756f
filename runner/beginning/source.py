"""What a training's source text tells beside its arguments: read, never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.content.response import direction_of, names_accuracy
from runner.trainers.metrics import STEPS

_NUMBER = r"[-+.\w]+"
_FIELD = re.compile(r"\{[^{}]*\}|%[-+ 0]?\d*(?:\.\d+)?[dfgeis]")
_ENDING = re.compile(r"\w[\w.-]*\.(?:jsonl|json|csv|ndjson)")
_CHECKPOINT = re.compile(r"\w[\w.-]*\.(?:pt|pth|ckpt|npz|pkl)")


@dataclass(frozen=True, slots=True)
class Told:
    """What the source tells.

    Attributes:
        responses: names of numbers that it ends with, the likeliest first.
        file: base name of a file that it is seen to write numbers into; "".
        prints_json: whether it prints a JSON object.
        pattern: a regular expression of a line that it prints; "".
        checkpoint: base name of the one checkpoint file that it names; "".
        choices: values that texts are compared with or looked up by.
    """

    responses: tuple[str, ...]
    file: str
    prints_json: bool
    pattern: str
    checkpoint: str
    choices: dict[str, tuple[str, ...]]


def told_by(text: str, function: str = "") -> Told:
    """Read a source text, or that of one function of it; nothing where it is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return Told((), "", False, "", "", {})
    choices = _choices(tree)
    if function:
        return Told(_ordered(_returned(tree, function)), "", False, "", "", choices)
    dumped = list(_dumped(tree))
    named = [one for keys, _ in dumped for one in keys]
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)
             and isinstance(n.value, str)]  # fmt: skip
    files = [one for text in texts if (one := _ENDING.fullmatch(text.rpartition("/")[2]))]
    kept = {one[0] for text in texts if (one := _CHECKPOINT.fullmatch(text.rpartition("/")[2]))}
    pattern, groups = _pattern(tree)
    return Told(
        _ordered(named or groups),
        files[0][0] if files else "",
        any(printed for _, printed in dumped),
        pattern,
        next(iter(kept)) if len(kept) == 1 else "",
        choices,
    )


def _ordered(names: list[str]) -> tuple[str, ...]:
    """Those that may be responses, the likeliest primary one first."""
    good = [one for one in dict.fromkeys(names) if one not in STEPS and one.isidentifier()]

    def unlikely(name: str) -> tuple[bool, bool, bool]:
        return direction_of(name) is None, "train" in name.lower(), not names_accuracy(name)

    known = [one for one in good if direction_of(one) is not None]
    return tuple(sorted(known or good[:1], key=unlikely)[:3])


def _keys(node: ast.AST | None) -> list[str]:
    """Names in a literal mapping: `{"accuracy": ...}` or `dict(accuracy=...)`."""
    if isinstance(node, ast.Dict):
        return [k.value for k in node.keys
                if isinstance(k, ast.Constant) and isinstance(k.value, str)]  # fmt: skip
    if isinstance(node, ast.Call) and _name(node.func) == "dict":
        return [one.arg for one in node.keywords if one.arg]
    return []


def _name(node: ast.AST | None) -> str:
    """The last name of `a`, `a.b`, `a.b()` or `float(a)`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("item", "mean", "cpu"):
            return _name(node.func.value)
        return _name(node.args[0]) if node.args else _name(node.func)
    return ""


def _assigned(tree: ast.AST) -> dict[str, list[str]]:
    """Variables that a literal mapping is assigned to, with its names."""
    return {
        target.id: keys
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (keys := _keys(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _returned(tree: ast.AST, function: str) -> list[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            variables = _assigned(node)
            ends = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            named = [key for one in ends for key in _keys(one) or variables.get(_name(one), [])]
            return named or [name for one in ends if (name := _name(one))]
    return []


def _dumped(tree: ast.AST) -> Iterator[tuple[list[str], bool]]:
    """Names of mappings that are dumped as JSON or written as CSV; whether they are printed."""
    variables = _assigned(tree)
    printed = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _bare(node.func) == "print"
        and not any(one.arg == "file" for one in node.keywords)
        for inner in ast.walk(node)
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = _bare(node.func)
        if called in ("dump", "dumps", "writerow"):
            keys = _keys(node.args[0]) or variables.get(_bare(node.args[0]), [])
            if keys:
                yield keys, id(node) in printed
        for one in node.keywords if called == "DictWriter" else ():
            if one.arg == "fieldnames" and isinstance(one.value, ast.List | ast.Tuple):
                yield [str(c.value) for c in one.value.elts if isinstance(c, ast.Constant)], False


def _bare(node: ast.AST) -> str:
    return getattr(node, "id", None) or getattr(node, "attr", None) or ""


def _pattern(tree: ast.AST) -> tuple[str, list[str]]:
    """A regular expression of the printed line that tells most, and its groups."""
    best: tuple[tuple[bool, int], str, list[str]] = ((False, -1), "", [])
    for node in ast.walk(tree):
        called = _bare(node.func) if isinstance(node, ast.Call) else ""
        if not isinstance(node, ast.Call) or called not in ("print", "info", "write", "echo"):
            continue
        for pieces in _lines(node.args[0] if node.args else None):
            pattern, groups = _expression(pieces)
            about = "".join(text for text, _ in pieces).lower()
            tested = any(word in about for word in ("test", "val", "eval"))
            if groups and (tested, node.lineno) > best[0]:
                best = (tested, node.lineno), pattern, groups
    return best[1], best[2]


def _lines(node: ast.AST | None) -> list[list[tuple[str, str]]]:
    """Printed text as lines of pieces: text, then the name of the number that follows it."""
    pieces: list[tuple[str, str]] = []
    if isinstance(node, ast.JoinedStr):
        for one in node.values:
            if isinstance(one, ast.FormattedValue):
                pieces.append(("", _name(one.value) or "?"))
            elif isinstance(one, ast.Constant):
                pieces.append((str(one.value), ""))
    elif (text := _template(node)) is not None:
        place = 0
        for field in _FIELD.finditer(text):
            pieces += [(text[place : field.start()], ""), ("", "?")]
            place = field.end()
        pieces.append((text[place:], ""))
    lines: list[list[tuple[str, str]]] = [[]]
    for text, name in pieces:
        first, *rest = text.split("\n")
        lines[-1].append((first, name))
        lines += [[(one, "")] for one in rest]
    return lines


def _template(node: ast.AST | None) -> str | None:
    """Of `"...".format(...)` and `"..." % ...` the text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value if node.func.attr == "format" else None
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        node = node.left
    else:
        node = None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _expression(pieces: list[tuple[str, str]]) -> tuple[str, list[str]]:
    """A regular expression that ends with its last named number."""
    whole, upto, groups, before = "", "", [], ""
    for text, name in pieces:
        whole += re.escape(text).replace("\\ ", " ")
        before = text or before
        if not name:
            continue
        said = re.findall(r"[A-Za-z_]+", before)[-1:] if text == "" else []
        names = [name, *(one.lower() for one in said)]
        good = next((n for n in names if direction_of(n) or n in STEPS), "")
        before = ""
        if good and good.isidentifier() and good not in groups:
            groups.append(good)
            whole += rf"(?P<{good}>{_NUMBER})"
            upto = whole
        else:
            whole += _NUMBER
    return upto.lstrip(), groups if set(groups) - set(STEPS) else []


def _choices(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """Texts that a name is compared with, matched with, or that it looks up."""
    found: dict[str, dict[str, None]] = {}
    tables = _assigned(tree)
    for node in ast.walk(tree):
        name, values = "", []
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            name = _bare(node.left)
            if isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In):
                right = node.comparators[0]
                values = list(right.elts) if isinstance(right, ast.Tuple | ast.List) else [right]
        elif isinstance(node, ast.Subscript):
            name = _bare(node.slice)
            keys = _keys(node.value) or tables.get(_bare(node.value), [])
            values = [ast.Constant(key) for key in keys]
        elif isinstance(node, ast.Match):
            name = _bare(node.subject)
            values = [p.pattern.value for p in node.cases if isinstance(p.pattern, ast.MatchValue)]
        for one in values:
            if name and isinstance(one, ast.Constant) and isinstance(one.value, str):
                found.setdefault(name, {})[one.value] = None
    return {name: tuple(values) for name, values in found.items()}
