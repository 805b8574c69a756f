"""Any two factors as a table in the page: right numbers, a view that can be sent, safe copies."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from scipy import stats

from tests.analysis.written import Written

READY = "html[data-ready=true]"


@pytest.fixture
def report(page: Page, written: Written) -> Page:
    """The finished report, what is copied kept in `copied`."""
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => "
        "{ window.copied = text; }}});"
    )
    page.goto(written.page.as_uri())
    page.wait_for_selector(READY)
    return page


def copied(page: Page, kind: str) -> str:
    page.click(f"[data-copy={kind}]")
    expect(page.locator("#pivot-copied")).to_have_text("Copied.")
    return str(page.evaluate("window.copied"))


def test_a_table_of_two_factors_has_means_and_intervals_of_the_runs(
    report: Page, written: Written
) -> None:
    report.select_option("#pivot-rows", "optimizer")
    report.select_option("#pivot-columns", "init")
    rows = list(csv.DictReader(io.StringIO(copied(report, "csv"))))
    frame = written.study.frame
    groups = frame.groupby(["optimizer", "init"], observed=True)["test_accuracy"]
    assert len(rows) == len(groups) == 4
    for row in rows:
        values = groups.get_group((row["optimizer"], row["init"])).to_numpy(float)
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        told = [float(row[name]) for name in ("mean", "low", "high", "n")]
        assert told == pytest.approx([values.mean(), low, high, len(values)], abs=2e-4)
    shown = report.locator("#pivot-table tbody td").first.inner_text()
    assert shown.startswith(f"{100 * float(rows[0]['mean']):.1f}")
    assert f"n = {rows[0]['n']}" in shown


def test_few_runs_have_students_own_quantile(report: Page) -> None:
    df = [1, 1.37, 2, 2.9, 3, 7.5, 30, 214, 1e5]
    told = report.evaluate("df => df.map(window.panes.student)", df)
    assert told == pytest.approx(stats.t.ppf(0.975, np.array(df)), rel=1e-4)


def test_shares_have_the_intervals_of_the_report(report: Page, written: Written) -> None:
    report.get_by_role("radio", name="runs that reached 60% validation accuracy").check()
    report.select_option("#pivot-columns", "")
    report.select_option("#pivot-rows", "init")
    rates = written.study.convergence().rates.query("factor == 'init'")
    rows = list(csv.DictReader(io.StringIO(copied(report, "csv"))))
    for row, rate in zip(rows, rates.to_dict("records"), strict=True):
        assert [float(row[one]) for one in ("mean", "low", "high")] == pytest.approx(
            [rate["rate"], rate["low"], rate["high"]], abs=1e-4
        )


def test_a_view_can_be_sent_by_its_address(report: Page, written: Written) -> None:
    report.get_by_role("radio", name="runs that reached 60% validation accuracy").check()
    report.select_option("#pivot-rows", "optimizer")
    report.select_option("#pivot-columns", "bn_placement")
    caption = report.locator("#pivot-table caption").inner_text()
    assert "optimizer and bn_placement" in caption
    context: BrowserContext = report.context
    other = context.new_page()
    other.goto(report.url)
    other.wait_for_selector(READY)
    expect(other.locator("#pivot-table caption")).to_have_text(caption)
    assert other.locator("#pivot-rows").input_value() == "optimizer"
    assert -2 <= other.locator("#pivot").evaluate("one => one.getBoundingClientRect().top") <= 60
    other.close()


def test_an_address_that_names_nothing_is_no_harm(page: Page, written: Written) -> None:
    page.goto(written.page.as_uri() + "#pivot?rows=%3Cimg%3E&columns=toString&outcome=toString")
    page.wait_for_selector(READY)
    assert page.locator("#pivot-table tbody tr").count() == 2
    assert page.locator("#pivot-table img").count() == 0


def test_the_same_factor_twice_changes_places(report: Page) -> None:
    before = (
        report.locator("#pivot-rows").input_value(),
        report.locator("#pivot-columns").input_value(),
    )
    report.select_option("#pivot-rows", before[1])
    after = (
        report.locator("#pivot-rows").input_value(),
        report.locator("#pivot-columns").input_value(),
    )
    assert after == before[::-1]


def test_copies_are_tables_and_names_stay_text(report: Page) -> None:
    report.select_option("#pivot-rows", "optimizer")
    report.select_option("#pivot-columns", "bn_placement")
    latex = copied(report, "latex")
    assert latex.startswith("\\begin{tabular}{lrrr}\n")
    assert "sgd\\_momentum & " in latex
    assert "bn\\_placement" in latex
    assert latex.count("\\\\\n") == 3
    markdown = copied(report, "markdown").splitlines()
    assert {line.count("|") for line in markdown} == {5}
    assert markdown[-1].startswith("| sgd\\_momentum |")
