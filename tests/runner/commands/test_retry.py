"""What `retry` says of the cells it puts back and of those it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands import main
from runner.content.outcome import Reason
from runner.store import open_store
from tests.store_contract.grids import LEASE, design, register


def test_where_nothing_matches_it_names_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"sqlite:///{tmp_path}/store.db"
    with open_store(address, create=True) as store:
        study = register(store)
        store.plan(study, design())
        for reason in (Reason.BUG, Reason.DATA, Reason.BUG):
            lease = store.claim(study, "worker", lease_seconds=LEASE)
            assert lease is not None
            store.fail(lease, reason, "it broke", retry=False)
    told = []
    for reason in ("oom", "data", "bug", "bug"):
        assert main(["retry", study.name, "--storage", address, "--reason", reason]) == 0
        told.append(capsys.readouterr().out.strip())
    assert told[0] == f"0 cells of {study.name} wait again; what failed: 2 bug, 1 data"
    assert told[1].startswith(f"1 cell of {study.name} waits again: `python -m runner work")
    assert told[2].startswith(f"2 cells of {study.name} wait again: ")
    assert told[3] == f"0 cells of {study.name} wait again"
