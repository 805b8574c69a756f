"""The page's two parts: each figure once, links that land, nothing cut, everything printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import analysis
from analysis.report import write_report
from tests.analysis.report.simulated import simulate, specification
from tests.analysis.written import Written

READY = "html[data-ready=true]"
TOP = "element => element.getBoundingClientRect().top"


def test_the_answer_has_few_figures_and_each_figure_stands_once(written: Written) -> None:
    first, rest = written.body.split('id="else"')
    names = re.findall(r'<figure id="figure-([^"]+)"', first)
    assert names == ["cell_heat_map", "chief_interaction", "main_effects", "convergence_rates"]
    others = re.findall(r'<figure id="figure-([^"]+)"', rest)
    assert len(others) >= 10
    assert len({*names, *others}) == len(names) + len(others)
    assert first.index('<div class="lead">') < first.index('<table class="brief')
    assert first.index('<table class="brief') < first.index('id="figure-cell_heat_map"')
    assert first.count("<p>", first.index('<div class="lead">'), first.index("</div>", first.index(
        '<div class="lead">'))) <= 3  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_every_link_of_the_contents_lands_at_the_first_click(
    browser: Browser, written: Written, width: int
) -> None:
    """Clicked as soon as the page can be used, while charts and pictures still wait."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(written.page.as_uri())
    links = page.locator("nav.contents a")
    wanted = [links.nth(n).get_attribute("href") or "" for n in range(links.count())]
    assert len(wanted) > 20
    for target in (wanted[-4], wanted[9], *wanted[::5]):
        page.locator(f'nav.contents a[href="{target}"]').click()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        top = page.locator(target).evaluate(TOP)
        end = page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2")
        assert -2 <= top <= 60 or (end and 0 <= top < 900), f"{target} at {top}"
    page.wait_for_selector(READY)
    assert page.locator(target).evaluate(TOP) == pytest.approx(top, abs=3), "nothing moved it"
    context.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a 2 x 2 grid."""
    folder = tmp_path_factory.mktemp("small")
    factors = {"init": ["he", "naive"], "optimizer": ["adam", "sgd_momentum"]}
    url, info = simulate(folder, specification(folder, factors, replicates=3))
    return write_report(analysis.load(info.name, url), folder / "results")


@pytest.mark.parametrize("shape", ["shipped", "2 x 2"])
def test_the_answer_is_a_screen_and_a_half(
    browser: Browser, written: Written, small: Path, shape: str
) -> None:
    """Of 1440 x 900, with everything above it and no figure left out of view."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto((written.page if shape == "shipped" else small).as_uri())
    bottom = "one => one.getBoundingClientRect().bottom + scrollY"
    assert page.locator("#answer").evaluate(bottom) <= 1.5 * 900
    figures = page.locator("#answer figure")
    assert figures.count() >= 3
    for place in range(figures.count()):
        box = figures.nth(place).locator("svg").bounding_box()
        assert box is not None
        assert box["width"] >= 250
        assert box["height"] >= 100
    context.close()


def test_the_answer_has_one_unit(written: Written) -> None:
    first = written.body.split('id="else"')[0]
    table = first[first.index('<table class="brief') : first.index("</table>")]
    assert ">Points [95% interval]<" in table
    assert not re.findall(r"\d(?: pp|%)\s*<", table)


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_is_cut_on_a_phone_or_a_tablet(page: Page, written: Written, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """width => [...document.querySelectorAll("main :is(p, td, th, li, h2, h3, figcaption)")]
          .filter(one => !one.closest(".scroll") || one.closest("table.brief"))
          .filter(one => one.getBoundingClientRect().right > width + 1)
          .map(one => one.textContent.slice(0, 60))""",
        width,
    )
    assert cut == []


def test_a_picture_of_the_whole_page_and_a_print_have_every_figure(
    page: Page, written: Written
) -> None:
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    lazy = """() => [...document.querySelectorAll(".picture")]
      .map(one => getComputedStyle(one).contentVisibility)"""
    assert set(page.evaluate(lazy)) == {"visible"}
    page.emulate_media(media="print")
    page.evaluate("document.documentElement.removeAttribute('data-ready')")
    assert set(page.evaluate(lazy)) == {"visible"}


def test_printing_draws_what_waits(browser: Browser, written: Written) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script("window.requestIdleCallback = () => 0")  # nothing is drawn ahead
    page.goto(written.page.as_uri())
    expect(page.locator("#effects-chart .main-svg")).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#effects-chart .main-svg").count() > 0
    expect(page.locator(READY)).to_have_count(1)
    context.close()


def test_a_picture_has_its_height_before_it_is_laid_out(page: Page, written: Written) -> None:
    page.goto(written.page.as_uri())
    measure = "() => [...document.querySelectorAll('.picture')].map(one => one.offsetHeight)"
    before = page.evaluate(measure)
    page.wait_for_selector(READY)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate(measure) == before
    assert min(before) > 50
