"""A password with `{`, `%`, `@`, `'` and `/` never leaves through a log, a message or a pickle.

Every test on PostgreSQL connects with such a password; these look at what could show it.
"""

from __future__ import annotations

import logging
import pickle
import signal
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import optuna
import pytest

from ablations.errors import InputError
from runner.content.outcome import Reason
from runner.content.outcome_files import write_outcome
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.store import Store, StoreUnavailable, open_store
from runner.store.database.address import resolve_address
from tests.postgres import PASSWORD, PostgresServer
from tests.store_contract.grids import LEASE, outcome, planned

FORMS = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), repr(PASSWORD)[1:-1])


def shows(text: str) -> bool:
    return any(form in text for form in FORMS)


@pytest.fixture
def everything_said(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All loggers at DEBUG, those that set a level of their own too."""
    loud = (
        "sqlalchemy",
        "sqlalchemy.engine",
        "sqlalchemy.pool",
        "psycopg",
        "psycopg.pool",
        "alembic",
        "optuna",
        "runner",
        "filelock",
    )
    before = {name: logging.getLogger(name).level for name in loud}
    for name in loud:
        logging.getLogger(name).setLevel(logging.DEBUG)
    optuna.logging.enable_propagation()
    with caplog.at_level(logging.DEBUG):
        yield caplog
    optuna.logging.disable_propagation()
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_a_whole_life_of_a_store_says_no_password(
    postgres_server: PostgresServer,
    postgres_url: str,
    everything_said: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    said: list[str] = []
    with open_store(postgres_url, create=True) as store:
        study = planned(store)
        said += [repr(store), str(store.address), repr(store.address), repr(store.database.engine)]
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        store.finish(lease, outcome())
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        store.fail(lease, Reason.BUG, "x")
        with Mirror(store, study) as mirror:
            assert mirror.sync() == 2
            said += [repr(vars(mirror)), repr(vars(mirror._storage)), mirror._storage.url]
            said.append(str(pickle.dumps(mirror._storage.url)))
        said.append(repr(load_study(store, study)))
        said += [repr(store.runs(study)), repr(store.attempts(study)), repr(store.studies())]
    postgres_server.stop(signal.SIGQUIT)
    try:
        hasty = Store(resolve_address(postgres_url), write_patience=0.2, read_patience=0.2)
        for action in (hasty.studies, lambda: hasty.retry(study)):
            with pytest.raises(StoreUnavailable) as error:
                action()
            said.append("".join(traceback.format_exception(error.value)))
        hasty.close()
    finally:
        postgres_server.start()
    for wrong in (
        postgres_url.replace("postgresql://", "mysql://"),
        postgres_url.replace("postgresql://", "postgres//:"),
        postgres_url + "_not_there",
        postgres_url.replace(str(postgres_server.port), "port"),
        postgres_url.replace(quote(PASSWORD, safe=""), PASSWORD),  # not written as an address
    ):
        with pytest.raises(InputError) as refused:
            open_store(wrong, create=True)
        said.append("".join(traceback.format_exception(refused.value)))
    shown = [text for text in said if shows(text)]
    assert shown == []
    assert len(everything_said.records) > 100  # loggers were loud indeed
    assert not shows(everything_said.text)
    captured = capfd.readouterr()
    assert not shows(captured.out + captured.err)


def test_a_pickled_store_leaves_its_password_at_home(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(postgres_url, create=True) as store:
        study = planned(store)
        carried = pickle.dumps((store, study))
    assert not any(form.encode() in carried for form in FORMS)
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    with pytest.raises(InputError, match="set ABLATIONS_STORAGE to its full address") as refused:
        pickle.loads(carried)  # noqa: S301  made above
    assert not shows(str(refused.value))
    monkeypatch.setenv("ABLATIONS_STORAGE", postgres_url.replace("/t", "/other_t"))
    with pytest.raises(InputError, match="set ABLATIONS_STORAGE"):
        pickle.loads(carried)  # noqa: S301  made above
    monkeypatch.setenv("ABLATIONS_STORAGE", postgres_url)
    arrived, study = pickle.loads(carried)  # noqa: S301  made above
    with arrived:
        assert arrived.claim(study, "far away", lease_seconds=LEASE) is not None


def test_a_pickled_sqlite_store_needs_nothing(tmp_path: object) -> None:
    with open_store(f"{tmp_path}/store.db", create=True) as store:
        study = planned(store)
        carried = pickle.dumps(store)
    with pickle.loads(carried) as arrived:  # noqa: S301  made above
        assert arrived.status(study).planned == 20


def test_an_outcome_file_holds_no_address(tmp_path: object, postgres_url: str) -> None:
    from pathlib import Path

    with open_store(postgres_url, create=True) as store:
        lease = store.claim(planned(store), "w", lease_seconds=LEASE)
        assert lease is not None
        path = write_outcome(Path(str(tmp_path)), lease.cell.id, lease.token, outcome())
    assert not shows(path.read_text())
    assert "postgresql" not in path.read_text()
