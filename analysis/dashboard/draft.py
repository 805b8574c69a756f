"""What optuna-dashboard's functions would write, gathered so that it goes in as one transaction.

They write an attribute a transaction: slow, and a page read in between sees half a panel. Some are
private, and imported where they are called: a later version without them costs a page and no more.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go


class Draft:
    """Attributes of an Optuna study to be written; stands in for its storage.

    Attributes:
        attributes: keys and values written so far.
    """

    def __init__(self, study_id: int, known: Mapping[str, Any] | None = None) -> None:
        self.attributes: dict[str, Any] = {}
        self._study_id = study_id
        self._known = dict(known or {})

    def panel(self, name: str, figure: go.Figure) -> None:
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
