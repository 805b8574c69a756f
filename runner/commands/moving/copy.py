"""`copy STUDY --to URL`: a study in another store, to go on elsewhere or to be kept."""

from __future__ import annotations

import argparse

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import named_study
from runner.program.naming import spoken
from runner.program.wording import counted

EXAMPLES = """examples:
  python -m runner copy five_factor --to published/five_factor.db
  python -m runner copy five_factor --storage published/five_factor.db --to results/ablations.db
  ABLATIONS_STORAGE=postgresql://user@host/db python -m runner copy five_factor --to laptop.db
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    parser.add_argument(
        "--to",
        required=True,
        metavar="URL",
        help="the other store: a SQLite file or a SQLAlchemy URL; made when it is not there",
    )
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.store import open_store
    from runner.store.database.address import resolve_address

    store, info = named_study(arguments)
    if str(resolve_address(arguments.to)) == str(store.address):
        raise InputError(f"is the store that holds {info.name} already: {store.address}", "--to")
    store.status(info)  # a damaged study is named before anything is made
    with open_store(arguments.to, create=True) as other:
        copied = store.copy(info, other)
        print(
            f"{info.name} copied to {other.address}: {counted(copied.cells, 'cell')}, "
            f"{copied.complete} of them complete"
        )
        for name in copied.studies:
            if name != info.name:
                print(f"  with {name}")
    if copied.complete < copied.cells:
        print(f"`{spoken('python -m runner grid')} FILE --storage URL` there goes on with the rest")
    return 0
