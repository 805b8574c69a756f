"""What a process may say to the store, each with the model's account of it.

A word is a function of the world, a process and a `Pick`, which makes all its choices: so a word
can be a rule of the machine, or what others do while a process waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runner.content.outcome import Outcome, Reason, Status
from runner.optuna_mirror.mirror import Mirror
from runner.store import Lease, StudyInfo
from tests.store_contract.grids import design, outcome
from tests.store_model.model import Change, Steps
from tests.store_model.pictures import expected_trials, trials
from tests.store_model.troubles import Trouble
from tests.store_model.world import CHUNK, DIED, STUDIES, Process, World

POOL = [cell for cell, _ in design(("adam", "sgd"), ("constant", "cosine", "step", "plateau"))]
LENGTHS = (40.0, 80.0)
REASONS = (Reason.KILLED, Reason.CUDA, Reason.OOM, Reason.BUG, Reason.TIMEOUT, Reason.LOST)
ENDS = (Status.LEARNED, Status.FAILED, Status.STALLED, Status.DIVERGED, Status.LEARNED)

Item = TypeVar("Item")


class Pick:
    """Choices read off one number, as its digits: a smaller number is a simpler choice."""

    def __init__(self, number: int) -> None:
        self._number = number

    def of(self, options: Sequence[Item]) -> Item:
        """One of them."""
        self._number, index = divmod(self._number, len(options))
        return options[index]


@dataclass
class Setting:
    """What goes wrong in a word, and what others do meanwhile."""

    trouble: Trouble | None = None
    others: Callable[[], None] = field(default=lambda: None)


Word = Callable[[World, Process, Pick, Setting], Any]


def once(change: Change) -> Steps:
    """What is one transaction."""
    return (yield change)


def plan(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Give a study a design, wider or narrower than before, in another order."""
    study, size, at = pick.of(STUDIES), pick.of((8, 7, 8, 5, 8, 0)), pick.of(range(len(POOL)))
    kind = pick.of((None, "cpu", "cuda"))
    cells = (POOL[at:] + POOL[:at])[:size]
    ordered = [(cell, order) for order, cell in enumerate(cells)]

    def real() -> tuple[Any, ...]:
        done = process.store.plan(study, ordered, kind=kind)
        return done.new, done.known, done.retired, dict(done.adopted)

    model = world.model
    world.do(process, real, lambda _: model.plan(study, ordered, kind, CHUNK), *_of(setting))


