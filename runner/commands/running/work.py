"""`work STUDY`: join a study as one more worker; leave at any time."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from ablations.registry import CONFINED_TO, check_confined, load_plugins
from runner.commands import options
from runner.commands.arguments import named_study, stored_specification, study_folder, writable
from runner.commands.placement import need_to_train
from runner.commands.running.session import FailsAlike, train_study
from runner.commands.waves import wants_more

if TYPE_CHECKING:
    from runner.content.own.trainer import Trainer
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

WAVE_SECONDS = 600.0
"""How long a worker that stays waits for the next wave: the look itself takes seconds."""

EXAMPLES = """examples:
  ABLATIONS_STORAGE=postgresql://user@host/db python -m runner work five_factor
  python -m runner work five_factor --devices cuda:0 --slots-per-device 4
  python -m runner work my_study --plugins ~/reviewed   # runs no plugin from elsewhere
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    options.store(parser)
    options.slots(parser)
    options.output(parser)
    options.failures(parser)
    parser.add_argument(
        "--plugins",
        metavar="DIR",
        help="run only plugins that lie in this folder, those of installed distributions too: the "
        "store names them, and whoever may "
        f"write to it chooses (default: ${CONFINED_TO}, else any that it names)",
    )
    parser.add_argument(
        "--stay",
        action="store_true",
        help="wait for the cells other workers still train, in case one of them is lost, and for "
        "the next wave where replicates come in waves",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.pool.cluster import TIED

    tied = bool(os.environ.get(TIED))
    if tied:  # started by a cluster's task: end with it, and with the wave that it was placed for
        from runner.pool.process.parent_death import die_with_parent

        die_with_parent()
    store, info = named_study(arguments)
    spec = stored_specification(store, info)
    need_to_train(spec)
    if arguments.plugins:  # of the cell processes too
        os.environ[CONFINED_TO] = str(Path(arguments.plugins).absolute())
    _load_plugins_of(spec)  # refused here rather than by every cell
    folder = writable(study_folder(arguments.results, info.name))
    arguments.backend = "local"
    try:
        code = train_study(store, info, folder, arguments, spec=spec, stay=arguments.stay)
        stays = arguments.stay and not tied
        while stays and code in (0, 3) and _wave_comes(store, info, spec):
            code = train_study(store, info, folder, arguments, spec=spec, stay=True)
    except FailsAlike as stopped:
        return stopped.say()
    return code


def _wave_comes(store: Store, info: StudyInfo, spec: Spec) -> bool:
    """Wait for the wave that `grid` plans after this one; False: none follows, or nobody plans it.

    A worker does not plan: the file that says what may run is where `grid` was given.
    """
    if spec.adaptive is None or not wants_more(store, info, spec.adaptive):
        return False
    print("waiting for the next wave, which `grid` plans", file=sys.stderr, flush=True)
    until = time.monotonic() + WAVE_SECONDS
    while time.monotonic() < until:
        if store.open_cells(info):
            return True
        time.sleep(1.0)
    print(
        f"nobody planned another wave in {WAVE_SECONDS / 60:.0f} minutes; `grid FILE` does",
        file=sys.stderr,
    )
    return False


def _check_trainer(trainer: Trainer) -> None:
    """Say which function or command the store has run here, and refuse one that may not be.

    Raises:
        InputError: it lies outside the folder that is allowed, or a file of it is not the one of
            the plan.
    """
    if os.environ.get(CONFINED_TO):
        if trainer.kind == "command":
            raise InputError(
                f"the study runs a command, {trainer.call!r}, which --plugins (${CONFINED_TO}) "
                "cannot confine: leave it out where everybody who may write to the store is trusted"
            )
        check_confined((trainer.call.rpartition(":")[0],))
    print(f"runs here: {trainer.words}", file=sys.stderr, flush=True)
    trainer.check_code()


def _load_plugins_of(spec: Spec) -> None:
    """Run the code that the store names: only after it was said, and held against the plan.

    Raises:
        InputError: a plugin may not be run here, or is not the one of the plan.
    """
    from runner.content.code import check_code, check_files

    check_confined(spec.plugins)
    check_files(spec.files)
    if spec.trainer is not None:
        _check_trainer(spec.trainer)
    if spec.plugins:
        print(f"plugins that run here: {', '.join(spec.plugins)}", file=sys.stderr, flush=True)
    load_plugins(spec.plugins)
    check_code(spec.code)
