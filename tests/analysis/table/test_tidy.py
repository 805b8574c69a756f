"""Tables are read as written, and what cannot be used is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.table.reading import read_table
from analysis.table.runs import from_runs
from analysis.table.tidy import tidy


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_levels_are_text_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "augmentation,lr,y\nNone,1e-4,1\nNA,1e-3,2\nnull,0.10,3\n")
    table = read_table(path, ["augmentation", "lr"], "y")
    assert table.factors["augmentation"] == ("None", "NA", "null")
    assert table.factors["lr"] == ("1e-4", "1e-3", "0.10")  # numbers in numeric order


def test_numeric_labels_are_ordered_as_numbers_others_as_they_come(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "depth,size,y\n110,S,1\n20,M,2\n9,L,3\n")
    table = read_table(path, ["depth", "size"], "y")
    assert table.factors == {"depth": ("9", "20", "110"), "size": ("S", "M", "L")}


def test_a_byte_order_mark_and_spaced_header_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffA, y\na,1\nb,2\n".encode())
    assert read_table(path, ["A"], "y").factors == {"A": ("a", "b")}


def test_levels_of_a_categorical_keep_their_order() -> None:
    column = pd.Categorical(["b", "a", "b"], categories=["b", "a", "never"])
    table = tidy(pd.DataFrame({"f": column, "y": [1.0, 2, 3]}), ["f"], "y")
    assert table.factors["f"] == ("b", "a")


def test_whole_numbers_beside_a_gap_keep_their_names() -> None:
    frame = pd.DataFrame({"k": [1.0, 2.0, 1.0], "y": [1, 2, 3]})
    assert tidy(frame, ["k"], "y").factors["k"] == ("1", "2")


def test_missing_responses_are_counted_not_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "A,y\na,1\na,\nb,NA\nb,nan\nb,4\n")
    table = read_table(path, ["A"], "y")
    assert len(table.frame) == 5
    assert np.isfinite(table.deviations).sum() == 2
    assert "3 of 5 runs have no y" in table.notes


def test_digits_beyond_a_float_survive(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "A,y\na,1000000000000.4\nb,1000000000000.3\n")
    table = read_table(path, ["A"], "y")
    assert table.deviations[0] - table.deviations[1] == pytest.approx(0.1, rel=1e-15)


TABLE = "A,B,y,seed\na,c,1,0\nb,c,2,0\na,d,3,1\nb,d,4,1\n"


@pytest.mark.parametrize(
    ("text", "factors", "response", "block", "sentence"),
    [
        (TABLE, ["A", "b"], "y", None, r"no column 'b' \(factor\): expected one of A, B"),
        (TABLE, ["A"], "Y2", None, r"no column 'Y2' \(response\)"),
        (TABLE, ["A"], "y", "sed", r"no column 'sed' \(block\): did you mean 'seed'"),
        (TABLE, ["A", "A"], "y", None, "'A' was named twice"),
        (TABLE, ["A", "y"], "y", None, r"'y' was named twice \(factor and response\)"),
        (TABLE, ["y"], "A", None, "has 'a' in data row 1: expected a number"),
        ("A,y\n", ["A"], "y", None, "has no rows"),
        ("A,y\na,1\na,2\n", ["A"], "y", None, r"has one level \('a'\): nothing to compare"),
        ("A,y\na,1\nb,\n", ["A"], "y", None, r"one level with y \('a'\)"),
        ("A,y\na,\nb,\n", ["A"], "y", None, "no number: no run can be analysed"),
        ("A,y\na,1\n,2\n", ["A"], "y", None, "'A' of .* is empty in data row 2"),
        ("A,y\na,inf\nb,2\n", ["A"], "y", None, "infinite in data row 1"),
        ("A:B,y\na,1\nb,2\n", ["A:B"], "y", None, "has a colon in its name"),
        ("", ["A"], "y", None, "is empty: expected a header"),
        (TABLE, [], "y", None, "no factor was named"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path,
    text: str,
    factors: list[str],
    response: str,
    block: str | None,
    sentence: str,
) -> None:
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(InputError, match=sentence):
        read_table(path, factors, response, block)


def test_a_table_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv", ["A"], "y")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00A,y\n")
    with pytest.raises(InputError, match="not a UTF-8 CSV"):
        read_table(tmp_path / "b.csv", ["A"], "y")


def test_equal_outcomes_and_missing_runs_are_no_repeats(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "A,seed,y\na,0,1\nb,0,2\na,1,1\nb,1,2\na,,\na,,\n")
    assert read_table(path, ["A"], "y").notes == ("2 of 6 runs have no y",)


def test_a_run_listed_twice_is_refused_or_marked() -> None:
    frame = pd.DataFrame(
        {"A": ["a", "b", "a", "a"], "seed": [0, 0, 1, 1], "y": [1.0, 2, 3, 3], "notes": [[]] * 4}
    )
    with pytest.raises(InputError, match="the frame: data rows 3 and 4 are the same run"):
        tidy(frame, ["A"], "y", "seed")
    (note,) = tidy(frame, ["A"], "y").notes
    assert note.startswith("1 of 4 rows repeats another exactly")
    frame["worker"] = ["x", "x", "x", "y"]  # told apart by something: two runs
    assert tidy(frame, ["A"], "y").notes == ()
    (note,) = tidy(frame, ["A"], "y", "seed").notes
    assert note.startswith("1 of 4 runs has the same levels and the same seed as another")


def test_an_undeclared_level_is_named() -> None:
    frame = pd.DataFrame({"A": ["a", "x"], "y": [1.0, 2.0]})
    with pytest.raises(InputError, match="level 'x' of factor 'A'"):
        tidy(frame, ["A"], "y", levels={"A": ["a", "b"]})


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([["a", "b", 1.0]], columns=["A", "A", "y"])
    with pytest.raises(InputError, match="two columns named 'A'"):
        tidy(frame, ["A"], "y")


def run(status: str | None, accuracy: float | None, **more: object) -> dict[str, object]:
    row = {"cell": "x", "factor:bn": "before", "replicate": 0, "status": status}
    return {**row, "test_accuracy": accuracy, "epochs_budget": 10, **more}


def test_rows_of_a_store_become_a_frame_that_hides_nothing() -> None:
    rows = [
        run("reached", 0.9, epochs_to_target=4),
        run("stalled", 0.12, epochs_to_target=None),
        run("diverged", 0.1, epochs_to_target=None, **{"factor:bn": "after"}),
        run("timeout", 0.5, epochs_to_target=3),
        run("failed", None, epochs_to_target=None),
        run(None, None, epochs_to_target=None),
    ]
    frame = from_runs(rows, {"bn": ["before", "after"]})
    assert list(frame["status"]) == [
        "reached", "stalled", "diverged", "timeout", "failed", "not_run",
    ]  # fmt: skip
    assert frame["test_accuracy"].isna().tolist() == [False, False, False, True, True, True]
    assert frame["converged"].tolist()[:3] == [1.0, 0.0, 0.0]
    assert frame["converged"].isna().tolist() == [False] * 3 + [True] * 3
    # Never reached within the budget counts as the budget; a lost run as nothing.
    assert frame["restricted_epochs"].tolist()[:3] == [4.0, 10.0, 10.0]
    assert frame["restricted_epochs"].isna().sum() == 3
    assert list(frame["bn"].cat.categories) == ["before", "after"]
    with pytest.raises(InputError, match="no planned runs"):
        from_runs([], {"bn": ["before", "after"]})
