"""Names are shortened, wrapped and spread so that they fit and stay different."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analysis.figures.drawing.labels import apart, narrowest, shortened, term_labels, wrapped_name
from analysis.number_words import signed


def test_short_names_are_left_alone() -> None:
    assert shortened(["adam", "sgd_momentum"], 16) == ["adam", "sgd_momentum"]


def test_long_names_are_cut_in_the_middle() -> None:
    assert shortened(["cosine_with_warm_restarts"], 12) == ["cosine_…arts"]


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=12, unique=True))
def test_different_names_stay_different(names: list[str]) -> None:
    different = {" ".join(name.split()) for name in names}
    assert len(set(shortened(names, 14))) >= len(different)


def test_the_same_name_is_shortened_the_same_way_twice() -> None:
    long = "a_name_that_is_far_too_long_for_any_axis"
    assert len(set(shortened([long, long, "other"], 14))) == 2


def test_line_breaks_and_empty_names_are_drawn_on_one_line() -> None:
    assert shortened(["two\nlines", "   "], 20) == ["two lines", "(empty)"]


def test_terms_show_every_factor() -> None:
    assert term_labels(["init:optimizer"]) == ["init × optimizer"]
    cut = term_labels(["a_very_long_factor_name:another_very_long_factor_name"], 24)[0]
    first, _, second = cut.partition(" × ")
    assert first.startswith("a_very")
    assert second.startswith("anothe")


def test_wrapping_breaks_at_separators_and_says_when_it_cannot() -> None:
    assert wrapped_name("sgd_momentum", 0.6, 6.5) == "sgd_\nmomentum"
    assert wrapped_name("adam", 2.0, 6.5) == "adam"
    assert wrapped_name("indivisible", 0.2, 6.5) is None
    assert narrowest("sgd_momentum", 6.5) < narrowest("sgd_momentum", 6.5, lines=1)


def test_numbers_carry_a_true_minus_and_zero_no_sign() -> None:
    assert [signed(x) for x in (1.25, -1.25, -0.01)] == ["+1.2", "−1.2", "0.0"]


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=10),
    st.floats(0.1, 5),
)
def test_positions_are_moved_apart_in_order(positions: list[float], gap: float) -> None:
    moved = apart(positions, gap, 0.0, 100.0)
    assert all(-1e-9 <= value <= 100 + 1e-9 for value in moved)
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    steps = [moved[b] - moved[a] for a, b in pairwise(order)]
    assert all(step >= gap - 1e-6 for step in steps)