def claim(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Take up to three cells."""
    study, limit, seconds = pick.of(STUDIES), pick.of((1, 2, 3)), pick.of(LENGTHS)
    prefer = pick.of(([], [POOL[5].id, POOL[2].id]))
    taken: list[Lease] = []

    def real() -> list[tuple[Any, ...]]:
        taken[:] = process.store.claim_many(
            study, "w", limit, lease_seconds=seconds, device=process.device, prefer=prefer
        )
        return [(one.cell.id, one.attempt, one.token, one.previous) for one in taken]

    def steps(drawn: list[str]) -> Steps:
        yours = (process.owner, process.device, seconds, prefer)
        return once(lambda: world.model.claim(study, drawn[:limit], *yours))

    world.do(process, real, steps, *_of(setting))
    process.leases += taken
    world.given += taken


def beat(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Renew the leases a process believes to hold; some bring news, some get another length."""
    seconds = pick.of((None, *LENGTHS))
    leases = process.leases[: pick.of((None, 1))]  # as they are now: others may act meanwhile
    epoch = outcome().curve[pick.of(range(3))]
    progress = {lease.token: epoch for lease in leases[: pick.of((0, 1, 2))]}

    def real() -> set[str]:
        return process.store.beat(leases, progress=progress, lease_seconds=seconds)

    tokens = [lease.token for lease in leases]
    account = once(lambda: world.model.beat(tokens, progress, seconds))
    refused = world.do(process, real, lambda _: account, *_of(setting))
    if refused is not DIED:
        process.leases = [one for one in process.leases if one.token not in refused]


def finish(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Tell an outcome, of a lease that may long be another's."""
    lease = _some_lease(world, process, pick)
    if lease is not None:
        told = _some_outcome(world, pick)
        account = once(lambda: world.model.finish(lease.token, told))
        world.do(
            process, lambda: process.store.finish(lease, told), lambda _: account, *_of(setting)
        )


def fail(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Tell a failure."""
    lease = _some_lease(world, process, pick)
    if lease is not None:
        reason, retry = pick.of(REASONS), pick.of((True, True, True, False))

        def real() -> str | None:
            return process.store.fail(lease, reason, "on purpose", retry=retry)

        account = once(lambda: world.model.fail(lease.token, reason, retry))
        world.do(process, real, lambda _: account, *_of(setting))


def release(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Give a cell back."""
    lease = _some_lease(world, process, pick)
    if lease is not None:
        reason = pick.of((Reason.INTERRUPTED, Reason.CUDA, Reason.LOST))
        account = once(lambda: world.model.release(lease.token, reason))
        world.do(
            process,
            lambda: process.store.release(lease, reason=reason),
            lambda _: account,
            *_of(setting),
        )


def retry(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Send failed cells back."""
    study, reasons = pick.of(STUDIES), pick.of((None, None, REASONS[:3], REASONS[3:]))
    account = once(lambda: world.model.retry(study, reasons))
    world.do(process, lambda: process.store.retry(study, reasons), lambda _: account, *_of(setting))


def leave_file(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """A cell process leaves its outcome on disk."""
    lease = _some_lease(world, process, pick)
    if lease is not None:
        world.write_file(lease, _some_outcome(world, pick))


def reconcile(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Adopt what lies on disk, and take cells from the dead."""
    study, folder = pick.of(STUDIES), pick.of((world.folder, None))

    def real() -> tuple[Any, ...]:
        done = process.store.reconcile(study, folder)
        return done.adopted, done.lost

    def steps(drawn: list[str]) -> Steps:
        return world.model.reconcile(
            study,
            process.looks[study],
            folder is not None,
            lambda: process.clock[0],
            lambda owner: world.is_dead(process, owner),
            drawn,
        )

    world.do(process, real, steps, *_of(setting))


def silence(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Time passes, one process watches, and some of the others beat."""
    study_first, step, looks = pick.of(STUDIES), pick.of((10.0, 20.0, 5.0)), pick.of((5, 9, 2))
    beating = pick.of(([], world.processes[:1], world.processes[1:], world.processes))
    for _ in range(looks):
        for one in world.processes:
            one.clock[0] += step
        for one in beating:
            if one.leases:
                beat(world, one, Pick(0), Setting())
        reconcile(world, process, Pick(STUDIES.index(study_first)), setting)
        setting = Setting()
        if process not in world.processes:  # it died in its look
            return


def publish(world: World, process: Process, pick: Pick, setting: Setting) -> None:
    """Bring a study's trials up to its attempts: in the end each attempt is a trial."""
    study = process.store.find_study(pick.of(STUDIES))
    for setting_now in (setting, Setting()):  # what others did meanwhile is left to the next pass
        _sync(world, process, study, setting_now)
    assert trials(process.store, study) == expected_trials(world.model, study.name)


def _sync(world: World, process: Process, study: StudyInfo, setting: Setting) -> None:
    done: list[bool] = []

    def real() -> None:
        with Mirror(process.store, study) as mirror:
            mirror.sync()
        done.append(True)

    def whatever_it_takes(_drawn: list[str]) -> Steps:
        while not done:  # as many transactions as there are: none changes a cell
            yield lambda: None

    world.do(process, real, whatever_it_takes, *_of(setting))


def _of(setting: Setting) -> tuple[Trouble | None, Callable[[], None]]:
    return setting.trouble, setting.others


def _some_lease(world: World, process: Process, pick: Pick) -> Lease | None:
    """Mostly one the process believes to hold; sometimes any there ever was, newest first."""
    mine = pick.of((True, True, True, False))
    leases = process.leases if mine and process.leases else world.given[::-1]
    return pick.of(leases) if leases else None


def _some_outcome(world: World, pick: Pick) -> Outcome:
    """An outcome that no other is equal to, or a failure."""
    status = pick.of(ENDS)
    if status is Status.FAILED:
        reason = pick.of((*REASONS, None))
        status = Status.TIMEOUT if reason is Reason.TIMEOUT else status
        return Outcome(status, reason=reason, detail="on purpose")
    world.outcomes += 1
    return outcome(world.outcomes / 2**20, status)
