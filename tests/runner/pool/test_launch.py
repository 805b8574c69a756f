"""A cell process seen from outside: what goes in, what comes out, what is left behind."""

from __future__ import annotations

import os
import platform
import resource
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import pytest

from ablations import registry
from ablations.errors import InputError
from runner.content.outcome import Reason, Status
from runner.data import load
from runner.machine.device import Slot
from runner.pool.process.child import CellJob, _answer_of, _read_through
from runner.pool.process.launch import (
    CellProcess,
    NoProcess,
    _context,
    prepare_images,
    start_fork_server,
)
from tests.runner.cells import make_cell

LEVELS = str(Path(__file__).parents[2] / "faults" / "levels.py")
CPU = Slot("cpu/0", "cpu", "cpu")


@pytest.fixture(scope="module", autouse=True)
def fork_server():
    start_fork_server()


def job(folder: Path, cell, token="token") -> CellJob:  # noqa: S107  a fence, no secret
    return CellJob(cell.to_json(), token, str(folder), str(folder / f"{token}.log"), CPU.device)


def run(process, one, stop=None, on_epoch=lambda epoch: None, taken_away=lambda: False):
    return process.train(
        one, on_epoch=on_epoch, taken_away=taken_away, stop=stop or threading.Event()
    )


def test_an_outcome_comes_back_with_every_epoch_on_the_way(tmp_path):
    epochs = []
    process = CellProcess(CPU)
    ended = run(process, job(tmp_path, make_cell()), on_epoch=epochs.append)
    assert ended.outcome is not None
    assert ended.outcome.status in (Status.LEARNED, Status.STALLED)
    assert tuple(epochs) == ended.outcome.curve
    assert not process.reusable, "on the CPU a process trains one cell"


def test_the_same_cell_gives_the_same_bits_alone_and_after_another(tmp_path):
    """The process on CUDA trains many cells; what ran before must not show."""
    alone = run(CellProcess(CPU), job(tmp_path, make_cell(), "alone")).outcome
    many = CellProcess(CPU)
    many._one_cell = False  # as on a CUDA slot
    run(many, job(tmp_path, make_cell(optimizer="sgd", bn_placement="none"), "first"))
    assert many.reusable
    second = run(many, job(tmp_path, make_cell(), "second")).outcome
    many.close()
    keep = ("test_loss", "test_accuracy", "best_validation_accuracy")
    assert [getattr(alone, k) for k in keep] == [getattr(second, k) for k in keep]
    assert [e.train_loss for e in alone.curve] == [e.train_loss for e in second.curve]


@pytest.mark.parametrize(
    ("level", "reason"),
    [("fails_on_device", Reason.CUDA), ("lacks_device_memory", Reason.OOM)],
)
def test_a_process_whose_device_failed_ends_and_trains_nothing_more(tmp_path, level, reason):
    """The level raises what torch raises: a poisoned context would fail every later cell too."""
    registry.load_plugins((LEVELS,))
    many = CellProcess(CPU)
    many._one_cell = False  # as on a CUDA slot
    ended = run(many, job(tmp_path, make_cell(init=level, plugins=(LEVELS,))))
    assert ended.outcome is not None
    assert ended.outcome.reason is reason
    assert not many.reusable
    assert not psutil.pid_exists(many._process.pid)


def test_a_stopped_run_ends_the_process_at_once(tmp_path):
    stop = threading.Event()
    process = CellProcess(CPU)
    ended = run(
        process,
        job(tmp_path, make_cell(train={"epochs": 500})),
        stop=stop,
        on_epoch=lambda epoch: stop.set(),
    )
    assert ended.reason is Reason.INTERRUPTED
    assert not psutil.pid_exists(process._process.pid)


def test_a_lost_lease_ends_the_process(tmp_path):
    seen = []
    ended = run(
        CellProcess(CPU),
        job(tmp_path, make_cell(train={"epochs": 500})),
        on_epoch=seen.append,
        taken_away=lambda: bool(seen),
    )
    assert ended.reason is Reason.LOST


