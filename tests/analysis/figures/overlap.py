"""Which texts of a figure lie on one another or leave the page: oriented boxes, in pixels.

A turned label's upright bounding box is mostly empty, so each text is a rectangle turned by its
own angle and two of them are compared by the separating-axis theorem.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from analysis.figures.drawing.style import look

SLACK = 1.0  # pixels two boxes may share: antialiasing and line spacing


def _corners(text: Text, renderer: object) -> np.ndarray:
    angle = text.get_rotation()
    if angle == 0:
        box = text.get_window_extent(renderer)  # type: ignore[arg-type]
        return np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)])
    outer = text.get_window_extent(renderer)  # type: ignore[arg-type]
    text.set_rotation(0)
    level = text.get_window_extent(renderer)  # type: ignore[arg-type]
    text.set_rotation(angle)
    centre = np.array([(outer.x0 + outer.x1) / 2, (outer.y0 + outer.y1) / 2])
    half = np.array([level.width / 2, level.height / 2])
    turn = math.radians(angle)
    rotate = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    return centre + (signs * half) @ rotate.T


def _depth(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest overlap over all separating axes; not positive where the boxes are apart."""
    least = math.inf
    for shape in (a, b):
        for k in range(2):
            edge = shape[k + 1] - shape[k]
            normal = np.array([-edge[1], edge[0]])
            length = float(np.hypot(*normal))
            if length == 0:
                return -1.0
            normal = normal / length
            pa, pb = a @ normal, b @ normal
            least = min(least, min(pa.max(), pb.max()) - max(pa.min(), pb.min()))
    return float(least)


def drawn_texts(figure: Figure) -> list[Text]:
    """Texts that are drawn and not blank; of ticks only those within the view."""
    of_ticks = {text for tick in figure.findobj(Tick) for text in tick.findobj(Text)}
    found = [text for text in figure.findobj(Text) if text not in of_ticks]
    for axes in figure.findobj(Axes):
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                    if _inside(tick.get_loc(), axis.get_view_interval()):
                        found += [tick.label1, tick.label2]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _inside(value: float, view: np.ndarray) -> bool:
    low, high = sorted(view)
    return low - 1e-9 <= value <= high + 1e-9


def problems(figure: Figure) -> list[str]:
    """One line for every pair of texts that overlap and every text that leaves the page."""
    canvas = FigureCanvasAgg(figure)
    with look(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas.draw()
        renderer = canvas.get_renderer()
        texts = drawn_texts(figure)
        boxes = [_corners(text, renderer) for text in texts]
    page = Bbox.from_bounds(0, 0, *figure.canvas.get_width_height())
    found = [
        f"{text.get_text()!r} leaves the page"
        for text, box in zip(texts, boxes, strict=True)
        if (box.min(axis=0) < [page.x0 - SLACK, page.y0 - SLACK]).any()
        or (box.max(axis=0) > [page.x1 + SLACK, page.y1 + SLACK]).any()
    ]
    low = np.array([box.min(axis=0) for box in boxes])
    high = np.array([box.max(axis=0) for box in boxes])
    for i in range(len(texts)):
        near = np.flatnonzero(
            (low[i + 1 :] < high[i]).all(axis=1) & (high[i + 1 :] > low[i]).all(axis=1)
        )
        for j in near + i + 1:
            if _depth(boxes[i], boxes[j]) > SLACK:
                found.append(f"{texts[i].get_text()!r} lies on {texts[j].get_text()!r}")
    return found
