"""optuna-dashboard, the real one, on a store as it is."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from runner.content.outcome import Reason
from runner.optuna_mirror.mirror import Mirror, artifact_store, optuna_storage
from runner.store import Store, StudyInfo, open_store
from tests.store_contract.grids import LEASE, OPTIMIZERS, outcome, planned


def filled(store: Store) -> StudyInfo:
    study = planned(store, 6)
    for order in range(5):
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        if order == 0:
            store.fail(lease, Reason.BUG, "ValueError: <b>bold</b>")
        elif order < 4:
            store.finish(lease, outcome(accuracy=0.5 + order / 16))
    with Mirror(store, study) as mirror:
        assert mirror.sync() == 5
    return study


def look(address: str) -> dict[str, Any]:
    """What the page of the only study reads over HTTP."""
    (listed,) = get(f"{address}/api/studies")["study_summaries"]
    study: dict[str, Any] = get(f"{address}/api/studies/{listed['study_id']}?after=0")
    return {"name": listed["study_name"], **study}


def get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  loopback
        found: dict[str, Any] = json.load(answer)
        return found


def check(seen: dict[str, Any], study: StudyInfo) -> None:
    assert seen["name"] == study.name
    assert [trial["state"] for trial in seen["trials"]] == [
        "Fail",
        "Complete",
        "Complete",
        "Complete",
        "Running",
    ]
    assert [trial.get("values") for trial in seen["trials"]][1:4] == [[0.5625], [0.625], [0.6875]]
    complete = seen["trials"][3]
    params = {one["name"]: one["param_external_value"] for one in complete["params"]}
    assert params == {"optimizer": "adam", "scheduler": "plateau", "replicate": "0"}
    assert len(complete["intermediate_values"]) == 3
    space = {one["name"]: one["distribution"] for one in seen["union_search_space"]}
    labels = [choice["value"] for choice in space["optimizer"]["choices"]]
    assert sorted(labels) == sorted(OPTIMIZERS)
    assert sorted(space) == ["optimizer", "replicate", "scheduler"]


@pytest.mark.slow
def test_the_dashboards_own_command_opens_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = filled(store)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = Path(sys.executable).with_name("optuna-dashboard")
        dashboard = subprocess.Popen(
            [command, f"sqlite:///{path}", "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 60
            while not listens(port) and time.monotonic() < deadline:
                assert dashboard.poll() is None
                time.sleep(0.05)
            check(look(f"http://127.0.0.1:{port}"), study)
            lease = store.claim(study, "w", lease_seconds=LEASE)  # open dashboards lock nobody out
            assert lease is not None
            assert store.finish(lease, outcome())
        finally:
            dashboard.terminate()
            dashboard.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_the_cached_dashboard_reads_every_database(store: Store, tmp_path: Path) -> None:
    from optuna_dashboard import wsgi

    study = filled(store)
    application = wsgi(optuna_storage(store), artifact_store=artifact_store(tmp_path))
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            check(look(f"http://127.0.0.1:{server.server_port}"), study)
        finally:
            server.shutdown()
            thread.join()
    assert (tmp_path / "artifacts").is_dir()
