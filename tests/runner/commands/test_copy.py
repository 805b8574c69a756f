"""`copy`: what it says of a study taken along, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands import main
from runner.store import open_store
from tests.store_contract.grids import LEASE, design, outcome, register


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with a study of 20 cells, one of them complete."""
    url = f"sqlite:///{tmp_path}/store.db"
    with open_store(url, create=True) as store:
        study = register(store)
        store.plan(study, design())
        lease = store.claim(study, "worker", lease_seconds=LEASE)
        assert lease is not None
        store.finish(lease, outcome())
    return url


def test_it_says_what_went_where_and_how_to_go_on(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "kept.db"
    assert main(["copy", "grid", "--storage", address, "--to", str(target)]) == 0
    told = capsys.readouterr().out
    assert f"grid-cpu-a1b2c3 copied to {target}: 20 cells, 1 of them complete" in told
    assert "goes on with the rest" in told
    assert main(["status", "grid", "--storage", str(target)]) == 0
    assert "19 waiting, 1 complete" in capsys.readouterr().out


def test_the_same_store_and_a_study_that_is_there_are_refused(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "kept.db")
    for to, sentence in (
        (address, "is the store that holds grid-cpu-a1b2c3 already"),
        (target, ""),
        (target, "has a study 'grid-cpu-a1b2c3' already"),
    ):
        code = main(["copy", "grid", "--storage", address, "--to", to])
        told = capsys.readouterr()
        assert code == (2 if sentence else 0)
        assert sentence in told.err
        assert len(told.err.splitlines()) == bool(sentence)
