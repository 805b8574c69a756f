"""Numbers of a command: files it writes, lines it prints."""

from pathlib import Path

import pytest

from runner.content.outcome import Point
from runner.trainers.metrics import (
    last_object,
    last_values,
    points_of,
    rows_of_file,
    rows_printed,
)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_lines_of_json_are_rows_and_a_line_that_was_cut_short_is_passed_over(tmp_path):
    path = written(tmp_path, "m.jsonl", '{"epoch": 0, "acc": 0.5}\n{"epoch": 1, "acc": 0.6}\n{"ep')
    assert rows_of_file(path) == [{"epoch": 0, "acc": 0.5}, {"epoch": 1, "acc": 0.6}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"acc": 0.5}', [{"acc": 0.5}]),
        ('[{"acc": 0.5}, {"acc": 0.6}]', [{"acc": 0.5}, {"acc": 0.6}]),
        ("", []),
        ("no JSON", []),
        ("[1, 2]", []),
    ],
)
def test_a_whole_file_of_json_is_read_as_well(tmp_path, text, rows):
    assert rows_of_file(written(tmp_path, "m.json", text)) == rows


@pytest.mark.parametrize(("name", "comma"), [("m.csv", ","), ("m.tsv", "\t")])
def test_a_table_has_a_head(tmp_path, name, comma):
    text = f"epoch{comma}acc\n0{comma}0.5\n1{comma}\n"
    assert rows_of_file(written(tmp_path, name, text)) == [
        {"epoch": "0", "acc": "0.5"},
        {"epoch": "1"},
    ]


def test_a_mark_of_byte_order_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("epoch,acc\n3,0.5\n", encoding="utf-8-sig")
    assert points_of(rows_of_file(path)) == [Point(3, {"acc": 0.5})]


def test_no_file_is_no_rows(tmp_path):
    assert rows_of_file(tmp_path / "absent.jsonl") == []


def test_a_regular_expression_finds_a_row_a_match():
    rows = rows_printed(
        "epoch 1 acc 0.5\nnoise\nepoch 2 acc 0.75%\n", r"epoch (?P<epoch>\d+) acc (?P<acc>\S+)"
    )
    assert points_of(rows) == [Point(1, {"acc": 0.5}), Point(2, {"acc": 0.75})]


def test_a_step_that_comes_again_begins_anew_there():
    rows = [{"epoch": e, "loss": v} for e, v in [(0, 9.0), (1, 8.0), (2, 7.0), (1, 2.0), (2, 1.0)]]
    assert points_of(rows) == [
        Point(0, {"loss": 9.0}),
        Point(1, {"loss": 2.0}),
        Point(2, {"loss": 1.0}),
    ]


def test_rows_without_a_step_are_counted_and_infinity_is_no_point():
    rows = [{"loss": 1.0, "note": "x"}, {"loss": float("inf"), "acc": 0.5}]
    assert points_of(rows) == [Point(0, {"loss": 1.0}), Point(1, {"acc": 0.5})]


def test_the_last_value_of_each_name_is_its_response_and_a_step_is_none():
    rows = [{"epoch": 1, "acc": 0.5, "loss": 1.0}, {"epoch": 2, "acc": 0.6}]
    assert last_values(rows) == {"acc": 0.6, "loss": 1.0}


def test_the_last_printed_object_counts():
    assert last_object('{"acc": 0.1}\nnoise\n{"acc": 0.5}\nbye\n') == {"acc": 0.5}
    assert last_object("nothing") == {}
