"""A small picture of one learning curve, drawn when somebody looks.

A picture costs 0.1 to 0.3 s of a core: drawn at the end of each cell it would cost a grid of short
cells minutes, and on a cluster it would lie on another machine than the dashboard.
"""

from __future__ import annotations

from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy import select

from analysis.figures.drawing.style import PALETTE, SOFT, grid_lines, look, new_figure
from runner.store.database.tables import attempts, cells, epochs, points, studies

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna.artifacts import FileSystemArtifactStore
    from sqlalchemy import Connection

    from runner.store import Store

LETTERS = 95
"""Of a line of the title, which 6 inches hold."""
DECADES = 100
"""Largest over smallest loss beyond which the axis is logarithmic: else all but one are zero."""

MOST_PANELS = 6

CURVE = ("epoch", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


class Pictures:
    """The dashboard's store of artifacts: curves out of the study's store, other files as files.

    A curve's artifact is named by its attempt's token (`analysis.dashboard.trial_notes`).
    """

    def __init__(self, store: Store, files: FileSystemArtifactStore) -> None:
        self._store = store
        self._files = files

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """A picture of a curve as PNG, or the file that was uploaded under this name.

        Raises:
            ArtifactNotFound: neither is there.
        """
        attempt = self._store.database.read(lambda connection: _attempt(connection, artifact_id))
        if attempt is None:
            return self._files.open_reader(artifact_id)
        row, curve, own = attempt
        if own:
            return BytesIO(own_picture(own, _title(row)))
        if not curve["epoch"]:
            raise ArtifactNotFound(f"cell {row.cell} has no curve")
        title = _title(row)
        chance = 1 / row.classes if row.classes else None
        target = self._store.find_target(row.study)
        goal = None if target is None else target.accuracy
        return BytesIO(curve_picture(curve, title, goal, chance))

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep a file that a person uploads."""
        self._files.write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Delete an uploaded file; a curve is the store's and stays."""
        if self._store.database.read(lambda connection: _attempt(connection, artifact_id)) is None:
            self._files.remove(artifact_id)


Own = dict[str, list[tuple[int, float]]]
"""Name to points of the curves that a trainer of one's own reported."""


def _title(row: Any) -> str:
    levels = ", ".join(str(row.labels[factor]) for factor, _ in row.factors)
    return f"{levels}, replicate {row.replicate}"


def _attempt(connection: Connection, token: str) -> tuple[Any, dict[str, list[Any]], Own] | None:
    """What a finished attempt trained and its curves; None where there is none."""
    row = connection.execute(
        select(
            *(cells.c[name] for name in ("id", "cell", "labels", "replicate", "classes")),
            studies.c.factors,
            studies.c.name.label("study"),
        )
        .select_from(attempts)
        .join(cells, cells.c.id == attempts.c.cell_id)
        .join(studies, studies.c.id == attempts.c.study_id)
        .where(attempts.c.token == token)
    ).first()
    if row is None:
        return None
    rows = connection.execute(
        select(*(epochs.c[name] for name in CURVE))
        .where(epochs.c.cell_id == row.id)
        .order_by(epochs.c.epoch)
    ).all()
    curve = {name: [getattr(point, name) for point in rows] for name in CURVE}
    own: Own = {}
    for point in (
        ()
        if rows
        else connection.execute(
            select(points.c.name, points.c.step, points.c.value)
            .where(points.c.cell_id == row.id)
            .order_by(points.c.name, points.c.step)
        )
    ):
        own.setdefault(point.name, []).append((point.step, point.value))
    return row, curve, own


@look()
def own_picture(curves: Own, title: str) -> bytes:
    """PNG of curves with names of their own, a panel each; the first `MOST_PANELS` of them.

    Args:
        curves: name to pairs of step and value.
        title: above the picture.
    """
    names = list(curves)[:MOST_PANELS]
    rows = (len(names) + 1) // 2
    lines = wrap(title, LETTERS, max_lines=3, placeholder=" …")
    figure = new_figure(6.0, 2.0 * rows + 0.3 + 0.15 * (len(lines) - 1))
    panels = list(figure.subplots(rows, min(2, len(names)), squeeze=False).flat)
    for axes, name in zip(panels, names, strict=False):
        steps, values = zip(*curves[name], strict=True)
        axes.plot(steps, values, color=PALETTE[0], marker="o", markersize=2)
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(name)
        grid_lines(axes)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.suptitle("\n".join(lines), fontsize=8)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    with BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
        return buffer.getvalue()


@look()
def curve_picture(
    curve: dict[str, list[Any]], title: str, target: float | None, chance: float | None
) -> bytes:
    """PNG of a curve.

    Args:
        curve: columns epoch, train_loss, validation_loss, train_accuracy, validation_accuracy.
        title: above the picture.
        target: accuracy that counts as reached, as a share.
        chance: accuracy of guessing, as a share.
    """
    lines = wrap(title, LETTERS, max_lines=3, placeholder=" …")
    figure = new_figure(6.0, 2.5 + 0.15 * (len(lines) - 1))
    losses, accuracies = figure.subplots(1, 2)
    epoch = np.asarray(curve["epoch"], dtype=float)
    styles = (("train", "-", PALETTE[0]), ("validation", (0, (4, 1.5)), PALETTE[1]))
    for kind, line, shade in styles:
        for axes, name, scale in ((losses, "loss", 1.0), (accuracies, "accuracy", 100.0)):
            values = np.array([np.nan if v is None else v for v in curve[f"{kind}_{name}"]], float)
            axes.plot(
                epoch, values * scale, color=shade, linestyle=line, marker="o", markersize=2,
                label={"train": "training", "validation": "validation"}[kind],
            )  # fmt: skip
    for value, style, name in ((target, (0, (4, 2)), "target"), (chance, (0, (1, 1)), "chance")):
        if value is not None:
            accuracies.axhline(
                value * 100, color=SOFT, linewidth=0.8, linestyle=style,
                label=f"{name}, {value:.0%}",
            )  # fmt: skip
    accuracies.set_ylim(-2, 102)
    shown = np.array([v for kind, *_ in styles for v in curve[f"{kind}_loss"] if v is not None])
    shown = shown[np.isfinite(shown)]
    if len(shown) and shown.min() > 0 and shown.max() > DECADES * shown.min():
        losses.set_yscale("log")
        losses.yaxis.set_major_locator(LogLocator(numticks=6))
        losses.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        losses.yaxis.set_minor_locator(NullLocator())
    for axes, label in ((losses, "loss (nats)"), (accuracies, "accuracy (%)")):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(label)
        grid_lines(axes)
    figure.suptitle("\n".join(lines), fontsize=8)
    handles, labels = accuracies.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return _png(figure)
