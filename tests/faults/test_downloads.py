"""Fault matrix, row I5: downloads that break off, lie, are killed, or begin twice at once."""

from __future__ import annotations

import gzip
import http.server
import io
import json
import struct
import tarfile
import threading
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest

from runner.content.protocol import DataSpec
from runner.data.sources import READERS
from tests.faults.harness import Bench, finish, specification, wait_until
from tests.runner.data.test_loading import cifar_archive

pytestmark = [pytest.mark.fault, pytest.mark.slow]

PLUGIN = Path(__file__).with_name("mirror_of_cifar10.py")
NAME = "cifar-10-python.tar.gz"


class Mirror:
    """A server of one archive, which can break off in the middle or wait there."""

    def __init__(self, archive: bytes) -> None:
        self.archive = archive
        self.breaks_off = False
        self.sent = 0  # whole downloads begun; torchvision asks for redirects first
        self.go_on = threading.Event()
        self.go_on.set()
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                whole = mirror.archive
                self.send_response(200)
                self.send_header("Content-Length", str(len(whole)))
                self.end_headers()
                if self.headers.get("Method") == "HEAD":  # a redirect is looked for
                    return
                mirror.sent += 1
                self.wfile.write(whole[: len(whole) // 2])
                self.wfile.flush()
                mirror.go_on.wait(60)
                if not mirror.breaks_off:
                    self.wfile.write(whole[len(whole) // 2 :])

            def log_message(self, *_: object) -> None:
                """Quiet."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that was killed is what some tests want."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def environment(self, **more: str) -> dict[str, str]:
        """What a run needs to take this mirror for CIFAR-10's home."""
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as opened:
            sums = {
                Path(entry.name).name: _md5(opened.extractfile(entry).read())
                for entry in opened.getmembers()
            }
        attributes = {
            "url": f"http://127.0.0.1:{self.server.server_port}/{NAME}",
            "tgz_md5": _md5(self.archive),
            "train_list": [[f"data_batch_{n}", sums[f"data_batch_{n}"]] for n in range(1, 6)],
            "test_list": [["test_batch", sums["test_batch"]]],
            "meta": {
                "filename": "batches.meta",
                "key": "label_names",
                "md5": sums["batches.meta"],
            },
        }
        return {"FAULT_MIRROR": json.dumps(attributes), **more}

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def _md5(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    running = Mirror(cifar_archive())
    yield running
    running.close()


def of_cifar10(folder: Path, root: Path) -> Path:
    return specification(
        folder,
        plugins=[str(PLUGIN)],
        data={"name": "cifar10", "root": str(root), "limit": None, "validation": 0.25},
        train={"batch_size": 10},
        replicates=1,
    )


def assert_whole(root: Path) -> None:
    """The archive and nothing half-written."""
    found = {path.name for path in root.rglob("*") if path.is_file()}
    batches = {f"data_batch_{n}" for n in range(1, 6)} | {"test_batch", "batches.meta"}
    assert found - {".download.lock"} == {NAME, *batches}


@pytest.mark.long
def test_i5_two_runs_at_once_download_once(bench: Bench, tmp_path, mirror):
    """Two launchers that share nothing but the folder of the images and the store."""
    root = tmp_path / "images"
    file = of_cifar10(tmp_path, root)
    mirror.go_on.clear()
    runs = [
        bench.grid(file, **mirror.environment(ABLATIONS_CACHE=str(tmp_path / f"cache {number}")))
        for number in (1, 2)
    ]
    wait_until(lambda: mirror.sent >= 1)
    wait_until(lambda: len(list(tmp_path.glob("cache */*.lock"))) == 2)  # both are about to load
    mirror.go_on.set()
    ended = [finish(run) for run in runs]
    assert [code for code, _ in ended] == [0, 0], ended
    assert mirror.sent == 1
    assert_whole(root)
    bench.assert_exact(4)


@pytest.mark.long
@pytest.mark.parametrize("fault", ["breaks off", "wrong content"])
def test_i5_a_bad_download_is_one_sentence_and_the_next_run_gets_it(
    bench: Bench, tmp_path, mirror, fault
):
    root = tmp_path / "images"
    file = of_cifar10(tmp_path, root)
    environment = mirror.environment(ABLATIONS_CACHE=str(tmp_path / "cache"))
    right = mirror.archive
    if fault == "breaks off":
        mirror.breaks_off = True
    else:
        mirror.archive = right[:-100] + bytes(100)
    code, output = bench.run("grid", file, "--no-report", **environment)
    assert code == 2, output
    assert "Traceback" not in output
    assert "cannot get cifar10" in output
    assert str(root) in output
    assert not list(tmp_path.glob("*.db*")), "nothing was planned before its images were there"
    mirror.breaks_off, mirror.archive = False, right
    code, output = bench.run("grid", file, "--no-report", **environment)
    assert code == 0, output
    assert_whole(root)
    bench.assert_exact(4)


@pytest.mark.long
def test_i5_a_run_killed_in_its_download_leaves_nothing_in_the_way(bench: Bench, tmp_path, mirror):
    root = tmp_path / "images"
    file = of_cifar10(tmp_path, root)
    environment = mirror.environment(ABLATIONS_CACHE=str(tmp_path / "cache"))
    mirror.go_on.clear()
    run = bench.grid(file, **environment)
    wait_until(lambda: mirror.sent == 1)
    run.kill()
    run.wait()
    bench.assert_no_orphans()
    mirror.go_on.set()
    code, output = bench.run("grid", file, "--no-report", **environment)
    assert code == 0, output
    assert_whole(root)
    bench.assert_exact(4)


@pytest.mark.long
def test_i5_an_archive_that_somebody_put_there_needs_no_network(bench: Bench, tmp_path, mirror):
    root = tmp_path / "images"
    root.mkdir()
    (root / NAME).write_bytes(mirror.archive)
    environment = mirror.environment(ABLATIONS_CACHE=str(tmp_path / "cache"))
    code, output = bench.run("grid", of_cifar10(tmp_path, root), "--no-report", **environment)
    assert code == 0, output
    assert mirror.sent == 0
    bench.assert_exact(4)


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the format of MNIST's files."""
    shape = struct.pack(f">{array.ndim}i", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_i5_a_half_unpacked_file_is_unpacked_again(tmp_path, monkeypatch, share):
    """Killed while it unpacked: torchvision looks only whether FashionMNIST's files are there."""
    import torchvision.datasets

    draw = np.random.RandomState(0)
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    resources = []
    for part, count in (("train", 40), ("t10k", 20)):
        for kind, content in (
            ("images-idx3", draw.randint(0, 256, (count, 28, 28)).astype(np.uint8)),
            ("labels-idx1", (np.arange(count) % 10).astype(np.uint8)),
        ):
            name = f"{part}-{kind}-ubyte"
            packed = gzip.compress(idx(content))
            (raw / f"{name}.gz").write_bytes(packed)
            (raw / name).write_bytes(idx(content))
            resources.append((f"{name}.gz", _md5(packed)))
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    half = raw / "t10k-images-idx3-ubyte"
    whole = half.read_bytes()
    half.write_bytes(whole[: int(len(whole) * share)])
    images = READERS["fashion_mnist"](DataSpec(name="fashion_mnist", root=str(tmp_path)))
    assert images.test_images.shape == (20, 3, 32, 32)
    assert half.read_bytes() == whole


def test_i5_a_read_only_folder_that_holds_the_images_is_enough(tmp_path, mirror, monkeypatch):
    """No lock can be made there, and nothing is to be downloaded."""
    import torchvision.datasets

    for name, value in json.loads(mirror.environment()["FAULT_MIRROR"]).items():
        monkeypatch.setattr(torchvision.datasets.CIFAR10, name, value)
    spec = DataSpec(name="cifar10", root=str(tmp_path / "images"))
    first = READERS["cifar10"](spec)
    lock = tmp_path / "images" / ".download.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # whoever we are, root too: no lock can be made
    again = READERS["cifar10"](spec)
    assert np.array_equal(first.train_images, again.train_images)
    assert mirror.sent == 1
