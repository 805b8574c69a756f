"""YAML is read as version 1.2 says, and everything surprising is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from runner.spec.reading.files.source import LARGEST_BYTES, read_file, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("off", "off"), ("Yes", "Yes"), ("y", "y"), ("none", "none"),
        ("nan", "nan"), ("inf", "inf"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"), ("5e-4", 0.0005), ("1e-3", 0.001), ("1E+2", 100.0), ("1e2", 100.0),
        ("012", 12), ("0o17", 15), ("0x1F", 31), ("+3", 3), ("-.5", -0.5), ("1.", 1.0),
        ("1.10", 1.1), ("~", None), ("null", None), ("", None), ("true", True), ("False", False),
        ("'5'", "5"), ('"true"', "true"), ("'null'", "null"), ("1.2.3", "1.2.3"), ("-", None),
        ("e5", "e5"), ("0x", "0x"), (".", "."), ("+", "+"), ("١٢", "١٢"), ("naïve", "naïve"),
    ],
)  # fmt: skip
def test_scalars_are_yaml_1_2(text: str, value: object) -> None:
    if text == "-":  # a list item with nothing in it
        assert read_text(text, "f").plain == [None]
        return
    read = read_text(f"key: {text}\n", "f").plain["key"]
    assert read == value
    assert type(read) is type(value)


def test_places_are_remembered() -> None:
    tree = read_text("a:\n  b: [1,\n      2]\n  c:\n    d: x\n", "f.yaml")
    assert tree.at(("a", "b", 1)).line == 3
    assert tree.at(("a", "c", "d")).where == "f.yaml:5"
    assert tree.at(("a", "c")).line == 4, "a block's line is its key's"
    assert tree.at(("a", "nothing", "here")).line == 1, "the deepest there is"
    assert str(tree.refuse(("a", "b", 1), "is bad")) == "f.yaml:3: a.b[1]: is bad"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3", 3, "'a' is given twice (first in line 1)"),
        ("no: 1\n'no': 2", 2, "'no' is given twice"),
        ("x:\n  a: {b: 1, b: 2}", 2, "x.a: 'b' is given twice"),
        ("a: &x 1\nb: *x", 1, "a: anchor '&x'"),
        ("b: *x", 1, "b: alias '*x'"),
        ("a: 1\n<<: {b: 1}", 2, "merge keys"),
        ("a: !!python/object/apply:os.system ['true']", 1, "a: tag"),
        ("a: !custom 1", 1, "a: tag '!custom'"),
        ("a: !!str 1", 1, "tag"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("%YAML 1.1\n---\na: no", 2, "directives"),
        ("a:\n\tb: 1", 2, "tab"),
        ("a: 1\n\tb: 2", 2, "tab"),
        ("a:\n  b: .nan", 2, "a.b: .nan is no setting"),
        ("a: [1, -.inf]", 1, "a[1]: -.inf is no setting"),
        ("a: 1e999", 1, "too large"),
        ("a: " + "9" * 5000, 1, "too large"),
        ("a: " + "1." + "9" * 5000, 1, "too large"),
        ("? [1, 2]\n: 3", 1, "a key must be text"),
        ("{}: 3", 1, "a key must be text"),
        ("~: 3", 1, "a key must be text"),
        ("a: b: c", 1, "a second ':' stands in one line"),
        ("a: 'open", 1, "a quote is opened and never closed"),
        ("a: {b: 1", 1, "a '{' is opened and not closed"),
        ("a: 1\nb: \x07", 2, "a control character"),
        ("a: @b", 1, "a value cannot begin with '@'; quote it"),
        ("name x\na:\n  b: 1", 1, "a ':' (and a space) is missing in 'name x'"),
        ("x: 1\na\n  b: 1\nc: 2", 2, "a ':' is missing after the key: 'a'"),
        ("a:b\nc: d", 1, "a space is missing after ':' in 'a:b'"),
        ("a:\n  b: 1\n c: 2", 3, "the indentation fits none of the lines above: 'c: 2'"),
        ("a:\n  b: [1]\n   c: 2", 3, "the indentation fits none"),
        ("a: x\n  b: {c: 1}", 2, "the indentation fits none"),
        ("a: 1\n- 2", 2, "the indentation fits none"),
        ("a: [b, c\nd: e", 1, "a '[' is opened and not closed"),
        ("a: [b]]", 1, "a ']' closes what no '[' opens"),
        ("a: {b: c}}", 1, "a '}' closes what no '{' opens"),
        ("a: 'b' c", 1, "text follows what is complete already"),
        ('a: "\\q"', 1, "use single quotes"),
        ("a: - b", 1, "a list with '-' begins on the line below its key"),
        ("a: " + "[" * 2000, 1, "nested more than"),
        ("a: " + "{b: " * 2000, 1, "nested more than"),
    ],
)  # fmt: skip
def test_what_surprises_is_refused_with_line_and_key(text: str, line: int, says: str) -> None:
    with pytest.raises(InputError) as refused:
        read_text(text, "f.yaml")
    assert str(refused.value).startswith(f"f.yaml:{line}: ")
    assert says in str(refused.value)


def test_a_billion_laughs_stay_one() -> None:
    bomb = "a: &a [ha, ha]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}, *{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(InputError, match="anchor '&a'"):
        read_text(bomb, "f")


def test_an_option_has_no_lines() -> None:
    with pytest.raises(InputError) as refused:
        read_text("[a", "--set key", lines=False)
    assert str(refused.value).startswith("--set key: ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "study.yaml: the file is empty"),
        (b"# nothing but a comment\n", "the file is empty"),
        (b"- a\n- b\n", "the file is a list"),
        (b"just words", "the file is a single value"),
        (b"a: 1\nname: caf\xe9\n", "study.yaml:2: not UTF-8"),
        (b"\xff\xfea\x00:\x00", "study.yaml:1: not UTF-8"),
        (b"a: 1\n#" + b"x" * LARGEST_BYTES, "bytes; a specification has at most 200,000"),
    ],
)
def test_files_that_are_no_specification(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_file(file)
    assert says in str(refused.value)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert read_file(file).plain == {"name": "x"}


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "right.yaml").write_text("a: 1")
    with pytest.raises(InputError, match=r"there is no file .*wrong.yaml; .* holds right.yaml"):
        read_file(tmp_path / "wrong.yaml")
    with pytest.raises(InputError, match="is a folder"):
        read_file(tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        read_file(tmp_path / ("x" * 300))
    with pytest.raises(InputError, match="cannot read"):
        read_file(Path("a\0b"))


@pytest.mark.parametrize("name", ["with space.yaml", "quo'te\".yaml", "new\nline.yaml", "ünï.yaml"])
def test_any_file_name_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a: 1")
    assert read_file(tmp_path / name).plain == {"a": 1}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e299, max_value=1e299)
    | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Co", "Cn"]),
              max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), values, max_size=5))
def test_json_is_read_as_what_it_is(value: dict[str, object]) -> None:
    assert read_text(json.dumps(value, ensure_ascii=False), "f").plain == value


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = read_text(text, "f.yaml")
    except InputError as refused:
        message = str(refused)
    else:
        message = "f.yaml"
        json.dumps(tree.plain, allow_nan=False)
    assert message.startswith("f.yaml")
