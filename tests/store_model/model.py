"""What the store must do, in plain Python: the reference of the state machine.

Nothing here looks at the store's code or tables. What the store does in several transactions is a
generator that yields one function a transaction: whoever drives it may run one twice (its
acknowledgement was lost), let others act before the next, or stop for good (the process died).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from runner.content.cell import Cell
from runner.content.outcome import Epoch, Outcome, Reason, Status
from tests.store_model.watching import Look, expired

Change = Callable[[], Any]
Steps = Generator[Change, Any, Any]

TRIES = {Reason.KILLED: 3, Reason.CUDA: 2, Reason.OOM: 2, Reason.LOST: 5}
"""Endings of a cell for one reason, between two `retry`, before it is given up; of others: 1."""

BROKEN = (Status.FAILED, Status.TIMEOUT)


@dataclass
class Try:
    """One attempt at a cell."""

    number: int
    round: int
    token: str
    owner: str
    device: str
    state: str = "running"
    status: str | None = None
    reason: str | None = None


@dataclass
class Row:
    """One cell of a study."""

    cell: Cell
    order: int
    planned: bool = True
    state: str = "waiting"
    round: int = 0
    tries: list[Try] = field(default_factory=list)
    outcome: Outcome | None = None
    origin: str | None = None  # the study that trained it, when it was not this one
    beats: int = 0
    lease_seconds: float | None = None
    progress: tuple[int | None, float | None] = (None, None)

    @property
    def token(self) -> str | None:
        """Of the newest attempt."""
        return self.tries[-1].token if self.tries else None

    @property
    def reason(self) -> str | None:
        """Why the newest attempt that was held against the cell ended."""
        ended = [one for one in self.tries if one.state not in ("running", "released")]
        return ended[-1].reason if ended else None

    @property
    def status(self) -> str | None:
        """How the cell ended, if it did."""
        return self.tries[-1].status if self.state in ("complete", "failed") else None


@dataclass(frozen=True)
class File:
    """An outcome that lies on disk."""

    cell: str
    token: str
    outcome: Outcome


class Model:
    """Every study's cells, and the outcome files on disk."""

    def __init__(self, studies: Iterable[str]) -> None:
        self.studies: dict[str, dict[str, Row]] = {name: {} for name in studies}
        self.files: dict[str, File] = {}

    def rows(self) -> list[Row]:
        """All cells of all studies."""
        return [row for study in self.studies.values() for row in study.values()]

    def find(self, token: str) -> tuple[Row, Try] | None:
        """The attempt of a token, and its cell."""
        found = ((row, one) for row in self.rows() for one in row.tries if one.token == token)
        return next(found, None)

    def held(self, token: str) -> tuple[Row, Try] | None:
        """The same, while its word counts."""
        found = self.find(token)
        live = found is not None and found[0].state == "running" and found[0].token == token
        return found if live else None

    # -- one transaction each ------------------------------------------------------------------

    def claim(
        self,
        study: str,
        tokens: Sequence[str],
        owner: str,
        device: str,
        seconds: float,
        prefer: Collection[str],
    ) -> list[tuple[str, int, str, str | None]]:
        """Cell, attempt, token and what the attempt before ended for, of what is taken."""
        rows = self.studies[study].values()
        known = [found[0] for token in tokens if (found := self.find(token))]
        taken = [row for row in known if row.state == "running" and row.token in tokens]
        if not known:  # else the claim was made before, and only its acknowledgement lost
            waiting = [row for row in rows if row.state == "waiting" and row.planned]
            waiting.sort(key=lambda row: (row.cell.id not in prefer, row.order))
            for row, token in zip(waiting, tokens, strict=False):
                row.tries.append(Try(len(row.tries) + 1, row.round, token, owner, device))
                row.state, row.beats, row.lease_seconds = "running", 0, seconds
                row.progress = (None, None)
                taken.append(row)
        taken.sort(key=lambda row: row.order)
        return [(row.cell.id, len(row.tries), row.tries[-1].token, row.reason) for row in taken]

    def beat(
        self, tokens: Iterable[str], progress: Mapping[str, Epoch], seconds: float | None
    ) -> set[str]:
        """Tokens that are refused."""
        refused = set()
        for token in tokens:
            held = self.held(token)
            if held is None:
                refused.add(token)
                continue
            row, _ = held
            row.beats += 1
            row.lease_seconds = row.lease_seconds if seconds is None else seconds
            if token in progress:
                row.progress = (progress[token].epoch, progress[token].validation_accuracy)
        return refused

    def finish(self, token: str, outcome: Outcome) -> bool:
        """Whether the outcome is taken."""
        if outcome.status in BROKEN:
            usual = Reason.TIMEOUT if outcome.status is Status.TIMEOUT else Reason.BUG
            return self.fail(token, outcome.reason or usual) is not None
        held = self.held(token)
        if held is None:
            found = self.find(token)
            return found is not None and found[1].state == "complete"
        row, one = held
        one.state, one.status, one.reason = "complete", outcome.status, outcome.reason
        row.state, row.outcome = "complete", outcome
        return True

    def fail(self, token: str, reason: Reason, retry: bool = True) -> str | None:
        """What the cell is then; None when refused."""
        held = self.held(token)
        if held is not None:
            return self._end(*held, "failed", reason, retry)
        found = self.find(token)
        if found is None or found[1].state != "failed":
            return None
        row, one = found
        return "failed" if row.state == "failed" and row.token == one.token else "waiting"

    def _end(self, row: Row, one: Try, state: str, reason: Reason, retry: bool) -> str:
        one.state, one.reason = state, reason
        one.status = "timeout" if reason is Reason.TIMEOUT else "failed"
        ends = Counter((t.round, t.reason) for t in row.tries if t.state in ("failed", "lost"))
        again = retry and ends[row.round, reason] < TRIES.get(reason, 1)
        row.state = "waiting" if again else "failed"
        return row.state

    def release(self, token: str, reason: Reason = Reason.INTERRUPTED) -> bool:
        """Whether the cell is taken back."""
        held = self.held(token)
        if held is None:
            found = self.find(token)
            return found is not None and found[1].state == "released"
        row, one = held
        one.state, one.status, one.reason = "released", "failed", reason
        row.state = "waiting"
        return True

    def retry(self, study: str, reasons: Collection[Reason] | None) -> int:
        """How many failed cells wait again."""
        failed = [
            row
            for row in self.studies[study].values()
            if row.state == "failed" and row.planned and (reasons is None or row.reason in reasons)
        ]
        for row in failed:
            row.state, row.round = "waiting", row.round + 1
        return len(failed)

    def adopt_file(self, study: str, file: File, fresh: str) -> str:
        """What becomes of an outcome file: adopted, needless or left."""
        row = self.studies[study].get(file.cell)
        if row is None:
            return "left"
        broken = file.outcome.status in BROKEN
        if row.state == "complete" or (broken and row.state != "running"):
            return "needless"
        if row.token != file.token:
            return "needless" if broken else "left"
        last = row.tries[-1]
        if row.state == "running":
            self.finish(file.token, file.outcome)
            return "adopted"
        if last.reason == Reason.TIMEOUT:  # whoever was stopped at its time limit stays so
            return "needless"
        status, reason = file.outcome.status, file.outcome.reason
        again = Try(
            last.number + 1, row.round, fresh, last.owner, last.device, "complete", status, reason
        )
        row.tries.append(again)
        row.state, row.outcome = "complete", file.outcome
        return "adopted"

    def lose(self, gone: Mapping[str, int], expired: Collection[str]) -> dict[str, str]:
        """Take the cells of vanished workers, where nothing moved since they were looked at."""
        lost = {}
        for token, beats in gone.items():
            held = self.held(token)
            if held is None or held[0].beats != beats:
                continue
            row, one = held
            if token in expired:
                self._end(row, one, "lost", Reason.LOST, retry=True)
            else:
                self.release(token, Reason.LOST)
            lost[row.cell.id] = row.state
        return lost

    # -- several transactions ------------------------------------------------------------------

    def plan(self, study: str, design: list[tuple[Cell, int]], kind: str | None, n: int) -> Steps:
        """New, known and retired cells, and how many outcomes each other study gave."""
        mine = self.studies[study]
        known = {name: replace(row) for name, row in mine.items()}
        trained = self._trained_elsewhere(study, kind)
        new, adopted = 0, Counter[str]()

        def bring(
            fresh: list[tuple[Cell, int]], moved: list[tuple[Cell, int]], wanted: list[str]
        ) -> tuple[int, Counter[str]]:
            for cell, order in moved:
                mine[cell.id].order, mine[cell.id].planned = order, True
            missing = [(cell, order) for cell, order in fresh if cell.id not in mine]
            mine.update({cell.id: Row(cell, order) for cell, order in missing})
            taken = [name for name in wanted if mine[name].state == "waiting"]
            for name in taken:
                self._take(mine[name], *trained[name], study)
            return len(missing), Counter(trained[name][0] for name in taken)

        def retire(names: Sequence[str]) -> None:
            for name in names:
                mine[name].planned = False

        for part in _parts(design, n):
            fresh = [pair for pair in part if pair[0].id not in known]
            moved = [
                (cell, order)
                for cell, order in part
                if cell.id in known and (known[cell.id].order, known[cell.id].planned) != (order, 1)
            ]
            wanted = [
                cell.id
                for cell, _ in part
                if cell.id in trained
                and (cell.id not in known or known[cell.id].state == "waiting")
            ]
            if fresh or moved or wanted:
                added, taken = yield partial(bring, fresh, moved, wanted)
                new, adopted = new + added, adopted + taken
        here = {cell.id for cell, _ in design}
        gone = sorted(name for name, row in known.items() if row.planned and name not in here)
        for names in _parts(gone, n):
            yield partial(retire, names)
        return new, len(here) - new, len(gone), dict(adopted)

    def _trained_elsewhere(self, study: str, kind: str | None) -> dict[str, tuple[str, Row]]:
        """Cell to the other study that trained it."""
        return {
            row.cell.id: (name, row)
            for name, rows in self.studies.items()
            for row in rows.values()
            if name != study and row.state == "complete" and row.origin is None
            and kind in (None, "cpu" if row.tries[-1].device == "cpu" else "cuda")
        }  # fmt: skip

    def _take(self, row: Row, origin: str, there: Row, study: str) -> None:
        token = f"adopted {study} {row.cell.id}"
        copied = replace(there.tries[-1], number=len(row.tries) + 1, round=row.round, token=token)
        row.tries.append(copied)
        row.state, row.outcome, row.origin = "complete", there.outcome, origin

    def reconcile(
        self,
        study: str,
        looks: list[Look],
        files: bool,
        now: Callable[[], float],
        is_dead: Callable[[str], bool],
        drawn: Sequence[str],
    ) -> Steps:
        """Cells adopted from files, and what the cells of vanished workers are now."""
        adopted = []
        for name in sorted(self.files) if files else ():
            file = self.files.get(name)
            if file is None:
                continue
            fate = yield lambda file=file: self.adopt_file(study, file, drawn[-1] if drawn else "")
            if fate == "adopted":
                adopted.append(file.cell)
            elif fate == "needless":
                self.files.pop(name, None)
        seen = yield lambda: self._running(study)
        looks.append(Look(now(), {token: (beats, s) for token, (beats, s, _) in seen.items()}))
        out = expired(looks)
        gone = {
            token: beats
            for token, (beats, _, owner) in seen.items()
            if token in out or is_dead(owner)
        }
        lost = (yield lambda: self.lose(gone, out)) if gone else {}
        return tuple(adopted), lost

    def _running(self, study: str) -> dict[str, tuple[int, float, str]]:
        return {
            row.tries[-1].token: (row.beats, row.lease_seconds or 0.0, row.tries[-1].owner)
            for row in self.studies[study].values()
            if row.state == "running"
        }


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))
