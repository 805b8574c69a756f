"""Two cells and parallel coordinates in the page: right numbers, by hand and by address."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from analysis.figures.drawing.nested import nest
from analysis.study import Study
from analysis.two_cells.side_by_side import compared, differing
from analysis.two_cells.sides import Side, side_of
from tests.analysis.written import Written

READY = "html[data-ready=true]"


def side(study: Study, *levels: str) -> Side:
    return side_of(study, ",".join(map("=".join, zip(study.factors, levels, strict=True))))


def numbers(text: str) -> list[float]:
    """A difference and the ends of its interval, where it has one."""
    return [float(one) for one in re.findall(r"-?[\d.]+", text.replace("−", "-"))]


@pytest.fixture
def pair(written: Written) -> tuple[Side, Side]:
    """Two combinations of which only some of the factors differ."""
    study = written.study
    return (
        side(study, "none", "cosine", "he", "before", "adam"),
        side(study, "none", "one_cycle", "he", "none", "sgd_momentum"),
    )


def opened(page: Page, written: Written, address: str = "") -> Page:
    page.goto(written.page.as_uri() + address)
    page.wait_for_selector(READY)
    return page


def address(pane: str, **view: str) -> str:
    return f"#{pane}?{urlencode(view)}"


def chosen(page: Page) -> list[str]:
    return [page.locator(f"#pair-{name}").input_value() for name in ("first", "second")]


def row(page: Page, name: str) -> Locator:
    heads = page.locator("#pair-table th[scope=row]")
    return heads.get_by_text(name, exact=True).locator("..")


def test_an_address_shows_two_cells_with_the_numbers_of_the_study(
    page: Page, written: Written, pair: tuple[Side, Side]
) -> None:
    view = {"first": pair[0].name, "second": pair[1].name, "curve": "train_loss"}
    opened(page, written, address("two-cells", **view))
    assert chosen(page) == [one.name for one in pair]
    assert -2 <= page.locator("#two-cells").evaluate("one => one.getBoundingClientRect().top") <= 60
    for each in differing(written.study, *pair):
        if each.kind == "factor":
            assert row(page, each.name).locator("td").all_inner_texts()[:2] == list(each.values)
    assert row(page, "lr").locator("td").all_inner_texts()[:2] == ["0.001", "0.1"]
    expect(page.locator("#pair-table caption")).to_contain_text("augmentation none, init he")
    for found in compared(written.study, *pair):
        if not all(found.n):
            continue
        head = found.measure.name + (f" ({found.measure.unit})" if found.measure.unit else "")
        texts = row(page, head).locator("td").all_inner_texts()
        assert [f"n = {n}" in text for n, text in zip(found.n, texts, strict=False)] == [True, True]
        wanted = [found.difference, *((found.low, found.high) if found.interval else ())]
        # The page has values of single runs with as many digits as it keeps.
        fine = 1.5 * 10.0**-found.measure.digits
        kept = 10 * found.measure.scale * 10.0**-found.measure.kept_digits
        assert numbers(texts[2]) == pytest.approx(
            [one * found.measure.scale for one in wanted], abs=fine + kept
        )
    traces = page.evaluate(
        "document.getElementById('pair-chart').data.map(t => [t.line.width, t.y.length])"
    )
    assert [width for width, _ in traces].count(3) == 2, "a mean of each"
    assert [width for width, _ in traces].count(1) == 6, "and every run"
    expect(page.locator("#pair-chart .ytitle")).to_have_text("training loss (nats)")


def test_two_fields_of_the_map_are_taken_and_going_back_undoes_it(
    page: Page, written: Written, pair: tuple[Side, Side]
) -> None:
    opened(page, written)
    before = chosen(page)
    picture = page.locator("#figure-cell_heat_map svg")
    picture.scroll_into_view_if_needed()
    nesting = nest(written.study.factors)
    for one in pair:
        box = picture.locator("image").first.bounding_box()
        assert box is not None
        down, across = (
            int(np.ravel_multi_index(
                [written.study.factors[name].index(one.levels[name]) for name in names],
                [len(written.study.factors[name]) for name in names],
            ))
            for names in (nesting.down, nesting.across)
        )  # fmt: skip
        page.mouse.click(
            box["x"] + box["width"] * (across + 0.5) / nesting.columns,
            box["y"] + box["height"] * (down + 0.5) / nesting.rows,
        )
        expect(page.locator("#figure-cell_heat_map figcaption")).to_contain_text(one.name)
    assert chosen(page) == [one.name for one in pair]
    page.go_back()
    expect(page.locator("#pair-second")).to_have_value(before[1])
    assert chosen(page)[0] == pair[0].name
    page.go_back()
    expect(page.locator("#pair-first")).to_have_value(before[0])


def test_cells_are_found_by_words_and_by_the_id_of_a_run(page: Page, written: Written) -> None:
    opened(page, written)
    page.fill("#pair-first", "strong cosine naive bn_placement none adam")
    page.press("#pair-first", "Enter")
    assert chosen(page)[0] == "strong, cosine, naive, none, adam"
    cell = written.study.frame.iloc[7]
    page.fill("#pair-second", cell["cell"][:8])
    page.press("#pair-second", "Enter")
    assert chosen(page)[1].endswith(f"{cell['optimizer']}, replicate {cell['replicate']}")
    page.fill("#pair-second", "adam")
    page.press("#pair-second", "Enter")
    expect(page.locator("#pair-note")).to_contain_text("36 cells fit adam")
    page.fill("#pair-second", "<img src=x>")
    page.press("#pair-second", "Enter")
    expect(page.locator("#pair-note")).to_have_text("No cell fits <img src=x>.")


def test_two_runs_of_the_table_are_taken(page: Page, written: Written) -> None:
    opened(page, written)
    page.click("#pair-chosen")
    expect(page.locator("#pair-note")).to_contain_text("Choose two runs first")
    for place in (0, 3):
        page.locator("#runs tbody button").nth(place).click()
    page.click("#pair-chosen")
    frame = written.study.frame
    for name, place in zip(chosen(page), (0, 3), strict=True):
        assert name.endswith(f"replicate {frame['replicate'].iloc[place]}")
    assert row(page, "ended").count() == 1


def good(study: Study, low: float) -> list[str]:
    """Combinations with adam or without it, whose mean accuracy is at least so high."""
    means = study.frame.groupby(list(study.factors), observed=True)["test_accuracy"].mean()
    adam = means[means.index.get_level_values("optimizer") == "adam"]
    return [", ".join(one) for one in adam[adam >= low].sort_values(ascending=False).index]


def test_an_address_shows_ranges_and_what_lies_within(page: Page, written: Written) -> None:
    wanted = good(written.study, 0.7)
    view = {"f:optimizer": "adam|adam", "o:accuracy": "0.7|1", "outcome": "accuracy"}
    opened(page, written, address("parallel", **view))
    expect(page.locator("#parallel-count")).to_have_text(
        f"{len(wanted)} of 72 combinations selected."
    )
    assert page.locator("svg.parallel path.on").count() == len(wanted) > 0
    assert page.locator("svg.parallel path").count() == 72
    buttons = page.locator("#parallel-table tbody button")
    assert set(buttons.all_inner_texts()) <= set(wanted)
    buttons.first.click()
    assert chosen(page)[0] == buttons.first.inner_text()


def test_ranges_are_dragged_or_set_by_keyboard_and_let_go(page: Page, written: Written) -> None:
    opened(page, written)
    count = page.locator("#parallel-count")
    optimizer = page.locator("svg.parallel .hold").nth(4)
    optimizer.scroll_into_view_if_needed()
    box = optimizer.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.45, steps=4)
    page.mouse.up()
    expect(count).to_have_text("36 of 72 combinations selected.")
    assert "f%3Aoptimizer=adam%7Cadam" in page.url
    page.locator("#parallel-ranges summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("test accuracy (%), from").fill("70")
    page.keyboard.press("Tab")
    expect(count).to_have_text(f"{len(good(written.study, 0.7))} of 72 combinations selected.")
    page.go_back()
    expect(count).to_have_text("36 of 72 combinations selected.")
    page.click("#parallel-clear")
    expect(count).to_have_text("72 of 72 combinations selected.")
    assert page.get_by_label("optimizer, to").input_value() == "1"


def test_the_outcome_of_a_view_is_in_its_address(page: Page, written: Written) -> None:
    opened(page, written, address("parallel", outcome="seconds"))
    assert page.get_by_role("radio", name="training time").is_checked()
    expect(page.locator("#parallel-table thead")).to_contain_text("training time (s)")
    page.get_by_role("radio", name="test accuracy", exact=True).check()
    assert page.url.endswith("outcome=accuracy")
    page.go_back()
    expect(page.get_by_role("radio", name="training time")).to_be_checked()


@pytest.mark.parametrize(
    "view",
    [
        "#two-cells?first=%3Cimg%3E&second=toString&curve=toString&outcome=constructor",
        "#parallel?f:init=a|b&o:accuracy=x|y&f:optimizer=adam",
    ],
)
def test_an_address_that_names_nothing_is_no_harm(page: Page, written: Written, view: str) -> None:
    opened(page, written, view)
    assert all(name.count(", ") == 4 for name in chosen(page))
    expect(page.locator("#parallel-count")).to_have_text("72 of 72 combinations selected.")
    assert page.locator("#explore img").count() == 0


def test_open_panes_can_be_used_by_everybody_at_any_width(
    page: Page, written: Written, pair: tuple[Side, Side]
) -> None:
    view = address("two-cells", first=pair[0].name, second=pair[1].name)
    page.set_viewport_size({"width": 390, "height": 900})
    opened(page, written, view)
    page.locator("#parallel-ranges summary").click()
    page.get_by_label("optimizer, to").wait_for()
    for width in (390, 800):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    found: dict[str, Any] = Axe().run(page, context="#explore").response
    grave = ("serious", "critical")
    assert [one["id"] for one in found["violations"] if one["impact"] in grave] == []
