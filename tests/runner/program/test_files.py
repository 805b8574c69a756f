"""A file is the old one or the new one, and on the disk when that was asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.program.files import aside_of, replacing, sync, write_whole


def test_what_was_written_takes_the_files_place(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_whole(path, "ünï\n")
    write_whole(path, "new\n")
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("synced", [True, False])
def test_until_the_block_ends_the_old_file_is_there_whole(tmp_path: Path, synced: bool) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with replacing(path, synced=synced) as file:
        file.write(b"half")
        assert path.read_text() == "old"
        assert sorted(tmp_path.iterdir()) == sorted([path, aside_of(path)])
        file.write(b" and whole")
    assert path.read_text() == "half and whole"


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("synced", [True, False])
def test_a_synced_file_is_on_the_disk_before_its_name_and_its_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: bool
) -> None:
    path = tmp_path / "outcome.json"
    calls: list[str] = []

    def fsync(handle: int) -> None:
        where = Path(f"/proc/self/fd/{handle}").resolve()
        calls.append("folder" if where == tmp_path.resolve() else "file")
        if calls[-1] == "file":
            assert where.stat().st_size == 4, "synced before all of it was written"

    replace = Path.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", lambda one, to: (calls.append("name"), replace(one, to)))
    write_whole(path, "text", synced=synced)
    assert calls == (["file", "name", "folder"] if synced else ["name"])


def test_a_folder_and_a_file_can_be_synced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sync(tmp_path / "file")
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "none")
