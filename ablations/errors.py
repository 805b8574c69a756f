"""The one error that is the user's to mend.

Everything a person can get wrong (a file, a key, a level, an option, a database address) ends as an
`InputError`, one sentence that says what, where, what was expected and the nearest valid name.
The command line prints it without a traceback and exits with code 2.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from _ablate import DISTRIBUTION, OWN

TRAIN = f"pip install '{DISTRIBUTION}[train]'"
"""What brings the libraries that answering does without."""
OF_TRAIN = ("torch", "torchvision", "numba", "sklearn")
PARQUET = f"pip install '{DISTRIBUTION}[parquet]'"
"""What brings pyarrow, which only Parquet files need."""


class InputError(Exception):
    """What the user gave cannot be used; the message is one clear sentence.

    Where it is about one key of a file, such as `data.root`, that is said apart: whoever knows the
    file puts the place there, and nobody reads the key back out of the sentence.
    """

    def __init__(self, problem: str, key: str = "") -> None:
        super().__init__(problem, *([key] if key else []))
        self.problem = problem
        self.key = key

    def __str__(self) -> str:
        """The whole sentence."""
        return f"{self.key}: {self.problem}" if self.key else self.problem


class OptionError(InputError):
    """The value of an option of the command line cannot be used; `key` names the option."""

    def __init__(self, option: str, value: object, problem: str) -> None:
        super().__init__(problem, option)
        self.value = value
        self.args = (option, value, problem)  # what it is made of again in another process

    def __str__(self) -> str:
        """The whole sentence."""
        return f"{self.key} {self.value}: {self.problem}"


class InputErrors(InputError):
    """Several things that the user gave cannot be used, each a sentence of its own.

    Attributes:
        each: all of them; as one sentence they are the first, and how many there are besides.
    """

    def __init__(self, each: Sequence[InputError]) -> None:
        self.each = tuple(each)
        super().__init__(f"{each[0]} ({len(each) - 1} more after it)")
        self.args = (self.each,)  # what it is made of again in another process


class Mistakes:
    """Gathers what is wrong, so that a person reads all of it at once.

    Each part that can be looked at by itself stands in a block `with mistakes.noted():`; what
    needs all of them comes behind `mistakes.refuse()`.
    """

    def __init__(self) -> None:
        self._found: list[InputError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep what is refused within the block, which ends there."""
        try:
            yield
        except InputErrors as errors:
            self._found += errors.each
        except InputError as error:
            self._found.append(error)

    def refuse(self) -> None:
        """Raise what was found, if anything was; what was found twice is said once.

        Raises:
            InputError: the one mistake.
            InputErrors: all of them.
        """
        each = list({str(one): one for one in self._found}.values())
        if len(each) == 1:
            raise each[0] from None
        if each:
            raise InputErrors(each) from None


def did_you_mean(given: str, valid: Iterable[str]) -> str:
    """The tail of an error sentence: the nearest valid name, or all of them when none is near."""
    names = sorted(set(valid))
    near = get_close_matches(given, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"expected one of {', '.join(names)}" if names else "no name is valid here"


def raised_in(error: BaseException, source: str) -> str:
    """An exception of a plugin as one line, with the line of its file that it came through."""
    message = " ".join(str(error).split())[:500]
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == source]
    return f"{said} ({source}:{lines[-1]})" if lines else said


def import_hint(error: BaseException) -> str:
    """The tail of a sentence about a module of theirs: what to do where that is known.

    That is, where it looked for a module of its own in a package of ours, or torch is not there.
    """
    package = ""
    if isinstance(error, ImportError):
        package = (error.name or "").partition(".")[0]
    elif isinstance(error, AttributeError):
        package = getattr(error.obj, "__name__", "").partition(".")[0]
    if package in OWN:
        return f"; {package!r} is a package of this program, give the module of yours another name"
    return f"; {TRAIN} brings it" if package in OF_TRAIN else ""
