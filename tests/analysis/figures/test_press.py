"""Figures saved by two processes are the files one process writes, and none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures import Drawing, press
from analysis.figures.press import Job, Press
from tests.analysis.figures import frames
from tests.analysis.figures.drawings import DRAWINGS

NAMES = ("forest", "pareto", "main_effects")


def _job(name: str, folder: Path) -> Job:
    runs = frames.grid(frames.FIVE)
    drawing = Drawing(name, "A title", DRAWINGS[name](frames.FIVE, runs), runs, "A caption.")
    return Job(drawing, folder, ("png", "svg"))


def _saved(folder: Path, processes: int) -> dict[str, bytes]:
    with Press(processes) as open_press:
        for name in NAMES:
            open_press.put(_job(name, folder))
        open_press.finish()
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_helper_writes_the_same_bytes(tmp_path: Path) -> None:
    alone = _saved(tmp_path / "one", 1)
    assert len(alone) == 4 * len(NAMES)
    assert _saved(tmp_path / "two", 2) == alone


def test_what_a_helper_cannot_save_is_saved_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "SERVE", "raise SystemExit")
    assert len(_saved(tmp_path, 2)) == 4 * len(NAMES)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with Press(2) as open_press:
        open_press.put(_job("pareto", tmp_path / "file" / "below"))
        with pytest.raises(OSError, match="file"):
            open_press.finish()


def test_leaving_early_ends_the_helper() -> None:
    with Press(2) as open_press:
        helper = open_press._helper
        assert helper is not None
    assert helper.poll() is not None
