"""Publishing to optuna-dashboard while the grid runs: panels, a note, what happened to every cell.

Level-triggered: each call compares what the store holds with what is published and writes the
difference. Everything lives in attributes of the Optuna study, which the dashboard reads anew at
each refresh, so that several processes may publish one study: each sees what the others wrote.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from ablations.errors import InputError
from analysis.dashboard.draft import Draft, Panel
from analysis.dashboard.importance import SHARES, importance_panel, shares_of, tunes
from analysis.dashboard.study_panels import (
    convergence_panel,
    interactions_panel,
    line_panel,
    main_effects_panel,
    progress_panel,
)
from analysis.dashboard.trial_notes import annotate, noted
from analysis.dashboard.words import study_note
from analysis.loading import from_store
from analysis.report.words.undrawn import Attempts
from analysis.study import known
from runner.optuna_mirror.mirror import load_study
from runner.optuna_mirror.optuna_tables import set_study_attributes, study_attributes, study_number
from runner.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.study import Study
    from runner.store import Store, StudyInfo

MOST_NOTES = 10_000
"""Trials that get a note and a picture: all of them are read at each refresh of the dashboard."""
BATCH = 250
"""Trials annotated in one transaction: short enough that slots can claim in between."""
SECONDS = 2.0
"""What one call may spend on notes."""
SHARE = 0.03
"""Of one core, what panels may cost while the grid runs: a minute between two of 1,000 cells."""
PUBLISHED = "ablations:published"
"""Attribute that says which state of the grid the panels show, since when, at what cost."""
FORM = 3
"""Of the panels: a page that a version with others has made is made anew, its grid over or not."""

log = logging.getLogger(__name__)


class Board:
    """One study's page in the dashboard, kept up to date by `publish`."""

    def __init__(self, store: Store, info: StudyInfo) -> None:
        self._store = store
        self._info = info
        self._mirrored = False
        self._lacks_a_part = False  # of optuna-dashboard, whatever is published
        self._done: list[int] | None = None  # counts when everything was published

    def publish(self, seconds: float = SECONDS) -> bool:
        """Bring the page up to date; never raises, so that it may run beside the training.

        Args:
            seconds: to spend on notes; one batch is always written, so that every call gets on.

        Returns:
            Whether everything is published that can be; False when something is left for the next
            call, or stood in the way (it is logged).
        """
        if self._lacks_a_part:
            return True
        try:
            return self._publish(seconds)
        except ImportError as error:
            self._lacks_a_part = True
            log.warning("no page of the study in this optuna-dashboard: %s", error)
            return True
        except (StoreError, StorageInternalError, SQLAlchemyError, OSError) as error:
            log.warning("dashboard not updated: %s", error)
        except Exception:
            # A page nobody may be looking at must not end the training it describes.
            log.exception("dashboard not updated")
        return False

    def _publish(self, seconds: float) -> bool:
        page = self._page()
        if page is None:
            return False
        counts = self._store.status(self._info)
        now = [counts.waiting, counts.running, counts.complete, counts.failed]
        if now == self._done:
            return True
        # Panels wait while the grid runs, never once it has ended.
        shown = self._panels(page, now, may_wait=counts.waiting + counts.running > 0)
        noted = self._notes(page, seconds)
        self._done = now if shown and noted else None
        return self._done is not None

    def _page(self) -> int | None:
        """Optuna's number of the mirrored study; None before the mirror has made it."""
        if not self._mirrored:
            try:
                load_study(self._store, self._info)  # makes Optuna's tables where there are none
            except KeyError:
                return None
            self._mirrored = True
        name = self._info.name
        return self._store.database.read(lambda connection: study_number(connection, name))

    # --- the study ------------------------------------------------------------------------------

    def _panels(self, page: int, now: list[int], *, may_wait: bool) -> bool:
        """Panels and the study's note; False when they are left as they are for a while."""
        attributes = self._store.database.read(
            lambda connection: {
                **study_attributes(connection, page, "ablations:"),
                **study_attributes(connection, page, "dashboard:plot_data:"),
                **study_attributes(connection, page, "dashboard:note_"),
            }
        )
        last = attributes.get(PUBLISHED, {})
        if last.get("counts") == now and last.get("form") == FORM:
            return True
        if may_wait and 0 <= time.time() - last.get("at", 0.0) < last.get("cost", 0.0) / SHARE:
            return False
        began = time.thread_time()
        study = from_store(self._store, self._info)
        draft = Draft(page, attributes)
        for name, panel in _panels_of(study).items():
            draft.panel(name, panel)
        draft.note(_note_of(study))
        if not tunes(study):
            shares = Attempts().make("shares", "Shares of variance", lambda: shares_of(study))
            draft.attributes[SHARES] = shares or {}
        cost = time.thread_time() - began
        draft.attributes[PUBLISHED] = {
            "counts": now, "at": time.time(), "cost": cost, "form": FORM
        }  # fmt: skip
        self._store.database.write(
            lambda connection: set_study_attributes(connection, page, draft.attributes)
        )
        return True

    # --- its trials -----------------------------------------------------------------------------

    def _notes(self, page: int, seconds: float) -> bool:
        """Notes of trials that have none yet, oldest first, while time lasts."""
        until = time.monotonic() + seconds
        factors = list(self._info.factors)
        there = self._store.database.read(lambda connection: noted(connection, page))
        write = partial(annotate, study_id=page, name=self._info.name, factors=factors, limit=BATCH)
        for _ in range(there, MOST_NOTES, BATCH):
            if self._store.database.write(write) < BATCH:
                return True
            if time.monotonic() >= until:
                return False
        return True


def _panels_of(study: Study) -> dict[str, Panel]:
    """The panels that can be drawn, by name; the dashboard shows them in the order of names.

    One that cannot be drawn is a line in its place.
    """
    wanted: dict[str, tuple[str, Callable[[], Panel | None]]] = {
        "a-progress": ("Progress", lambda: progress_panel(study.frame))
    }
    try:
        study.table  # noqa: B018 - says whether anything can be estimated
        wanted |= {
            "b-main-effects": ("Main effects", lambda: main_effects_panel(study)),
            "c-interactions": ("Interactions", lambda: interactions_panel(study)),
            "d-convergence": ("Convergence", lambda: _convergence(study)),
        }
        if not tunes(study):
            wanted["a-importance"] = ("Shares of variance", lambda: importance_panel(study))
    except InputError as error:
        log.info("no effects to show yet: %s", error)
    attempts = Attempts()
    panels: dict[str, Panel] = {}
    for name, (title, draw) in wanted.items():
        panel = attempts.make(name, f"Panel {title}", draw)
        if panel is None and name in attempts.lines:
            panel = line_panel(title, attempts.lines[name])
        if panel is not None:
            panels[name] = panel
    return panels


def _convergence(study: Study) -> Panel | None:
    convergence = known(study.convergence)
    return None if convergence is None else convergence_panel(study.factors, convergence)


def _note_of(study: Study) -> str:
    """The study's note, or the line that stands in its place."""
    attempts = Attempts()
    note = attempts.make("note", "The note", lambda: study_note(study, known(study.convergence)))
    return attempts.lines["note"] if note is None else note
