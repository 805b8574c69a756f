"""How a verb of either program ends: an exit code, and one sentence where the user can mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from ablations.errors import InputError
from runner.program.wording import brief


def exit_code_of(verb: Callable[[], int]) -> int:
    """Run a verb; its code, or that of the error it met.

    Returns:
        2 for what was given wrongly, 4 where no store answers, 130 after Ctrl-C, 0 where the
        reader of a pipe has seen enough. Anything else that is raised is a bug, and stays raised.
    """
    try:
        return verb()
    except InputError as error:
        print(f"error: {brief(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from runner.store import StoreError  # imports the database library: only when it matters

        if not isinstance(error, StoreError):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 4
