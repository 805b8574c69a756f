"""Every figure is told in numbers too: rounded, short, and those of effects.json."""

from __future__ import annotations

import re

from analysis.report.gallery.drawings import DRAWINGS
from analysis.report.gallery.numbers import MOST_ROWS, TABLES, numbers_behind
from tests.analysis.written import Written


def test_every_figure_has_a_table() -> None:
    assert set(TABLES) == set(DRAWINGS)


def test_every_figure_of_a_page_is_followed_by_its_numbers(
    written: Written, partial: Written
) -> None:
    for report in (written, partial):
        figures = re.findall(r'<figure id="([^"]+)">(.*?)</figure>', report.body, re.DOTALL)
        assert len(figures) > 8
        for name, body in figures:
            assert "Numbers behind this figure" in body, name
            details = body[body.index("<details>") :]
            assert 1 < details.count("<tr>") <= MOST_ROWS + 1, name


def test_the_numbers_are_those_of_the_answer(written: Written) -> None:
    drawing = DRAWINGS["main_effects"](written.study)
    assert drawing is not None
    found = numbers_behind(written.study, drawing)
    assert found is not None
    means = written.study.effects()
    assert [row[:2] for row in found.rows] == list(
        zip(means["factor"].astype(str), means["level"].astype(str), strict=True)
    )
    assert [row[2] for row in found.rows] == [f"{100 * one:.1f}" for one in means["mean"]]
    assert found.left_out == 0


def test_a_long_table_says_what_it_leaves_out(written: Written) -> None:
    drawing = DRAWINGS["cell_heat_map"](written.study)
    assert drawing is not None
    found = numbers_behind(written.study, drawing)
    assert found is not None
    assert len(found.rows) == MOST_ROWS
    assert found.left_out == 72 - MOST_ROWS
    assert "12 more rows are in" in written.html
