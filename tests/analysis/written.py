"""Reports of simulated studies, each written once for all tests that look at it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis.report import write_report
from analysis.report.press import Press
from analysis.study import Study
from runner.store import open_store
from tests.analysis.report.simulated import simulate
from tests.once import once


@dataclass(frozen=True)
class Written:
    """A report on disk and where it came from."""

    folder: Path
    url: str
    study: Study

    @property
    def page(self) -> Path:
        return self.folder / "report.html"

    @property
    def html(self) -> str:
        return self.page.read_text(encoding="utf-8")

    @property
    def body(self) -> str:
        """The page without its scripts, which hold a library's own markup."""
        return re.sub(r"<script.*?</script>", "", self.html, flags=re.DOTALL)

    @property
    def effects(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "effects.json").read_text("utf-8"))
        return found


def _opened(folder: Path) -> Written:
    """What `folder` holds: a store with one study, and its report."""
    url = f"sqlite:///{folder / 'store.db'}"
    with open_store(url) as store:
        (info,) = store.studies()
    return Written(folder / "results", url, analysis.load(info.name, url))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """216 finished cells: some reached the target, some fell short, stalled, diverged."""

    def make(folder: Path) -> None:
        url, info = simulate(folder, seed=1, overrides=["train.epochs=8", "train.target=0.6"])
        with Press(1) as press:
            write_report(analysis.load(info.name, url), folder / "results", press=press)

    return _opened(once(tmp_path_factory, "written", make))


@pytest.fixture(scope="session")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A study of 16 cells that still runs: one wave and a bit, two cells failed."""
    settings = [
        "train.epochs=3", "replicates=2", "factors.scheduler=[constant, cosine]",
        "factors.bn_placement=[none, before]", "claims=[]",
    ]  # fmt: skip

    def make(folder: Path) -> None:
        url, info = simulate(folder, overrides=settings, finished=0.7, failing=2)
        write_report(info.name, folder / "results", partial=True, storage=url)

    return _opened(once(tmp_path_factory, "partial", make))