def test_processes_a_level_has_started_end_with_the_cell(tmp_path):
    plugin = tmp_path / "starts.py"
    pid = tmp_path / "pid"
    plugin.write_text(
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from ablations.registry import level\n"
        "@level('init')\n"
        "def starts_a_process(layer, draw):\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    Path({str(pid)!r}).write_text(str(child.pid))\n"
        "    raise RuntimeError('and leaves it behind')\n"
    )
    from ablations.registry import load_plugins

    load_plugins((str(plugin),))
    ended = run(
        CellProcess(CPU), job(tmp_path, make_cell(init="starts_a_process", plugins=(str(plugin),)))
    )
    assert ended.outcome is not None
    assert ended.outcome.reason is Reason.BUG
    child = int(pid.read_text())
    _gone, alive = psutil.wait_procs(
        [psutil.Process(child)] if psutil.pid_exists(child) else [], 10
    )
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def test_what_a_cell_prints_is_in_its_log(tmp_path):
    from ablations.registry import load_plugins

    load_plugins((LEVELS,))
    ended = run(CellProcess(CPU), job(tmp_path, make_cell(init="lacks_memory", plugins=(LEVELS,))))
    assert ended.outcome is not None
    assert ended.outcome.reason is Reason.OOM
    assert "no 4 GiB block left" in (tmp_path / "token.log").read_text()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ImportError: libtorch_cpu.so: failed to map segment from shared object", Reason.OOM),
        ("terminate called after throwing an instance of 'std::bad_alloc'", Reason.OOM),
        ("ImportError: no module of that name", Reason.BUG),
    ],
)
def test_a_process_that_ended_without_an_outcome_is_told_by_its_last_words(tmp_path, said, reason):
    process = CellProcess(CPU)
    process._channel.close()  # it ends by itself, as one does that cannot begin
    process._process.join()
    (tmp_path / "token.log").write_text(f"Traceback ...\n{said}\n\n")
    ended = run(process, job(tmp_path, make_cell()))
    assert ended.reason is reason
    assert said in ended.detail


def test_images_that_cannot_be_had_are_one_sentence(tmp_path):
    cell = make_cell(data={"name": "image_folder", "root": str(tmp_path / "nowhere")})
    with pytest.raises(InputError, match="nowhere"):
        prepare_images(cell)


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("failed to map segment from shared object")]
)
def test_memory_that_lacks_for_the_images_is_not_the_users_mistake(error):
    def reading():
        raise error

    answer = _answer_of(reading)
    assert answer.startswith("there is too little memory to read the data set: ")


def test_images_that_can_be_had_are_read():
    assert prepare_images(make_cell()) is None


def test_images_that_rotted_on_the_disk_are_made_again_before_a_cell_trains(image_cache):
    """By what the reader of a session's images runs in its own process."""
    cell = make_cell(data={"limit": 110})  # an entry that no other test has mapped
    _read_through(cell.to_json())
    sound = np.array(load(cell.data).train_images)
    (file,) = image_cache.glob("digits-*-110-*/train_images.npy")
    status, content = file.stat(), bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not np.array_equal(load(cell.data).train_images, sound)
    _read_through(cell.to_json())
    assert np.array_equal(load(cell.data).train_images, sound)


def test_an_idle_process_ends_when_it_is_closed():
    process = CellProcess(CPU)
    pid = process._process.pid
    assert pid is not None
    assert psutil.pid_exists(pid)
    process.close()
    assert process._process.exitcode is not None
    assert os.getpid() != pid


def test_closing_again_kills_nobody_who_has_the_number_by_then(monkeypatch):
    process = CellProcess(CPU)
    process.close()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("a group was killed"))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a process was killed"))
    process.close()


def test_a_process_is_started_although_the_fork_server_is_killed_meanwhile(tmp_path):
    server = psutil.Process(forkserver._forkserver._forkserver_pid)
    server.suspend()  # it takes the request and answers no more
    with ThreadPoolExecutor() as pool:
        started = pool.submit(CellProcess, CPU)
        with pytest.raises(TimeoutError):
            started.result(timeout=0.5)
        server.kill()
        process = started.result(timeout=60)
    assert run(process, job(tmp_path, make_cell())).outcome is not None
    assert forkserver._forkserver._forkserver_pid != server.pid


def test_images_are_read_although_the_fork_server_is_killed_meanwhile():
    server = psutil.Process(forkserver._forkserver._forkserver_pid)
    server.suspend()
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(prepare_images, make_cell())
        with pytest.raises(TimeoutError):
            reading.result(timeout=0.5)
        server.kill()
        assert reading.result(timeout=60) is None


def test_where_no_process_can_be_started_that_is_said(monkeypatch):
    def refuse(self):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(type(_context.Process()), "start", refuse)
    with pytest.raises(NoProcess, match=r"no process can be started here .*unavailable"):
        CellProcess(CPU)


def test_a_process_whose_parent_has_ended_already_ends_at_once():
    """Between its start and the request to the kernel nobody would notice."""
    check = (
        "from runner.pool.process.parent_death import die_with_parent; "
        "die_with_parent({}); print('lives')"
    )
    orphan = [sys.executable, "-c", check.format(1)]
    ended = subprocess.run(orphan, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")
    child = [sys.executable, "-c", check.format(os.getpid())]
    assert subprocess.run(child, capture_output=True, text=True, check=True).stdout == "lives\n"


def faults_of_a_second_buffer(channel: Connection) -> None:
    """Page faults while memory that was freed is taken again; more than malloc's own threshold."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        buffer = b"x" * (48 << 20)
        del buffer
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    channel.send(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the tunables are glibc's")
def test_memory_that_a_step_frees_is_there_for_the_next():
    ours, theirs = _context.Pipe()
    process = _context.Process(target=faults_of_a_second_buffer, args=(theirs,))
    process.start()
    faults = ours.recv()
    process.join()
    assert faults < 100, "48 MiB given back and mapped anew would be 12,288 pages"
