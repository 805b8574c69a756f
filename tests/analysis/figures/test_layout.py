"""No text lies on another, whatever the number of factors and levels and however long the names."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from analysis.figures.drawing.style import COLUMN, PAGE, SMALL, TALLEST, at_width, look
from tests.analysis.figures import frames
from tests.analysis.figures.drawings import DRAWINGS
from tests.analysis.figures.overlap import drawn_texts, problems

# Most of this is matplotlib's own work, which takes half as long again when its lines are traced;
# the other tests of the figures count which of ours are run.
pytestmark = pytest.mark.no_cover

SHAPES = {
    "five factors of the shipped grid": frames.FIVE,
    "two of two": frames.shape(2, 2),
    "two of six": frames.shape(2, 6),
    "four of three, long names": frames.shape(4, 3, long=True),
    "six of six": frames.shape(6, 6),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize(
    "shape",
    [
        "five factors of the shipped grid",
        pytest.param("two of two", marks=pytest.mark.long),
        pytest.param("six of six", marks=pytest.mark.long),
    ],
)  # one column is the harder test, below
def test_figures_fit_a_journal_page_and_texts_stay_apart(name: str, shape: str) -> None:
    factors = SHAPES[shape]
    runs = frames.grid(factors, replicates=3, most=300)
    figure = DRAWINGS[name](factors, runs)
    width, height = figure.get_size_inches()
    assert 3.4 <= width <= 7.3, "one column of a journal, or two"
    assert height <= 9.7, "a page"
    assert problems(figure) == []


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize(
    "shape",
    [
        pytest.param("five factors of the shipped grid", marks=pytest.mark.long),
        "two of six",
        "four of three, long names",
        pytest.param("six of six", marks=pytest.mark.long),
    ],
)
def test_every_figure_fits_one_column_with_its_texts_apart(name: str, shape: str) -> None:
    factors = SHAPES[shape]
    with at_width(COLUMN):
        figure = DRAWINGS[name](factors, frames.grid(factors, replicates=3, most=150))
    width, height = figure.get_size_inches()
    assert width == COLUMN
    assert height <= TALLEST + 0.05
    assert problems(figure) == []


def test_no_text_is_smaller_than_can_be_read_in_print() -> None:
    factors = frames.shape(6, 6)
    runs = frames.grid(factors, replicates=3, most=150)
    for width in (COLUMN, PAGE):
        with at_width(width):
            figure = DRAWINGS["interaction_heat_maps"](factors, runs)
        assert min(text.get_fontsize() for text in drawn_texts(figure)) >= SMALL


def test_a_width_holds_only_inside_its_context() -> None:
    runs = frames.grid(frames.FIVE, most=50)
    with at_width(COLUMN):
        pass
    assert DRAWINGS["main_effects"](frames.FIVE, runs).get_figwidth() == PAGE


def test_the_overlap_check_sees_an_overlap_and_a_text_off_the_page() -> None:
    with look():
        figure = Figure(figsize=(2, 2))
        figure.text(0.5, 0.5, "one name")
        figure.text(0.52, 0.5, "another name")
        figure.text(0.1, 0.1, "turned", rotation=90)
        figure.text(0.95, 0.8, "far too long to fit")
    found = problems(figure)
    assert "'one name' lies on 'another name'" in found
    assert "'far too long to fit' leaves the page" in found
    assert not any("turned" in line for line in found)
