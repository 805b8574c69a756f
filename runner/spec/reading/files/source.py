"""A YAML file as a tree that remembers where each value was written.

Reads YAML 1.2 (core schema): `no`, `on` and `1:30` are text, `5e-4` is a number, `012` is twelve.
Refused, with file, line and key: duplicate keys, anchors, aliases, merge keys, tags, several
documents, deep nesting, tabs, `.nan` and `.inf`, large files, text that is not UTF-8. The tree says
nothing about what the keys mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ablations.errors import InputError
from runner.program.wording import listed
from runner.spec.node import Node, Scalar, path_text
from runner.spec.reading.files.shipped import shipped_names

LARGEST_BYTES = 200_000
"""Some kilobytes are usual; the parser takes seconds for a file of this size."""

DEEPEST = 16
LONGEST_NUMBER = 40

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read_file(path: Path) -> Node:
    """Read one YAML file whose root is a mapping.

    Raises:
        InputError: the file cannot be read, or holds what the module's docstring refuses.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"{path} is a folder, expected a YAML file")
        if size > LARGEST_BYTES:
            raise InputError(
                f"{path} has {size:,} bytes; a specification has at most {LARGEST_BYTES:,}"
            )
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
        if len(raw) > LARGEST_BYTES:  # a pipe or a device, whose size says nothing
            raise InputError(
                f"{path} has more than {LARGEST_BYTES:,} bytes, the most a specification has"
            )
    except FileNotFoundError:
        near = sorted(other.name for other in path.parent.glob("*.yaml"))
        there = f"{path.parent} holds {', '.join(near)}"
        come = f"the program comes with {listed(shipped_names())}"
        raise InputError(f"there is no file {path}; {there if near else come}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:  # a zero byte in the name
        raise InputError(f"cannot read {str(path)!r}: {error}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    root = read_text(text, str(path))
    if not isinstance(root.value, dict):
        kind = "empty" if root.value is None else f"a {_kind(root)}"
        raise InputError(f"{path}: the file is {kind}, expected a mapping such as 'name: study'")
    return root


def read_text(text: str, origin: str, *, lines: bool = True) -> Node:
    """Read one YAML document (any root); `origin` names it in errors.

    Args:
        text: The document.
        origin: File name, or the option that held the text.
        lines: Whether line numbers mean something to the person (not for an option).
    """
    try:
        return _TreeReader(text, origin, lines).document()
    except MarkedYAMLError as error:
        mark, problem = _sentence(error, text)
        where = f"{origin}:{mark + 1}" if lines and mark is not None else origin
        raise InputError(f"{where}: {problem}") from None
    except YAMLError as error:
        place = getattr(error, "position", None)
        where = f"{origin}:{text[:place].count(chr(10)) + 1}" if lines and place else origin
        reason = str(getattr(error, "reason", error)).splitlines()[0]
        if reason.startswith("special characters"):
            reason = "a control character stands in the text"
        raise InputError(f"{where}: {reason}") from None


# What the parser says, and what it means for the person who wrote the file.
_SENTENCES = (
    ("found unexpected end of stream", "a quote is opened and never closed"),
    ("found unknown escape", "in double quotes a backslash begins an escape; use single quotes"),
    ("expected ',' or ']'", "a '[' is opened and not closed, or a ',' is missing in the list"),
    ("expected ',' or '}'", "a '{' is opened and not closed, or a ',' is missing between its keys"),
    ("found ']'", "a ']' closes what no '[' opens"),
    ("found '}'", "a '}' closes what no '{' opens"),
    ("found ','", "a ',' stands before any value"),
    ("found '<scalar>'", "text follows what is complete already, such as a closing quote"),
    ("sequence entries are not allowed", "a list with '-' begins on the line below its key"),
    ("could not find expected ':'", "a ':' is missing after the key"),
    ("expected the node content", "a value is missing"),
    ("<block mapping start>", "the indentation fits none of the lines above"),
    ("found '-'", "the indentation fits none of the lines above"),
    ("found '?'", "the indentation fits none of the lines above, or a list goes on as a mapping"),
)


def relative_to_file(root: Node, path: Sequence[str | int], text: str) -> str:
    """A path in the file is relative to that file; on the command line to the current folder."""
    node = root.at(path)
    base = Path.cwd() if node.line is None else Path(node.origin).resolve().parent
    return os.path.normpath(base / Path(text).expanduser())


def _sentence(error: MarkedYAMLError, text: str) -> tuple[int | None, str]:
    """The line (from 0) and the meaning of what the parser stumbled over."""
    problem = str(error.problem or error.context)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return None, problem
    line, lines = int(mark.line), text.splitlines()
    if "\\t" in problem or _tab_at(lines, line):
        return line, "a tab stands where YAML takes spaces only"
    if problem.startswith("mapping values"):
        above = [n for n in range(min(line, len(lines))) if _content(lines[n])]
        if above and ":" not in _content(lines[above[-1]]) and _key_at(lines, line):
            line = above[-1]
            return line, f"a ':' (and a space) is missing in {_content(lines[line])!r}"
        if above and re.search(r":\S", _content(lines[above[-1]])) and _key_at(lines, line):
            return above[-1], f"a space is missing after ':' in {_content(lines[above[-1]])!r}"
        if re.search(r":\s", lines[line][: int(mark.column)]):
            return line, "a second ':' stands in one line; quote the text that holds it"
        return line, "the indentation fits none of the lines above"
    if problem.startswith("found character"):
        sign = problem.removeprefix("found character ").partition(" ")[0]
        return line, f"a value cannot begin with {sign}; quote it"
    begun = ("could not find expected", "unexpected end of stream", "expected ','")
    if any(one in problem for one in begun) and error.context_mark is not None:
        line = int(error.context_mark.line)
    meant = next((meaning for part, meaning in _SENTENCES if part in problem), problem)
    content = _content(lines[line]) if line < len(lines) else ""
    return line, f"{meant}: {content!r}" if content else meant


def _content(line: str) -> str:
    """A line without indentation and comment."""
    return re.sub(r"(^|\s)#.*", "", line).strip()


def _key_at(lines: Sequence[str], line: int) -> bool:
    return line < len(lines) and ":" in lines[line]


def _tab_at(lines: Sequence[str], line: int) -> bool:
    return line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]


def _kind(node: Node) -> str:
    if isinstance(node.value, dict):
        return "mapping"
    return "list" if isinstance(node.value, list) else "single value"


class _TreeReader:
    """Builds the tree from the parser's events, so that nothing is constructed or expanded."""

    def __init__(self, text: str, origin: str, lines: bool) -> None:
        self.origin = origin
        self.lines = lines
        self.events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
        self.path: list[str | int] = []

    def document(self) -> Node:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self.refuse(event, "a second document starts; expected one")
                if event.version not in (None, (1, 2)) or event.tags:
                    raise self.refuse(event, "%-directives are not read; expected YAML 1.2")
                root = self.node(next(self.events))
        return Node(None, self.origin) if root is None else root

    def node(self, event: Event) -> Node:
        if len(self.path) > DEEPEST:
            raise self.refuse(event, f"nested more than {DEEPEST} levels deep")
        anchor, tag = getattr(event, "anchor", None), getattr(event, "ctag", None)
        if isinstance(event, AliasEvent):
            raise self.refuse(event, f"alias '*{anchor}': aliases are not read; write it out")
        if anchor:
            raise self.refuse(event, f"anchor '&{anchor}': anchors are not read; leave it out")
        if tag is not None:
            raise self.refuse(event, f"tag '{tag}': tags are not read; leave it out")
        if isinstance(event, ScalarEvent):
            return self.place(event, self.scalar(event))
        if isinstance(event, SequenceStartEvent):
            return self.place(event, self.sequence())
        if isinstance(event, MappingStartEvent):
            return self.place(event, self.mapping())
        raise self.refuse(event, f"cannot read {event}")

    def sequence(self) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            self.path.append(len(items))
            items.append(self.node(event))
            self.path.pop()
        return items

    def mapping(self) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or self.node(event).value is None:
                raise self.refuse(event, "a key must be text")
            key = event.value
            if key == "<<" and event.style is None:
                raise self.refuse(event, "'<<': merge keys are not read; write it out or 'extends'")
            if key in entries:
                first = entries[key].line
                raise self.refuse(event, f"{key!r} is given twice (first in line {first})")
            self.path.append(key)
            node = self.node(next(self.events))
            self.path.pop()
            # A block value starts below its key: errors point at the key.
            entries[key] = Node(node.value, self.origin, self.line(event))
        return entries

    def scalar(self, event: ScalarEvent) -> Scalar:
        text: str = event.value
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            raise self.refuse(event, f"{text} is no setting; expected a finite number")
        if not (text[0].isdigit() or text[0] in "+-."):
            return text
        number = self.number(text)
        if number is None:
            return text
        if len(text) > LONGEST_NUMBER or abs(number) > 1e300:
            raise self.refuse(event, f"the number {text[:20]}... is too large")
        return number

    def number(self, text: str) -> int | float | None:
        if len(text) > LONGEST_NUMBER:  # Python refuses to read some thousand digits
            return 1 if _INT.fullmatch(text) or _FLOAT.fullmatch(text) else None
        if _INT.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEX.fullmatch(text):
            return int(text[2:], 16)
        return float(text) if _FLOAT.fullmatch(text) else None

    def place(self, event: Event, value: Scalar | list[Node] | dict[str, Node]) -> Node:
        return Node(value, self.origin, self.line(event))

    def line(self, event: Event) -> int | None:
        return event.start_mark.line + 1 if self.lines else None

    def refuse(self, event: Event, problem: str) -> InputError:
        line = self.line(event)
        where = self.origin if line is None else f"{self.origin}:{line}"
        key = path_text(self.path)
        return InputError(f"{where}: {key + ': ' if key else ''}{problem}")
