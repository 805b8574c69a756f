"""What optuna-dashboard's functions would write, gathered so that it goes in as one transaction.

They write an attribute a transaction: slow, and a page read in between sees half a panel. Some are
private, and imported where they are called: a later version without them costs a page and no more.
A panel is what plotly.js reads. plotly's Python package would write the same JSON after it has
checked every name in it: the tests have it do that, the installed program does without its 69 MB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Panel:
    """One figure of plotly.js (https://plotly.com/javascript/reference).

    Attributes:
        layout: its axes, titles and words.
        data: its traces, in the order they are drawn.
    """

    layout: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)

    def annotate(self, text: str, **settings: Any) -> None:
        """Add words without an arrow, placed by shares of the whole panel: `x` and `y`, 0 to 1."""
        words = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", **settings}
        self.layout.setdefault("annotations", []).append(words)

    def to_json(self) -> str:
        """The figure as optuna-dashboard keeps it; ValueError where a number is not finite."""
        figure = {"data": self.data, "layout": self.layout}
        return json.dumps(figure, separators=(",", ":"), allow_nan=False)


class Draft:
    """Attributes of an Optuna study to be written; stands in for its storage.

    Attributes:
        attributes: keys and values written so far.
    """

    def __init__(self, study_id: int, known: Mapping[str, Any] | None = None) -> None:
        self.attributes: dict[str, Any] = {}
        self._study_id = study_id
        self._known = dict(known or {})

    def panel(self, name: str, figure: Panel) -> None:
        """Put a figure on the study's page, in place of the one of that name."""
        from optuna_dashboard import save_plotly_graph_object

        page = SimpleNamespace(_storage=self, _study_id=self._study_id)
        save_plotly_graph_object(page, figure, graph_object_id=name)

    def note(self, body: str, trial: int | None = None) -> None:
        """Write the study's note, or a trial's (which may have ended), in Markdown."""
        from optuna_dashboard._note import note_ver_key, save_note_with_version

        version = int(self.get_study_system_attrs(self._study_id).get(note_ver_key(trial), 0)) + 1
        save_note_with_version(self, self._study_id, trial, version, body)

    # What the dashboard's functions call.

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep an attribute."""
        self.attributes[key] = value

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """What is there with what would be written."""
        return self._known | self.attributes
