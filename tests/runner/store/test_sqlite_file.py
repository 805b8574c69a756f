"""A store's file that is deleted, replaced or kept from growing while a run uses it."""

import errno
import resource
import shutil
import sqlite3
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.content.outcome_files import write_outcome
from runner.optuna_mirror.mirror import Mirror
from runner.store import StoreFull, StoreGone, open_store
from runner.store.database.sqlite_file.room import no_room
from tests.store_contract.grids import LEASE, outcome, planned


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s?tore.db"  # which a URL would end at "?"


def delete(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def test_a_deleted_store_is_noticed_at_once_and_its_outcomes_come_back(path, tmp_path):
    attempts = tmp_path / "attempts"
    attempts.mkdir()
    with open_store(str(path), create=True) as store:
        study = planned(store)
        told, untold = (store.claim(study, "w", lease_seconds=LEASE) for _ in range(2))
        store.finish(told, outcome())
        delete(path)
        write_outcome(attempts, untold.cell.id, untold.token, outcome())
        for use in (
            lambda: store.claim(study, "w", lease_seconds=LEASE),
            lambda: store.beat([untold]),
            lambda: store.finish(untold, outcome()),
            lambda: store.status(study),
        ):
            with pytest.raises(StoreGone, match=rf"the store .*{path.name[2:]} was deleted while"):
                use()
        assert not path.exists(), "no empty file took its place"
        assert store.keep_aside() == (
            f"all it held is kept in {path}.kept, and the next `grid` goes on with that"
        )
    with pytest.raises(InputError, match=r"there is no store .*\.kept is what a run kept"):
        open_store(str(path))
    with open_store(str(path), create=True) as store:
        store.reconcile(study, attempts)
        assert store.status(study).complete == 2, "one was told, one lay in its file"
        assert len(store.curves(study)["epoch"]) == 2 * len(outcome().curve)
    assert sorted(file.name for file in path.parent.glob("*.kept*")) == []


def test_a_store_deleted_with_its_folder_comes_back_too(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    path = folder / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        store.finish(store.claim(study, "w", lease_seconds=LEASE), outcome())
        shutil.rmtree(folder)
        with pytest.raises(StoreGone, match="was deleted"):
            store.status(study)
        assert "the next `grid` goes on with that" in store.keep_aside()
    with open_store(str(path), create=True) as store:
        assert store.status(study).complete == 1


def test_a_file_that_takes_the_stores_place_is_neither_used_nor_overwritten(path):
    with open_store(str(path), create=True) as store:
        study = planned(store)
        lease = store.claim(study, "w", lease_seconds=LEASE)
        store.finish(lease, outcome())
        delete(path)
        open_store(str(path), create=True).close()
        with pytest.raises(StoreGone, match="was replaced by another file"):
            store.status(study)
        where = store.keep_aside()
    kept = next(path.parent.glob("*.kept-*"))
    assert where == f"all it held is kept in {kept}: to go on with that, move it to {path}"
    with open_store(str(path)) as other:
        assert other.studies() == []
    with open_store(str(kept)) as back:
        assert back.status(study).complete == 1


def test_the_log_of_a_deleted_store_is_no_part_of_the_next_one(path, tmp_path):
    with open_store(str(path), create=True) as store:
        planned(store)
        shutil.copy(f"{path}-wal", tmp_path / "log")
    path.unlink()
    shutil.copy(tmp_path / "log", f"{path}-wal")
    with open_store(str(path), create=True) as store:
        assert store.studies() == []
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.fixture
def short_files():
    """Files of this process cannot grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_kept_is_said(path, short_files):
    with open_store(str(path), create=True) as store:
        planned(store)
        delete(path)
        short_files(4096)
        assert store.keep_aside().startswith("what it held could not be kept: ")
    assert not list(path.parent.glob("*.kept*"))


SAID = r"no space left for the store .*: a limit on the size of files is reached \(`ulimit -f`"


def test_a_limit_on_the_size_of_files_is_said_and_not_waited_for(path, short_files):
    with open_store(str(path), create=True) as store:
        planned(store)
        short_files(path.stat().st_size + 20_000)
        with pytest.raises(StoreFull, match=SAID):
            planned(store, 2000, "other-cpu-a1b2c3")


def test_it_is_said_of_optunas_tables_too(path, short_files):
    with open_store(str(path), create=True) as store:
        study = planned(store)
        short_files(path.with_name(f"{path.name}-wal").stat().st_size + 20_000)
        with pytest.raises(StoreFull, match=SAID):
            Mirror(store, study)


def test_a_quota_is_named_as_what_it_is(path, monkeypatch):
    def write(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    assert no_room(path) is None
    monkeypatch.setattr("os.pwrite", write)
    assert no_room(path) == "the disk quota of this user is used up"
