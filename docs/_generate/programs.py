"""How the programs end, and what the environment tells them."""

from __future__ import annotations

from docs._generate.markdown import directive, table, text
from runner.entry.variables import VARIABLES
from runner.program.exits import EXIT_CODES


def exit_codes() -> str:
    """A table of exit codes."""
    return table(
        ("code", "meaning"), [(f"`{code}`", text(words)) for code, words in EXIT_CODES.items()]
    )


def variables() -> str:
    """Each environment variable with its sentence."""
    return "\n\n".join(directive("envvar", name, text(about)) for name, about in VARIABLES.items())
