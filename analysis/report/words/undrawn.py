"""A display that cannot be made costs that display: one line says so where it would stand.

Whatever a figure, a panel, a section or a table raises becomes that line, with its name and the
reason, and is logged; what stands beside it comes out as it should. What cannot be written to disk
is no matter of a display and is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ablations.errors import InputError

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Displays that are made one by one.

    Attributes:
        lines: by the display's key, the line that stands in its place.
    """

    lines: dict[str, str] = field(default_factory=dict)

    def make(self, key: str, what: str, ask: Callable[[], T]) -> T | None:
        """What `ask` gives; None where it raises, and then there is a line.

        Args:
            key: of the line.
            what: the display's name at the start of the line: "Figure Contrasts".
            ask: makes it.

        Raises:
            OSError: a file cannot be written.
        """
        try:
            return ask()
        except OSError:
            raise
        except Exception as error:
            self.failed(key, what, error)
            return None

    def failed(self, key: str, what: str, error: Exception) -> None:
        """Put the line of a display that raised, and log it."""
        expected = isinstance(error, InputError)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        line = f"{what} could not be made: {' '.join(reason.split()).rstrip('.')}."
        self.lines[key] = line
        log.log(logging.INFO if expected else logging.WARNING, "%s", line)
        log.debug("%s", key, exc_info=error)
