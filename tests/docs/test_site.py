"""The site builds without a warning, and nothing on it points into the void."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

from ablations.registry import FACTORS, OPTIONAL
from docs._generate.levels import shipped
from docs._generate.yaml_keys import sections
from runner.entry.ablate import every_verb
from tests.docs.pages import ROOT

pytestmark = pytest.mark.long

HAND_WRITTEN = ("docs/index.html", "docs/tutorial.html", "docs/how-to/*.html", "docs/[lrt]*.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = [
        "-q",
        "-W",
        "--keep-going",
        "-c",
        "docs",
        "-d",
        f"{folder}/trees",
        ".",
        f"{folder}/html",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, BeautifulSoup]:
    found = {file: BeautifulSoup(file.read_text(), "html.parser") for file in site.rglob("*.html")}
    assert len(found) > 80
    return found


def test_every_internal_link_resolves(site, pages):
    anchors = {file: {one["id"] for one in page.select("[id]")} for file, page in pages.items()}
    for file, page in pages.items():
        if file.name in ("genindex.html", "search.html"):
            continue
        for link in page.select("a[href], img[src]"):
            path, fragment = urldefrag(unquote(link.get("href") or link["src"]))
            if "://" in path or path.startswith(("mailto:", "data:")):
                continue
            target = (file.parent / path).resolve() if path else file
            where = f"{file.relative_to(site)} -> {path}#{fragment}"
            assert target.is_file(), where
            if fragment and target in anchors:
                assert fragment in anchors[target], where


def test_every_key_option_and_name_that_a_page_mentions_is_a_link(site, pages):
    written = {file for pattern in HAND_WRITTEN for file in site.glob(pattern)}
    assert len(written) > 15
    mentioned = 0
    for file in written:
        for one in pages[file].select("code.xref"):
            mentioned += 1
            assert one.find_parent("a"), f"{file.relative_to(site)}: {one.get_text()}"
    assert mentioned > 30


def test_the_front_page_leads_to_every_page(site, pages):
    front = (site / "docs" / "index.html").resolve()
    seen, todo = {front}, [front]
    by_path = {file.resolve(): page for file, page in pages.items()}
    while todo:
        file = todo.pop()
        for link in by_path[file].select("a[href]"):
            target = (file.parent / unquote(urldefrag(link["href"])[0])).resolve()
            if target in by_path and target not in seen:
                seen.add(target)
                todo.append(target)
    left = {str(file.relative_to(site.resolve())) for file in set(by_path) - seen}
    assert left == {"index.html", "genindex.html", "search.html"}


def test_any_key_level_and_verb_is_two_clicks_from_the_front_page(site, pages):
    """The first on its page in the navigation, the second on its name."""
    front = site / "docs" / "index.html"
    offered = {
        (front.parent / unquote(urldefrag(link["href"])[0])).resolve()
        for link in pages[front].select(".sidebar-tree a[href]")
    }
    reference = site / "docs" / "reference"
    verbs = {reference / "running.html", reference / "answering.html"}
    found: Counter[str] = Counter()
    for file, page in pages.items():
        wanted = {
            kind: {one["id"] for one in page.select(f"dl.{kind} > dt[id]")}
            for kind in ("confval", "level")
        }
        wanted["verb"] = (
            {one["id"] for one in page.select("section > section[id]")} if file in verbs else set()
        )
        links = {unquote(one["href"])[1:] for one in page.select('a.reference[href^="#"]')}
        for kind, ids in wanted.items():
            assert not ids or file.resolve() in offered, file.relative_to(site)
            assert not ids - links, f"{file.relative_to(site)}: no link to {ids - links}"
            found[kind] += len(ids)
    keys = sum(len(section.keys) for section in sections())
    names = sum(len(shipped(factor)) for factor in (*FACTORS, *OPTIONAL))
    assert found == {"confval": keys, "level": names, "verb": len(every_verb())}
