"""Figures saved by two processes are the files one process writes, and none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analysis.figures.drawing.saving import Drawing, FigureFiles
from analysis.report import press
from analysis.report.press import Press
from tests.analysis.figures import frames
from tests.analysis.figures.drawings import DRAWINGS

NAMES = ("forest", "pareto", "main_effects")


def _job(name: str, folder: Path) -> FigureFiles:
    runs = frames.grid(frames.FIVE)
    drawing = Drawing(name, "A title", DRAWINGS[name](frames.FIVE, runs), runs, "A caption.")
    return FigureFiles(drawing, folder, ("png", "svg"))


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
    monkeypatch.setattr(press, "words", lambda *_: [sys.executable, "-c", "raise SystemExit"])
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


def test_only_the_helper_does_what_it_is_asked(tmp_path: Path) -> None:
    with Press(2) as open_press:
        done = open_press.ask(_job("pareto", tmp_path))
        assert done.result(60)
        assert (tmp_path / "pareto.png").exists()
    with Press(1) as alone:
        assert not alone.ask(_job("forest", tmp_path)).result(0)
        alone.finish()
    assert not (tmp_path / "forest.png").exists()


def test_a_helper_that_is_gone_has_not_done_what_it_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "words", lambda *_: [sys.executable, "-c", "raise SystemExit"])
    with Press(2) as open_press:
        assert not open_press.ask(_job("pareto", tmp_path)).result(60)
        open_press.finish()
    assert not list(tmp_path.iterdir())


def test_starting_imports_no_drawing_library() -> None:
    heavy = (
        "import sys, analysis.report.press; "
        "print(sorted({'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", heavy], capture_output=True, check=True, text=True
    )
    assert found.stdout == "[]\n"
