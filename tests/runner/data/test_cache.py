"""The cache: made once, by whoever comes first, and made again when damaged."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from runner.data.cache import cached
from runner.data.images import DataError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a cache\nwith 'odd' name"
    monkeypatch.setenv("ABLATIONS_CACHE", str(folder))
    return folder


class Source:
    """Arrays, and how often they were asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"numbers": np.arange(100_000), "names": np.array(["a", "bc"])}


def test_arrays_are_made_once_and_mapped(folder: Path):
    source = Source()
    first, second = cached("key", source), cached("key", source)
    assert source.calls == 1
    assert np.array_equal(second["numbers"], np.arange(100_000))
    assert second["names"].tolist() == ["a", "bc"]
    assert isinstance(first["numbers"], np.memmap)
    first["numbers"][0] = 7  # copy on write: nobody else sees it
    assert cached("key", source)["numbers"][0] == 0


@pytest.mark.parametrize(
    "damage",
    ["truncated", "flipped", "missing", "empty", "no about", "empty about", "list", "less about"],
)
def test_a_damaged_entry_is_made_again(folder: Path, damage: str, caplog):
    source = Source()
    cached("key", source)
    file = folder / "key" / "numbers.npy"
    content = file.read_bytes()
    if damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif damage == "missing":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        about = folder / "key" / "about.json"
        whole = json.loads(about.read_text())
        less = json.dumps({"names": whole["names"]})
        texts = {"no about": "{", "empty about": "{}", "list": "[]", "less about": less}
        about.write_text(texts[damage])
    assert np.array_equal(cached("key", source)["numbers"], np.arange(100_000))
    assert source.calls == 2
    assert "making it again" in caplog.text


def test_bytes_that_rotted_under_an_unchanged_time_are_found_where_asked(folder: Path, caplog):
    source = Source()
    cached("key", source)
    file = folder / "key" / "numbers.npy"
    status, content = file.stat(), bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert np.array_equal(cached("key", source, verify=True)["numbers"], np.arange(100_000))
    assert source.calls == 2
    assert "numbers.npy is not what was written" in caplog.text


def test_a_file_where_an_entry_belongs_gives_way(folder: Path):
    source = Source()
    folder.mkdir()
    (folder / "key").write_text("")
    assert np.array_equal(cached("key", source)["numbers"], np.arange(100_000))


def test_a_copied_entry_with_other_times_is_checked_and_accepted(folder: Path):
    source = Source()
    cached("key", source)
    os.utime(folder / "key" / "numbers.npy", ns=(1, 1))
    cached("key", source)
    assert source.calls == 1


def test_an_interrupted_write_leaves_no_entry_and_is_cleaned_up(folder: Path):
    def dies() -> dict[str, np.ndarray]:
        return {"good": np.zeros(3), "bad": np.array([object()])}  # cannot be written

    with pytest.raises(ValueError, match=r"[Oo]bject"):
        cached("key", dies)
    assert not list(folder.glob("key.partial-*"))
    killed = folder / "key.partial-1234"
    killed.mkdir()
    cached("key", Source())
    assert not killed.exists()
    assert (folder / "key" / "about.json").exists()


def test_two_processes_at_once_make_it_once(folder: Path, tmp_path: Path):
    script = (
        "import sys, os, numpy as np\n"
        "from runner.data.cache import cached\n"
        "def build():\n"
        "    with open(sys.argv[1], 'a') as file:\n"
        "        file.write('made\\n')\n"
        "    return {'numbers': np.arange(3_000_000)}\n"
        "sys.stdin.readline()\n"  # both start at once
        "print(int(cached('key', build)['numbers'].sum()))\n"
    )
    trace = tmp_path / "trace"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(trace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate()[0].strip() for process in processes}
    assert answers == {str(sum(range(3_000_000)))}
    assert trace.read_text() == "made\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ABLATIONS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="ABLATIONS_CACHE"):
        cached("key", Source())


@pytest.mark.parametrize(
    ("mask", "folders", "files"), [(0o022, 0o755, 0o644), (0o002, 0o775, 0o664)]
)
def test_an_entry_may_be_read_by_whom_the_umask_lets(
    folder: Path, mask: int, folders: int, files: int
):
    before = os.umask(mask)
    try:
        cached("key", Source())
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "key").stat().st_mode) == folders
    for one in (folder / "key").iterdir():
        assert stat.S_IMODE(one.stat().st_mode) == files


SECOND_USER = """
import os, sys
import numpy, filelock
from runner.data.cache import cached, holds
from runner.data.images import DataError
os.umask(int(sys.argv[1], 8))
assert len(cached("key", lambda: {"numbers": numpy.arange(4)})["numbers"]) == 4
os.seteuid(65534)
try:
    print(holds("key"), cached("key", dict)["numbers"].sum())
except DataError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(
    ("mask", "answer"), [("022", "True 6"), ("077", "cannot read the decoded images in")]
)
def test_a_second_user_reads_the_entry_or_is_told_which_folder_to_name(mask: str, answer: str):
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:
        os.chmod(shared, 0o1777)  # noqa: S103  pytest's own folders are closed to others
        said = subprocess.run(
            [sys.executable, "-c", SECOND_USER, mask],
            env={**os.environ, "ABLATIONS_CACHE": shared},
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        ).stdout
    assert said.startswith(answer)
    assert "ABLATIONS_CACHE" in said or mask == "022"
