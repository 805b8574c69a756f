"""`work STUDY`: join a study as one more worker; leave at any time."""

from __future__ import annotations

import argparse
import os

from ablations.registry import load_plugins
from runner.commands import options
from runner.commands.arguments import named_study, stored_specification, study_folder, writable
from runner.commands.running.session import train_study

EXAMPLES = """examples:
  ABLATIONS_STORAGE=postgresql://user@host/db python -m runner work five_factor
  python -m runner work five_factor --devices cuda:0 --slots-per-device 4
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    options.store(parser)
    options.slots(parser)
    options.output(parser)
    parser.add_argument(
        "--stay",
        action="store_true",
        help="wait for the cells other workers still train, in case one of them is lost",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.pool.cluster import TIED

    if os.environ.get(TIED):  # started by a cluster's task: end with it
        from runner.pool.process.parent_death import die_with_parent

        die_with_parent()
    from runner.content.code import check_code

    store, info = named_study(arguments)
    spec = stored_specification(store, info)
    load_plugins(spec.plugins)  # refused here rather than by every cell
    check_code(spec.code)
    folder = writable(study_folder(arguments.results, info.name))
    arguments.backend = "local"
    return train_study(store, info, folder, arguments, spec=spec, stay=arguments.stay)
