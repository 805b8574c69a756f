"""`retry STUDY`: failed cells wait again, with a fresh count of attempts."""

from __future__ import annotations

import argparse

from runner.commands import options
from runner.commands.arguments import named_study
from runner.commands.sentences import failed_words
from runner.content.outcome import Reason
from runner.program.naming import spoken
from runner.program.wording import counted

EXAMPLES = """examples:
  python -m runner retry five_factor
  python -m runner retry five_factor --reason oom --reason killed
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    parser.add_argument(
        "--reason",
        action="append",
        choices=[reason.value for reason in Reason],
        help="only cells that failed for this reason; may be repeated",
    )
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    store, info = named_study(arguments)
    reasons = [Reason(value) for value in arguments.reason] if arguments.reason else None
    store.status(info)  # a damaged study is named before any of it is changed
    sent = store.retry(info, reasons)
    others = store.status(info).reasons
    then = ""
    if sent:
        then = (
            f": `{spoken('python -m runner work')} {info.name}` or the grid's own command runs them"
        )
    elif others:
        then = f"; what failed: {failed_words(others)}"
    wait = "waits" if sent == 1 else "wait"
    print(f"{counted(sent, 'cell')} of {info.name} {wait} again{then}")
    return 0
