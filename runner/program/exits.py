"""How a verb of either program ends: an exit code, and one sentence where that is no bug's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from ablations.errors import InputError
from runner.program.wording import printable

LONGEST_LINE = 600
"""Characters of one line of an error: more is an echo of what somebody wrote, and is cut."""


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
    except (InputError, MachineError) as error:
        print(f"error: {printable(cut_echo(str(error)))}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 4
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def cut_echo(message: str) -> str:
    """The message with the middle of each overlong line left out; its ends say what is wrong."""
    return "\n".join(map(_cut, message.splitlines()))


def _cut(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    head, tail = line[: LONGEST_LINE // 2], line[-LONGEST_LINE // 3 :]
    return f"{head} [... {len(line) - len(head) - len(tail):,} characters ...] {tail}"
