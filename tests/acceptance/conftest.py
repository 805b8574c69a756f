"""A finished study, trained once for all tests of the commands; the program as a wheel has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.commands import main
from tests.acceptance.installed import build, install
from tests.browser import browser, page
from tests.faults.harness import specification
from tests.once import once

__all__ = ["browser", "page"]


@dataclass(frozen=True)
class Finished:
    """A store with one finished study, and where its files are."""

    file: Path
    results: Path
    name: str


def _use(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let commands work on the store and the results of this folder."""
    patch.setenv("ABLATIONS_STORAGE", f"sqlite:///{folder}/ablations.db")
    patch.setenv("ABLATIONS_RESULTS", str(folder / "results"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Twelve cells of digits that have been run, with their report."""

    def make(folder: Path) -> None:
        file = specification(
            folder,
            name="finished",
            model={"width": 0.125},
            train={"epochs": 3, "batch_size": 50, "target": 0.5},
            data={"name": "digits", "limit": 300},
            factors={"init": ["he", "naive"], "bn_placement": ["none", "before"]},
            fixed={"augmentation": "none", "scheduler": "constant", "optimizer": "adam"},
            claims=["bn_placement: before > none", "init: he > naive | bn_placement = none"],
            replicates=3,
        )
        with pytest.MonkeyPatch.context() as patch:
            _use(folder, patch)
            assert main(["grid", str(file)]) == 0

    folder = once(tmp_path_factory, "finished", make)
    results = folder / "results"
    (name,) = [path.name for path in results.iterdir() if path.name.startswith("finished-")]
    return Finished(folder / "faults.yaml", results, name)


@pytest.fixture
def finished(trained: Finished, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """The finished study, and every command of this one test works on its store."""
    _use(trained.results.parent, monkeypatch)
    return trained


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    (file,) = once(tmp_path_factory, "wheel", build).glob("*.whl")
    return file


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """`ablate` of an environment that has the wheel, and the libraries of this one."""
    return install(tmp_path_factory.mktemp("environment"), wheel)
