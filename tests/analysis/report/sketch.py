"""Whole reports without the time that pictures take: every figure is drawn, none is laid out."""

from __future__ import annotations

from pathlib import Path

from analysis.figures.drawing.saving import FigureFiles
from analysis.report import write_report
from analysis.report.press import Press, Task
from analysis.study import Study


class Sketch(Press):
    """Writes an empty picture for each that is put."""

    def __init__(self) -> None:
        super().__init__(1)

    def put(self, task: Task) -> None:
        assert isinstance(task, FigureFiles)
        task.folder.mkdir(parents=True, exist_ok=True)
        for kind in task.formats:
            (task.folder / f"{task.drawing.name}.{kind}").write_text("<svg></svg>", "utf-8")


def sketched(study: Study, folder: Path) -> str:
    """The page of a report that is whole but for the pictures."""
    with Sketch() as press:
        return write_report(study, folder, partial=True, press=press).read_text("utf-8")
