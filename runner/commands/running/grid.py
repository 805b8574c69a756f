"""`grid FILE`: plan, train what is missing, report. Giving the same command again continues."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import named_design, storage_for, study_folder, writable
from runner.commands.looking.plan import show_plan
from runner.commands.own_trainer import look_at_trainer
from runner.commands.placement import device_kind, need_to_train, on_cluster, slots_here
from runner.commands.running import hours
from runner.commands.running.beforehand import about_of, read_images
from runner.commands.sentences import (
    adopted_words,
    failed_words,
    headline,
    retired_words,
    shared_before,
    shrinking_words,
    size_words,
    taken_out_words,
)
from runner.commands.standing.notes import notes
from runner.commands.waves import after_look, as_planned
from runner.program.naming import spoken
from runner.program.wording import printable
from runner.tuning.as_run import levels_as_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analysis.dashboard import Board
    from runner.design import Design
    from runner.pool.budget import Budget
    from runner.spec import Spec
    from runner.store import Kind, Store, StudyInfo
    from runner.store.cells.planning import Planned

CUT = 5
"""Exit code of a grid that trained less than it was given: another command cut its design."""

EXAMPLES = """examples:
  python -m runner grid ablations/five_factor.yaml
  python -m runner grid ablations/five_factor.yaml --profile cpu --set replicates=5
  python -m runner grid ablations/five_factor.yaml --dry-run --cells 216
  python -m runner grid ablations/five_factor.yaml --hours 2
  python -m runner grid my.yaml --devices 0,1 --slots-per-device 4
  ABLATIONS_STORAGE=postgresql://user@host/db python -m runner grid my.yaml
  python -m runner grid my.yaml --backend dask --scheduler tcp://host:8786
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    options.store(parser)
    options.slots(parser)
    options.output(parser)
    options.failures(parser)
    options.planning(parser)
    hours.configure(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--no-report", action="store_true", help="train only, analyse later")
    parser.add_argument(
        "--shrink",
        action="store_true",
        help="take cells out of the study although another command trains it now",
    )
    parser.add_argument(
        "--backend",
        choices=("local", "dask"),
        help="where slots are placed: on this machine (default) or on a Dask cluster",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of the Dask scheduler, e.g. tcp://host:8786"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.commands.running.session import FailsAlike

    try:
        return _run(arguments)
    except FailsAlike as stopped:
        return stopped.say()


def _run(arguments: argparse.Namespace) -> int:
    hours.hours_of(arguments)  # what is wrong with them is said first
    spec, design = named_design(arguments)
    budget = hours.budget_of(spec, arguments)
    if arguments.dry_run:
        if budget is not None:
            print("note: --hours claims these cells in another order, what tells most first")
        return show_plan(spec, design, arguments)
    if not on_cluster(spec, arguments):
        need_to_train(spec)
    if not arguments.quiet:
        print(headline(spec), flush=True)
    looked = look_at_trainer(spec, design)
    spec, design = looked.spec, looked.design

    from runner.commands.running.session import HOURS_OVER, report, train_study
    from runner.design import design_of
    from runner.store import open_store

    for note in looked.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
    if spec.tune is not None:
        from runner.tuning.groups import groups_of

        groups_of(spec, design)
    # What cannot be trained here is refused before there is a store, a study or a folder of it.
    kind = device_kind(spec, arguments)
    if not on_cluster(spec, arguments):
        slots_here(spec, arguments)
        if spec.trainer is None:
            read_images(spec, design, arguments.storage)
    if spec.trainer is None:
        about = about_of(spec, design, arguments)
    else:
        about = {"libraries": list(looked.libraries)}
    store = open_store(storage_for(arguments), create=True)
    if spec.tune is not None:
        spec, code = _tuned(store, spec, design, arguments, kind, about, budget)
        if code:
            return code
        design = design_of(spec)
    design = as_planned(store, spec, design)
    if not arguments.shrink:
        _refuse_to_shrink(store, spec, design)
    for note in (shared_before(spec, store.study_names()), *notes(design)):
        if note:
            print(printable(f"note: {note}"), file=sys.stderr)
    study, planned = register_design(store, spec, design, kind, about)
    if planned.retired:
        print(retired_words(planned.retired), file=sys.stderr)
    folder = writable(study_folder(arguments.results, study.name))
    store.reconcile(study, folder / "attempts")
    counts = store.status(study)
    if not arguments.quiet:
        print(f"study {study.name} in {store.address}")
        done = counts.complete + counts.failed
        print(f"{size_words(design)}: {done} done, {len(design.cells) - done} to run")
        if adopted := store.adopted(study):
            print(
                f"{sum(adopted.values())} of them adopted, trained in other studies: "
                f"{adopted_words(adopted)}"
            )
        sys.stdout.flush()
    show = None
    if not store.open_cells(study) and spec.adaptive is not None:
        design = _next_wave(store, study, spec, design, arguments, kind, about) or design
    if not store.open_cells(study):
        print("nothing to do: every cell of this grid has been run")
        if store.is_behind(study):  # adopted cells have no trials yet, a deleted study none
            from runner.optuna_mirror.mirror import Mirror

            with Mirror(store, study) as mirror:
                mirror.keep()
            if not arguments.no_report:
                _dashboard(store, study)()
        code = 3 if counts.failed else 0
    else:
        show = None if arguments.no_report else _dashboard(store, study)

        def train(cells: Design) -> int:
            limited = budget and budget.of(cells, lambda: store.progress(study))
            return train_study(
                store, study, folder, arguments, spec=spec, publish=show, budget=limited
            )

        code = train(design)
        while code in (0, 3) and spec.adaptive is not None:
            more = _next_wave(store, study, spec, design, arguments, kind, about)
            if more is None:
                break
            design = more
            code = train(design)
        if show is not None:
            show()
    if code in (0, 3) and spec.tune is not None and spec.tune.compare:
        code = max(code, _train_as_given(store, spec, arguments, kind, about, budget))
    if code not in (0, 3, HOURS_OVER):
        return code
    cut = store.taken_out(study, design.cells)
    if cut:
        print(taken_out_words(cut, len(design.cells)), file=sys.stderr)
    if not arguments.no_report:
        report(store, study, folder)
    if store.status(study).failed:
        _say_failures(store, study)
    if code == HOURS_OVER and budget is not None:
        print(hours.closing_words(store, study, design, budget), file=sys.stderr)
    return CUT if cut else code


def _tuned(
    store: Store,
    spec: Spec,
    design: Design,
    arguments: argparse.Namespace,
    kind: Kind,
    about: Mapping[str, Any],
    budget: Budget | None,
) -> tuple[Spec, int]:
    """The specification with what tuning found, after its trials; any code but 0 ends the run."""
    from runner.commands.running.session import HOURS_OVER
    from runner.commands.tuning.search import Engine, search

    def register(part: Spec, cells: Design, tuning: dict[str, Any]) -> StudyInfo:
        return register_design(store, part, cells, kind, {**about, "tuning": tuning})[0]

    places = 1 if on_cluster(spec, arguments) else len(slots_here(spec, arguments))
    engine = Engine(
        store,
        register,
        lambda study, part, cells: _train(store, study, part, cells, arguments, budget),
        places,
        lambda text: None if arguments.quiet else print(printable(text), flush=True),
    )
    tuned, code = search(spec, design, engine)
    if code == HOURS_OVER:
        print(
            "the hours are over before tuning ended; the same command continues, with or without "
            "--hours",
            file=sys.stderr,
        )
    return tuned, code


def _train(
    store: Store,
    study: StudyInfo,
    spec: Spec,
    design: Design,
    arguments: argparse.Namespace,
    budget: Budget | None,
) -> int:
    """Train what is open of a study beside the grid's: trials, or the values as given."""
    from runner.commands.running.session import train_study

    folder = writable(study_folder(arguments.results, study.name))
    store.reconcile(study, folder / "attempts")
    limited = budget and budget.of(design, lambda: store.progress(study))
    return train_study(store, study, folder, arguments, spec=spec, budget=limited)


def _train_as_given(
    store: Store,
    spec: Spec,
    arguments: argparse.Namespace,
    kind: Kind,
    about: Mapping[str, Any],
    budget: Budget | None,
) -> int:
    """Run the grid with the values as the file gives them, in a study beside it."""
    from runner.design import design_of
    from runner.tuning.groups import as_given

    given = as_given(spec)
    design = design_of(given)
    study, _ = register_design(store, given, design, kind, about)
    if not store.open_cells(study):
        return 3 if store.status(study).failed else 0
    if not arguments.quiet:
        print(f"the same grid with the values as given, in {study.name}", flush=True)
    return _train(store, study, given, design, arguments, budget)


def _next_wave(
    store: Store,
    study: StudyInfo,
    spec: Spec,
    design: Design,
    arguments: argparse.Namespace,
    kind: Kind,
    about: Mapping[str, Any],
) -> Design | None:
    """Look at what is decided, say it, and plan the runs that follow; None where none do."""
    assert spec.adaptive is not None  # noqa: S101 - whoever calls has seen it
    more, sentence = after_look(store, study, spec, design, spec.adaptive)
    if not arguments.quiet:
        print(printable(sentence), flush=True)
    if more is not None:
        register_design(store, spec, more, kind, about)
    return more


def _refuse_to_shrink(store: Store, spec: Spec, design: Design) -> None:
    """Raise InputError where the study would lose cells of a design that others train now.

    One that holds no cell at this moment, because it starts or claims its next, is not seen: it
    finds out at its end.
    """
    leaving = store.leaving(spec.study, design.cells)
    if leaving and (trainers := store.trainers(spec.study)):
        raise InputError(f"study {spec.study}: {shrinking_words(leaving, trainers)}")


def register_design(
    store: Store, spec: Spec, design: Design, kind: Kind, about: Mapping[str, Any] | None = None
) -> tuple[StudyInfo, Planned]:
    """Bring the store up to the specification.

    Args:
        store: Where.
        spec: What.
        design: Its cells.
        kind: What they will train on.
        about: What the study keeps beside its specification, under keys that this does not read.
    """
    study = store.register(
        name=spec.study,
        profile=spec.profile,
        spec=spec.to_dict() | dict(about or {}),
        factors=levels_as_run(spec),
        replicates=spec.replicates,
        claims=[claim.text for claim in spec.claims],
    )
    ordered = ((cell, order) for order, cell in enumerate(design.cells))
    return study, store.plan(study, ordered, kind=kind)


def _dashboard(store: Store, study: StudyInfo) -> Callable[[], object]:
    """What brings the study's page in the dashboard up to date."""
    boards: list[Board] = []

    def publish() -> bool:
        from analysis.dashboard import Board

        if not boards:  # made in the thread that publishes: its imports take seconds
            boards.append(Board(store, study))
        return boards[0].publish()

    return publish


def _say_failures(store: Store, study: StudyInfo) -> None:
    reasons = store.status(study).reasons
    print(
        f"{sum(reasons.values())} failed ({failed_words(reasons)}): "
        + spoken(f"`python -m runner status {study.name}` shows them, `retry` puts them back"),
        file=sys.stderr,
    )
