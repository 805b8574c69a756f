"""A grid that really trains, looked at in dashboard and report while it runs and when it is done.

    ABLATIONS_PICTURES=docs/pictures python -m pytest tests/analysis/test_people_look.py

trains a larger grid, worth looking at, and photographs the pages: the README's pictures.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import analysis
from tests.faults.harness import Bench, finish, specification, wait_until

PICTURES = os.environ.get("ABLATIONS_PICTURES")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if PICTURES else 600)]
PATIENCE = 3000 if PICTURES else 300  # seconds for the grid
COLOURS = 128
"""Of a picture: a page is text and lines, and the repository keeps every version."""

SMALL = {
    "data": {"name": "digits", "limit": 300},
    "train": {"epochs": 12, "batch_size": 50, "target": 0.5},
    "factors": {"init": ["he", "naive"], "bn_placement": ["none", "before"]},
    "fixed": {"augmentation": "none", "scheduler": "constant", "optimizer": "adam"},
    "replicates": 5,
}
SHOWN = {
    "data": {"name": "digits", "limit": 1000},
    "train": {"epochs": 6, "batch_size": 64, "target": 0.9},
    "factors": {
        "init": ["he", "naive"],
        "bn_placement": ["none", "before", "after"],
        "optimizer": ["adam", {"sgd_momentum": {"lr": 0.1}}],
    },
    "fixed": {"augmentation": "none", "scheduler": "cosine"},
    "replicates": 3,
}
CLAIMS = ["bn_placement: before > none", "init: he > naive"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _photograph(page: Page, name: str) -> None:
    """Keep what the window shows, in few colours, where pictures are wanted."""
    if PICTURES:
        path = Path(PICTURES) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(BytesIO(page.screenshot())) as whole:
            few = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(path, optimize=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh store and results folder; whatever was started ends with the test."""
    made = Bench(tmp_path, f"sqlite:///{tmp_path}/ablations.db")
    yield made
    made.close()


def _complete(bench: Bench) -> int:
    if not (bench.folder / "ablations.db").exists():
        return 0
    studies = bench.store().studies()
    return bench.store().status(studies[0]).complete if studies else 0


def _shown_now(page: Page) -> tuple[int, list[float]]:
    """Runs counted by the dashboard's progress panel and marginal means in its main effects.

    Read at one moment from the page's own Plotly.
    """
    title, values = page.evaluate(
        """() => {
          const panels = [...document.querySelectorAll('.js-plotly-plot')];
          const titled = p => (p.layout.title && p.layout.title.text) || '';
          const one = start => panels.find(p => titled(p).startsWith(start));
          const means = one('Main effects').data.flatMap(t => Array.from(t.y));
          return [titled(one('Progress: ')), means];
        }"""
    )
    return int(title.split()[1]), values


def _means_after(bench: Bench, name: str, done: int) -> list[float]:
    """What effects.json would say after the first `done` runs that ended."""
    study = analysis.load(name, bench.storage)
    assert study.attempt_rows is not None
    complete = study.attempt_rows[study.attempt_rows["state"] == "complete"]
    first = complete.sort_values("ended")["cell"].iloc[:done]
    frame = study.frame[study.frame["cell"].isin(first)]
    part = analysis.from_frame(frame, list(study.factors), study.response, study.block)
    return _means(part.document())


def _means(document: dict[str, Any]) -> list[float]:
    """Marginal means of all levels in percent, from effects.json."""
    rows = document["marginal_means"]["shown"]
    return [row["mean"] * 100 for row in rows if ":" not in row["term"]]


def _drawn(page: Page) -> list[float]:
    """The same from the report's chart."""
    found: list[float] = page.evaluate(
        "document.getElementById('effects-chart').data.filter(t => t.mode === 'lines+markers')"
        ".flatMap(t => Array.from(t.y))"
    )
    return found


def _answered(page: Page) -> dict[str, tuple[str, str, list[float]]]:
    """Factor to its two levels, the difference and the interval's ends as the answer shows them."""
    found: dict[str, tuple[str, str, list[float]]] = {}
    heads = page.locator("#full thead tr").last.locator("th").all_inner_texts()
    for row in page.locator("#full tbody tr").all():
        cells = row.locator("td").all_inner_texts()
        shown = cells[heads.index("Difference")].replace("\N{MINUS SIGN}", "-")
        first, _, second = cells[heads.index("Difference") - 1].partition(" over ")
        numbers = [float(one) for one in re.findall(r"[+-]?\d+\.\d+", shown)]
        found[row.locator("th").inner_text()] = (first, second, numbers)
    return found


