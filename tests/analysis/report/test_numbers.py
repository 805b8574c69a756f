"""Every figure is told in numbers too: rounded, short, and those of effects.json."""

from __future__ import annotations

import re

from analysis.report.gallery.catalogue import BY_NAME, FIGURES
from analysis.report.page.page_figures import MOST_NUMBERS, _numbers_behind
from analysis.report.page.page_sections import SECTIONS
from tests.analysis.written import Written


def test_every_figure_has_a_section_a_table_and_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(FIGURES)
    assert {one.section for one in FIGURES} <= {one.key for one in SECTIONS}
    assert len({one.effort for one in FIGURES}) == len(FIGURES), "the order of drawing is one"


def test_every_figure_of_a_page_is_followed_by_its_numbers(
    written: Written, partial: Written
) -> None:
    for report in (written, partial):
        figures = re.findall(r'<figure id="([^"]+)">(.*?)</figure>', report.body, re.DOTALL)
        assert len(figures) > 8
        for name, body in figures:
            assert re.search("Numbers (and files|behind this figure)</summary>", body), name
            details = body[body.index("<details>") :]
            assert 1 < details.count("<tr>") <= MOST_NUMBERS + 1, name


def test_the_numbers_are_those_of_the_answer(written: Written) -> None:
    drawing = BY_NAME["main_effects"].drawing(written.study)
    assert drawing is not None
    found = _numbers_behind(written.study, drawing)
    assert found is not None
    means = written.study.effects()
    assert [row[:2] for row in found["rows"]] == list(
        zip(means["factor"].astype(str), means["level"].astype(str), strict=True)
    )
    assert [row[2] for row in found["rows"]] == [f"{100 * one:.1f}" for one in means["mean"]]
    assert found["left_out"] == 0


def test_a_long_table_says_what_it_leaves_out(written: Written) -> None:
    drawing = BY_NAME["cell_heat_map"].drawing(written.study)
    assert drawing is not None
    found = _numbers_behind(written.study, drawing)
    assert found is not None
    assert len(found["rows"]) == MOST_NUMBERS
    assert found["left_out"] == 72 - MOST_NUMBERS
    assert "12 more rows are in" in written.html
