"""The report as a person uses it, in a real browser: read, switch, click, sort, print, tab."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.analysis.written import Written

READY = "html[data-ready=true]"


@pytest.fixture
def report(page: Page, written: Written) -> Page:
    """The finished report, its script done."""
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    return page


def _violations(page: Page) -> list[str]:
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def _drawn(page: Page, chart: str) -> list[dict[str, Any]]:
    """The traces Plotly holds for a chart."""
    drawn: list[dict[str, Any]] = page.evaluate(
        "id => document.getElementById(id).data.map(t => ({x: Array.from(t.x), y: Array.from(t.y), "
        "mode: t.mode, name: t.name, length: t.x.length}))",
        chart,
    )
    return drawn


def test_axe_finds_nothing_serious_in_light_and_dark(report: Page) -> None:
    assert _violations(report) == []
    report.click("#theme")
    expect(report.locator("html")).to_have_attribute("data-theme", "dark")
    assert _violations(report) == []


def test_axe_finds_nothing_serious_in_a_partial_report(page: Page, partial: Written) -> None:
    page.goto(partial.page.as_uri())
    page.wait_for_selector(READY)
    assert _violations(page) == []


def test_nothing_is_asked_of_the_network(page: Page, written: Written) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_chart_shows_the_means_of_effects_json(report: Page, written: Written) -> None:
    document = written.effects
    means = {
        (row["term"], row["levels"][row["term"]]): row["mean"]
        for row in document["marginal_means"]["shown"]
        if ":" not in row["term"]
    }
    lines = [trace for trace in _drawn(report, "effects-chart") if trace["mode"] == "lines+markers"]
    assert len(lines) == len(document["factors"])
    for trace, (factor, levels) in zip(lines, document["factors"].items(), strict=True):
        wanted = [means[factor, level] * 100 for level in levels]
        assert trace["y"] == pytest.approx(wanted, abs=1e-3)


def test_the_outcome_can_be_switched(report: Page, written: Written) -> None:
    rates = written.effects["convergence"]["rates"]
    report.get_by_role("radio", name="runs that reached 60% validation accuracy").check()
    lines = [trace for trace in _drawn(report, "effects-chart") if trace["mode"] == "lines+markers"]
    drawn = [value for trace in lines for value in trace["y"]]
    assert drawn == pytest.approx([row["rate"] * 100 for row in rates], abs=1e-3)
    expect(report.locator("#effects-note")).to_contain_text("Wilson")
    report.get_by_label("epochs to target").check()
    expect(report.locator("#effects-chart")).to_contain_text("epochs to target")


def test_a_click_on_a_dot_shows_the_curve_of_its_run(report: Page, written: Written) -> None:
    chart = report.locator("#effects-chart")
    chart.scroll_into_view_if_needed()
    dot = chart.locator(".scatterlayer .trace .points path").first
    box = dot.bounding_box()
    assert box is not None
    report.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    report.wait_for_selector("#effects-chart .hoverlayer .hovertext")
    hover = report.locator("#effects-chart .hoverlayer").text_content() or ""
    assert any(level in hover for level in written.study.factors["optimizer"])
    report.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(report.locator("#curve-note")).to_contain_text("1 curve shown")
    assert len(_drawn(report, "curve-chart")) == 1


def test_a_button_of_the_table_shows_the_curve_that_was_stored(
    report: Page, written: Written
) -> None:
    button = report.locator("#runs tbody button").nth(2)
    cell = button.inner_text()
    button.focus()
    report.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    rows = written.study.curve_rows
    assert rows is not None
    stored = rows[rows["cell"].str.startswith(cell)]["validation_accuracy"]
    assert _drawn(report, "curve-chart")[0]["y"] == pytest.approx(list(stored * 100), abs=0.06)
    report.get_by_label("training loss").check()
    losses = rows[rows["cell"].str.startswith(cell)]["train_loss"]
    assert _drawn(report, "curve-chart")[0]["y"] == pytest.approx(list(losses), abs=0.001)
    report.click("#clear")
    assert _drawn(report, "curve-chart") == []


def test_the_table_answers_before_any_chart_is_drawn(page: Page, written: Written) -> None:
    page.add_init_script(
        "window.IntersectionObserver = class { observe() {} unobserve() {} };"
        "window.requestIdleCallback = () => 0;"
    )
    page.goto(written.page.as_uri())
    page.wait_for_selector("html[data-usable=true]")
    page.fill("#filter", "adam")
    expect(page.locator("#filter-count")).to_have_text("108 of 216 runs")
    assert page.evaluate("typeof window.Plotly") == "undefined"
    page.locator("#runs tbody button").first.click()
    assert len(_drawn(page, "curve-chart")) == 1
    page.get_by_role("radio", name="runs that reached 60% validation accuracy").check()
    assert len(_drawn(page, "effects-chart")) == 2 * len(written.study.factors)


def test_the_table_sorts_and_filters(report: Page, written: Written) -> None:
    frame = written.study.frame
    diverged = int((frame["status"] == "diverged").sum())
    report.fill("#filter", "diverged")
    expect(report.locator("#filter-count")).to_have_text(f"{diverged} of 216 runs")
    expect(report.locator("#runs tbody tr")).to_have_count(min(diverged, 50))
    report.fill("#filter", "")
    head = report.locator("#runs thead th").filter(has_text=re.compile("^Test accuracy"))
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    place = report.locator("#runs thead th").all_inner_texts().index("Test accuracy (%)")
    first = report.locator("#runs tbody tr").first.locator("th, td").nth(place).inner_text()
    assert first == f"{frame['test_accuracy'].max() * 100:.1f}"
    expect(report.locator("#page")).to_have_text("Page 1 of 5")
    report.click("#next")
    expect(report.locator("#page")).to_have_text("Page 2 of 5")


def test_the_fixture_has_every_ending(written: Written) -> None:
    assert {"reached", "short", "stalled", "diverged"} <= set(
        written.study.frame["status"].astype(str)
    )


def test_the_filter_looks_at_what_can_be_seen(report: Page, written: Written) -> None:
    frame = written.study.frame
    for text, count in {
        "replicate 1": 72,
        "optimizer adam replicate 2": 36,
        "status stalled": int((frame["status"] == "stalled").sum()),
        "sgd": 108,
        "one_cycle": 72,
    }.items():
        report.fill("#filter", text)
        expect(report.locator("#filter-count")).to_have_text(f"{count} of 216 runs")
    cell = str(frame["cell"].iloc[0])
    report.fill("#filter", cell[:8])
    expect(report.locator("#filter-count")).to_have_text("1 of 216 runs")
    report.fill("#filter", cell[10:])  # digits that the page does not show
    expect(report.locator("#filter-count")).to_have_text("0 of 216 runs")


def test_a_printed_table_has_every_run(report: Page) -> None:
    rows = report.locator("#runs tbody tr")
    report.fill("#filter", "adam")
    expect(rows).to_have_count(50)
    report.emulate_media(media="print")
    expect(rows).to_have_count(216)
    expect(report.locator("#runs caption")).to_have_text("Every planned run")
    report.emulate_media(media="screen")
    expect(rows).to_have_count(50)


def test_means_count_finished_runs_and_promise_no_line_they_lack(
    page: Page, partial: Written
) -> None:
    page.goto(partial.page.as_uri())
    page.wait_for_selector(READY)
    said = page.evaluate(
        "document.getElementById('effects-chart').data.filter(t => t.mode === 'lines+markers')[0]"
        ".text.map(t => Number(/>(\\d+) runs?/.exec(t)[1]))"
    )
    assert sum(said) == int(partial.study.frame["test_accuracy"].notna().sum())
    page.get_by_label("test accuracy given that the target was reached").check()
    note = page.locator("#effects-note")
    expect(note).to_contain_text("over cells that reach 90% validation accuracy at every level")
    expect(note).not_to_contain_text("grand mean")
    expect(note).not_to_contain_text("none")


def test_the_keyboard_reaches_the_answer_first(report: Page) -> None:
    report.keyboard.press("Tab")
    expect(report.locator(":focus")).to_have_text("Skip to the answer")
    report.keyboard.press("Enter")
    expect(report).to_have_url(re.compile("#answer$"))


def test_without_scripts_everything_can_be_read(browser: Browser, written: Written) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written.page.as_uri())
    expect(page.locator("#explore")).to_be_hidden()
    expect(page.locator("#answer .lead")).to_be_visible()
    assert page.locator("#runs tbody tr").count() == 216
    assert page.locator("figure svg").count() >= 14
    expect(page.locator("#theme")).to_be_hidden()
    context.close()


def test_printed_it_keeps_figures_and_drops_controls(report: Page) -> None:
    report.emulate_media(media="print")
    expect(report.locator("#explore")).to_be_hidden()
    expect(report.locator("nav.contents")).to_be_hidden()
    expect(report.locator("#figure-main_effects svg")).to_be_visible()
    paper = report.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert len(report.pdf()) > 50_000


def test_no_part_of_the_page_is_wider_than_a_phone(page: Page, written: Written) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_data_in_the_page_are_the_outcomes(report: Page, written: Written) -> None:
    data = json.loads(report.locator("#data").inner_text())
    assert data["runs"]["accuracy"] == pytest.approx(
        written.study.frame["test_accuracy"].tolist(), abs=1e-4
    )
