"""Three hosts on one machine: network namespaces, PostgreSQL between them, one cable pulled.

Skipped where the test may not make namespaces (not root, no iproute2).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.store.database.connections import IDLE_SECONDS
from tests.faults.harness import PATIENCE, Bench, finish, specification, wait_until
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(600)]

NETWORK = "10.77.31"
HOSTS = ("one", "two", "three")


def ip(*words: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if check and done.returncode:
        pytest.skip(f"NOT TESTED: ip {' '.join(words)}: {done.stderr.strip()}")


@pytest.fixture
def hosts() -> Iterator[tuple[str, ...]]:
    """Three namespaces on one bridge; the bridge's own address is the database's host."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("NOT TESTED: network namespaces need root and iproute2")
    tag = f"ab{os.getpid() % 10000}"
    bridge = f"{tag}br"
    names = tuple(f"{tag}{host}" for host in HOSTS)
    try:
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{NETWORK}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for number, name in enumerate(names, start=2):
            ip("netns", "add", name)
            ip("link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"{name}v", "master", bridge, "up")
            ip("-n", name, "addr", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            ip("netns", "delete", name, check=False)
            ip("link", "delete", f"{name}v", check=False)
        ip("link", "delete", bridge, check=False)


@pytest.fixture
def shared_bench(tmp_path: Path, hosts: tuple[str, ...]) -> Iterator[Bench]:
    """A bench on a PostgreSQL that the three hosts reach over their network."""
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    server = PostgresServer(folder, settings=(f"listen_addresses=127.0.0.1,{NETWORK}.1",))
    with (folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {NETWORK}.0/24 scram-sha-256\n")
    server.start()
    bench = Bench(tmp_path, server.url().replace("127.0.0.1", f"{NETWORK}.1"))
    yield bench
    bench.close()
    server.stop()
    shutil.rmtree(folder)


@pytest.mark.long
def test_a_host_cut_off_mid_cell_loses_only_its_lease_and_helps_again(
    shared_bench: Bench, hosts: tuple[str, ...], tmp_path: Path
):
    bench = shared_bench
    go, announced = tmp_path / "go", tmp_path / "announced"
    announced.mkdir()
    waits = {"waits": {"until": str(go), "announce": str(announced)}}
    file = specification(
        tmp_path, factors={"init": [waits, "he"], "optimizer": ["adam", "sgd"]}, replicates=2
    )
    lease = {"ABLATIONS_LEASE_SECONDS": "6"}
    in_host = ("netns", "exec")
    workers = {}

    def start(host: str, *arguments: object) -> subprocess.Popen[str]:
        folder = tmp_path / host
        return bench.program(
            "-m", "runner", *arguments, "--slots-per-device", 1, "--devices", "cpu",
            prefix=("ip", *in_host, host, sys.executable),
            ABLATIONS_RESULTS=str(folder), **lease,
        )  # fmt: skip

    workers[hosts[0]] = start(hosts[0], "grid", file, "--no-report")
    wait_until(lambda: len(list(announced.iterdir())) >= 1)
    for host in hosts[1:]:
        workers[host] = start(host, "work", "faults", "--stay")
    wait_until(lambda: len(list(announced.iterdir())) >= 3)  # all three train a waiting cell
    cut = hosts[1]

    def of_cut() -> list[dict[str, Any]]:
        name = f":{workers[cut].pid}"
        return [a for a in bench.attempts() if a["worker"].endswith(name)]

    ip("link", "set", f"{cut}v", "down")
    # Cut within a transaction it keeps its rows locked for `IDLE_SECONDS` beside the lease.
    wait_until(lambda: any(a["state"] == "lost" for a in of_cut()), PATIENCE + IDLE_SECONDS)
    lost = next(a for a in of_cut() if a["state"] == "lost")
    ip("link", "set", f"{cut}v", "up")
    # Its beat is refused, so it gives the cell up and takes another.
    wait_until(lambda: any(a["started"] > lost["ended"] for a in of_cut()))
    go.touch()
    for host, process in workers.items():
        code, output = finish(process, 240)
        assert code == 0, f"{host}: {output}"
    bench.assert_exact(8)
    attempts = bench.attempts()
    assert [a["state"] for a in attempts if a["cell"] == lost["cell"]] == ["lost", "complete"]
    assert {a["worker"] for a in attempts if a["state"] == "complete"} >= {lost["worker"]}
    code, output = finish(start(hosts[0], "grid", file, "--no-report"))
    assert code == 0, output
    assert bench.attempts() == attempts
