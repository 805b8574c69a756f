"""Fault matrix, row X2: names that mean something to HTML, Markdown, SQL, LaTeX or a path."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser

import optuna
import pytest
import yaml

from runner.optuna_mirror.mirror import optuna_storage
from tests.faults.harness import specification

pytestmark = pytest.mark.fault

SCRIPT = "<script>alert(1)</script>"
SQL = "'); DROP TABLE cells; --"
PICTURE = "![x](http://127.0.0.1:9/x)<img src=x onerror=alert(1)>"
PATH = "../../$x_1$ & {{7*7}} | `a` [red]b[/red]"
FACTORS = {
    "optimizer": [{"as": SCRIPT, "sgd": {}}, {"as": SQL, "sgd": {"lr": 0.02}}],
    "init": [{"as": PICTURE, "he": {}}, {"as": PATH, "xavier": {}}],
}
LABELS = {"factor:optimizer": {SCRIPT, SQL}, "factor:init": {PICTURE, PATH}}


class Elements(HTMLParser):
    """Elements and attributes a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_no_markup_of_ours(text: str) -> None:
    """No element that only a name could have brought."""
    for tag, attributes in Elements(text).found:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert attributes.get("src") != "x"
        assert "127.0.0.1" not in str(attributes.get("src")) + str(attributes.get("href"))
    assert not re.search(r"<script[^>]*>\s*alert", text)


@pytest.mark.long
def test_x2_hostile_names_go_through_every_command_as_text(bench, tmp_path):
    file = specification(
        tmp_path,
        factors=FACTORS,
    )
    code, output = bench.run("grid", file)
    assert code == 0, output
    assert "Traceback" not in output
    bench.assert_exact(8)
    study = bench.store().studies()[0].name
    folder = bench.results / study

    page = (folder / "report.html").read_text("utf-8")
    assert_no_markup_of_ours(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    assert "49 | " not in page
    for drawing in folder.rglob("*.svg"):
        assert_no_markup_of_ours(drawing.read_text("utf-8"))
    markdown = [path.read_text("utf-8") for path in folder.rglob("*.md")]
    markdown += notes(bench, study)
    assert len(markdown) > 1
    for text in markdown:
        assert "<script" not in text
        assert "<img" not in text
        own = text.replace("![learning curve](/artifacts/", "")
        assert not re.search(r"(?<!\\)!\[", own), "a picture from elsewhere"
        assert not re.search(r"(?<!\\)\]\(http", text), "a link to elsewhere"
    for text in (path.read_text("utf-8") for path in folder.rglob("*.tex")):
        assert "$x_1$" not in text

    for to in ("csv", "parquet"):
        code, output = bench.run("export", study, "--to", to, "--out", tmp_path / "tables")
        assert code == 0, output
    with (tmp_path / "tables" / "cells.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    for name, labels in LABELS.items():
        assert {row[name] for row in rows} == labels

    code, output = bench.run("show", bench.runs()[0]["cell"], COLUMNS="200")
    assert code == 0, output
    shown = {run["factor:init"]: run["cell"] for run in bench.runs()}
    code, output = bench.run("show", shown[PATH], COLUMNS="200")
    assert PATH in output, "shown as written, not as the terminal's markup"
    assert bench.run("status", study)[0] == 0
    outside = [
        path for path in tmp_path.rglob("*")
        if path.is_file() and not path.is_relative_to(bench.results)
    ]  # fmt: skip
    assert {path.name.partition(".db")[0] for path in outside} <= {
        "ablations", "faults.yaml", "cells.csv", "curves.csv", "attempts.csv",
        "cells.parquet", "curves.parquet", "attempts.parquet", "specs.json",
    }  # fmt: skip


def notes(bench, study: str) -> list[str]:
    """The Markdown notes of the dashboard: the study's and its trials'."""
    storage = optuna_storage(bench.store())
    mirrored = optuna.load_study(study_name=study, storage=storage)
    attributes = storage.get_study_system_attrs(mirrored._study_id)
    found = [str(value) for key, value in attributes.items() if "note" in key]
    assert found, "the grid has written notes"
    return found


@pytest.mark.parametrize(
    "name", ["../escape", "..", "a/../../b", "/etc/x", "~/x", ".hidden", "a\x00b", "C:\\x", "x\n"]
)
def test_x2_a_study_name_that_is_a_path_is_refused(bench, tmp_path, name):
    file = specification(tmp_path)
    content = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**content, "name": name}))
    before = {path for path in tmp_path.rglob("*")}
    code, output = bench.run("grid", file)
    assert code == 2, output
    assert output.startswith("error: ")
    assert "Traceback" not in output
    assert {path for path in tmp_path.rglob("*")} == before, "nothing was written"


@pytest.mark.long
def test_x2_a_study_asked_for_by_a_path_is_not_found(bench, tmp_path):
    code, output = bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    assert code == 0, output
    for verb in ("status", "export", "work", "retry"):
        code, output = bench.run(verb, "../../etc/passwd")
        assert code == 2, output
        assert "no study" in output
        assert "Traceback" not in output
