"""The site builds without a warning, and nothing on it points into the void."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

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