def _stored(document: dict[str, Any], factor: str, first: str, second: str) -> list[float]:
    """The same difference, in percentage points, from effects.json."""
    for row in document["contrasts"]:
        if row["factor"] == factor and set(row["levels"]) == {first, second}:
            one = row["shown"]
            ends = [one["estimate"] * 100, one["low"] * 100, one["high"] * 100]
            turned = [-ends[0], -ends[2], -ends[1]]
            return ends if row["levels"] == [first, second] else turned
    raise AssertionError(f"effects.json has no {first} against {second} of {factor}")


def _open_report(page: Page, folder: Path) -> dict[str, Any]:
    """Open the report in a folder; returns its effects.json."""
    page.goto((folder / "report.html").as_uri())
    page.wait_for_selector("html[data-ready=true]")
    found: dict[str, Any] = json.loads((folder / "effects.json").read_text(encoding="utf-8"))
    return found


def test_dashboard_and_report_tell_the_same_while_and_after(
    bench: Bench, tmp_path: Path, page: Page
) -> None:
    grid_of = SHOWN if PICTURES else SMALL
    file = specification(
        tmp_path, name="looked_at", plugins=[], claims=CLAIMS, model={"width": 0.125}, **grid_of
    )
    port = _free_port()
    grid = bench.start("grid", file)
    wait_until(lambda: _complete(bench) >= 9, PATIENCE)
    study = bench.store().studies()[0]
    total = bench.store().status(study).planned
    if PICTURES:
        wait_until(lambda: _complete(bench) >= total * 2 // 3, PATIENCE)

    # While it runs: the report says what is missing and shows the numbers of its effects.json ...
    bench.start("dashboard", "--port", port, "--token", "looked_at")
    partial = bench.program(
        "-m", "analysis", "report", study.name, "--partial", "--out", tmp_path / "p"
    )
    code, output = finish(partial, PATIENCE)
    assert code == 0, output
    page.set_viewport_size({"width": 1280, "height": 800})
    document = _open_report(page, tmp_path / "p")
    expect(page.locator(".banner")).to_contain_text("Partial results.")
    assert _drawn(page) == pytest.approx(_means(document), abs=1e-3)

    # ... and the dashboard shows progress and effects.
    url = f"http://127.0.0.1:{port}/dashboard/studies/1"
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.goto(f"{url}?token=looked_at", timeout=120_000)
    expect(page).to_have_url(url)  # without the token
    expect(page.get_by_text("Progress:").first).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Main effects: mean test accuracy").first).to_be_visible()
    done, shown = _shown_now(page)
    assert done >= 9
    assert shown == pytest.approx(_means_after(bench, study.name, done), abs=1e-3)

    # When it is done: the same estimates in dashboard, report and effects.json.
    code, output = finish(grid, PATIENCE)
    assert code == 0, output
    assert "To decide it" in output
    folder = bench.results / study.name
    document = _open_report(page, folder)
    means = _means(document)
    expect(page.locator(".banner")).to_have_count(0)
    assert _drawn(page) == pytest.approx(means, abs=1e-3)
    answered = _answered(page)
    assert set(answered) == set(document["factors"])
    for factor, (first, second, numbers) in answered.items():
        assert len(numbers) == 3, "a difference and its interval"
        stored = _stored(document, factor, first, second)
        assert numbers == pytest.approx(stored, abs=0.0501)
    page.goto(url, timeout=120_000)
    expect(page.get_by_text(f"{total} of {total} runs have an outcome").first).to_be_visible(
        timeout=150_000
    )
    done, shown = _shown_now(page)
    assert done == total
    assert shown == pytest.approx(means, abs=1e-3)
    # Below the page's own bar, down to the last label of the panels.
    page.set_viewport_size({"width": 1400, "height": 1100})
    page.get_by_text("Progress:").first.evaluate(
        "title => { title.scrollIntoView({block: 'start'}); window.scrollBy(0, -110) }"
    )
    _photograph(page, "dashboard")

    # From the dashboard to a cell's curve ...
    page.get_by_role("link", name="Trials (List)").click()
    page.get_by_text("Trial 0", exact=True).first.click()
    picture = page.get_by_role("img", name="learning curve")
    expect(picture).to_be_visible(timeout=60_000)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    _photograph(page, "dashboard-trial")

    # ... and from the report to one.
    page.set_viewport_size({"width": 1280, "height": 1150})
    _open_report(page, folder)
    _photograph(page, "report")
    page.set_viewport_size({"width": 1280, "height": 960})
    page.locator("#runs tbody button").first.click()
    expect(page.locator("#curve-note")).to_contain_text("1 curve shown")
    page.locator("#explore").evaluate(
        "explore => explore.scrollIntoView({block: 'start', behavior: 'instant'})"
    )
    _photograph(page, "report-explore")
