"""What a run ended with and its curves, by name, wherever they are kept.

A response or a curve of a trainer of one's own is rows that carry its name; those of the shipped
classifier, which every run of it has alike, are columns called so (docs/decisions/080 has what
either costs). Only this file knows; whoever asks names the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from runner.content.own.response import SHIPPED, Primary, primary_of
from runner.store.database.tables import cells, epochs, points, responses, studies

SOURCE = func.coalesce(cells.c.adopted_from, cells.c.id)
"""The cell whose responses and curves are this one's."""


@dataclass(frozen=True, slots=True)
class Names:
    """The numbers of one study's runs by name.

    Attributes:
        own: whether its trainer is somebody's own function or command.
        primary: the response that comes first.
    """

    own: bool = False
    primary: Primary = SHIPPED

    @staticmethod
    def of(spec: Mapping[str, Any]) -> Names:
        """Those of a study with this stored specification."""
        return Names("trainer" in spec, primary_of(spec))

    def response(self, name: str) -> ColumnElement[Any]:
        """What a run ended with, for a query over `cells`; NULL where it has none."""
        if not self.own:
            return cells.c[name]
        return (
            select(responses.c.value)
            .where(responses.c.cell_id == SOURCE, responses.c.name == name)
            .correlate(cells)
            .scalar_subquery()
        )

    def curve(self, name: str) -> Select[Any]:
        """Its points: `cell_id` (the `SOURCE` of a cell), `step`, `value`; none is NULL."""
        if self.own:
            own = points.c
            return select(own.cell_id, own.step, own.value).where(own.name == name)
        value = epochs.c[name]
        columns = (epochs.c.cell_id, epochs.c.epoch.label("step"), value.label("value"))
        return select(*columns).where(value.is_not(None))


def names_of(connection: Connection, study_id: int) -> Names:
    """How the numbers of a study's runs are kept."""
    spec = connection.scalar(select(studies.c.spec).where(studies.c.id == study_id))
    return Names() if spec is None else Names.of(spec)


def responses_of(connection: Connection, of: Sequence[int]) -> dict[int, dict[str, float]]:
    """Rows of `cells` to what a trainer of one's own ended with there."""
    ended: dict[int, dict[str, float]] = {}
    for row in connection.execute(
        select(responses.c.cell_id, responses.c.name, responses.c.value).where(
            responses.c.cell_id.in_(list(of))
        )
    ):
        ended.setdefault(row.cell_id, {})[row.name] = row.value
    return ended
