"""What one cell costs the store in processor time and statements, with nobody else in the way.

One process claims and finishes cells with curves of 30 epochs, one after the other, then beats for
16 of them, and mirrors trials. Processor time is counted, not waiting: of this process, and of all
processes of the PostgreSQL server, so that a busy machine changes the result little.

    python -m tests.benchmarks.store_cost
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
from sqlalchemy import event

from runner.optuna_mirror.mirror import Mirror
from runner.pool.worker import LEASE_SECONDS
from runner.store import Lease, Store, open_store
from tests.benchmarks.store_scale import PROVENANCE, cells, fresh, outcome, register

CELLS = 200
HELD = 16  # by one coordinator
WARM = 20


class Meter:
    """Processor seconds and statements of what is run through it."""

    def __init__(self, store: Store, url: str) -> None:
        self.server = None if store.address.is_sqlite else _server(store)
        self.statements = 0
        self.rows: list[dict[str, Any]] = []
        event.listen(store.database.engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    def measure(self, what: str, n: int, call: Callable[[], object]) -> None:
        """Run `call`, which does `n` of something, and keep what one of them cost."""
        statements, server, client = self.statements, self._server_seconds(), time.process_time()
        call()
        client = time.process_time() - client
        self.rows.append(
            {
                "what": what,
                "statements": (self.statements - statements) / n,
                "client_ms": 1000 * client / n,
                "server_ms": 1000 * (self._server_seconds() - server) / n,
            }
        )

    def _server_seconds(self) -> float:
        if self.server is None:
            return 0.0
        total = 0.0
        for process in (self.server, *self.server.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
            if process == self.server:  # and of those that have ended
                total += times.children_user + times.children_system
        return total


def _server(store: Store) -> psutil.Process:
    """The server's first process, parent of the one that serves us."""
    pid = store.database.read(lambda c: c.exec_driver_sql("SELECT pg_backend_pid()").scalar())
    found = psutil.Process(int(str(pid))).parent()
    if found is None:
        raise RuntimeError("the server has no first process")
    return found


def cost(database: str, n: int = CELLS) -> list[dict[str, Any]]:
    """One row a kind of work: statements, and milliseconds of processor time here and there."""
    with fresh(database) as url, open_store(url, create=True) as store:
        store.plan(register(store, 2 * n + WARM), cells(2 * n + WARM))
        study = store.studies()[0]

        def claim() -> Lease:
            found = store.claim(
                study, "node", lease_seconds=LEASE_SECONDS, slot="gpu", provenance=PROVENANCE
            )
            if found is None:
                raise RuntimeError("nothing to claim")
            return found

        told = outcome(1.0)
        for _ in range(WARM):  # statements compiled, pages warm
            store.finish(claim(), told)
        meter = Meter(store, url)
        held: list[Lease] = []
        meter.measure("claim", n, lambda: held.extend(claim() for _ in range(n)))
        meter.measure("beat for 16", n, lambda: [store.beat(held[:HELD]) for _ in range(n)])
        meter.measure("reconcile", n // 4, lambda: [store.reconcile(study) for _ in range(n // 4)])
        with Mirror(store, study) as mirror:
            mirror.sync()  # widens the parameters, makes the study
            for one in held[: n // 2]:
                store.finish(one, told)
            mirror.sync()
            more = [claim() for _ in range(n)]
            meter.measure("trial made", n, mirror.sync)
            meter.measure("finish", n, lambda: [store.finish(one, told) for one in more])
            meter.measure("trial told", n, mirror.sync)
            meter.measure("nothing to mirror", n, lambda: [mirror.sync() for _ in range(n)])
    return meter.rows


def table(costs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "| database | what | statements | ms here | ms of the server |",
        "|---|---|--:|--:|--:|",
    ]
    for database, rows in costs.items():
        for row in rows:
            server = "" if database == "sqlite" else f"{row['server_ms']:.1f}"
            lines.append(
                f"| {database} | {row['what']} | {row['statements']:.1f} | "
                f"{row['client_ms']:.1f} | {server} |"
            )
    return lines


if __name__ == "__main__":
    print("\n".join(table({one: cost(one) for one in sys.argv[1:] or ("sqlite", "postgresql")})))
