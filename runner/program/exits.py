"""How a verb of either program ends: an exit code, and one sentence where that is no bug's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from ablations.errors import InputError, InputErrors
from runner.program.naming import spoken
from runner.program.wording import brief, counted, printable

MOST_MISTAKES = 20
"""Mistakes of one file that are said."""


EXIT_CODES = {
    "0": "done; of doctor: healthy",
    "1": "a bug in this program",
    "2": "what was given cannot be used",
    "3": "the grid ended, but some cells failed; of doctor: not healthy",
    "4": "the store, the disk or every device is gone, or the store is damaged",
    "5": "another command took cells out of this grid's design while it ran",
    "6": "the hours given by --hours are over, and cells are left to run",
    "75": "of a command that trains: try this cell again",
    "129, 130, 143": "stopped by a signal",
}
"""What the programs end with, and the one that a command of somebody's own may end with."""


class MachineError(Exception):
    """What the machine lacks or lost, in one sentence: neither the user's mistake nor a bug."""


def exit_code_of(verb: Callable[[], int]) -> int:
    """Run a verb; its code, or that of the error it met.

    Returns:
        2 for what was given wrongly, 4 where the machine cannot go on, 130 after Ctrl-C, 0 where
        the reader of a pipe has seen enough. Anything else that is raised is a bug, and stays
        raised.
    """
    try:
        return verb()
    except InputErrors as errors:
        for one in errors.each[:MOST_MISTAKES]:
            print(f"error: {printable(spoken(brief(str(one))))}", file=sys.stderr)
        if len(errors.each) > MOST_MISTAKES:
            rest = counted(len(errors.each) - MOST_MISTAKES, "more mistake")
            print(f"error: and {rest}", file=sys.stderr)
        return 2
    except (InputError, MachineError) as error:
        print(f"error: {printable(spoken(brief(str(error))))}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 4
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def exit_codes() -> str:
    """The codes of the programs as their help lists them."""
    ours = {code: words for code, words in EXIT_CODES.items() if code != "75"}
    width = max(map(len, ours))
    return "\n".join(f"  {code:<{width}}  {words}" for code, words in ours.items())
