"""What a person says of a table's form, and the table with one row a run.

Nothing is guessed in silence: what was joined, made up or left out is a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ablations.errors import InputError
from analysis.table.forms.nesting import nest
from analysis.table.forms.numbers import Written, read_written
from analysis.table.forms.summary import Spread, expand, find_spread, note_on, unused
from analysis.table.forms.wide import columns_matching, replicate_name, siblings, to_long

VALUE = "value"
"""What the outcome of a wide table is called where nobody named it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Said of a table; nothing by default.

    Attributes:
        wide: the columns of one outcome, a column a seed: "seed*".
        std: in a table of means, the column of their standard deviations.
        n: in a table of means, the column of their counts, or one count of all.
        nested: "Run:Day", replicates within larger units.
    """

    wide: str | None = None
    std: str | None = None
    n: str | None = None
    nested: str | None = None


@dataclass(frozen=True, eq=False)
class Shaped:
    """A table with one row a run, and the names its columns have now.

    Attributes:
        frame: of texts or numbers.
        response: the outcome.
        replicate: or None.
        unit: "%" where the outcome was written in percent.
        notes: what a reader must know.
    """

    frame: pd.DataFrame
    response: str
    replicate: str | None
    unit: str = ""
    notes: tuple[str, ...] = ()


def reshape(
    frame: pd.DataFrame,
    factors: Sequence[str],
    response: str | None,
    replicate: str | None,
    shape: Shape,
    where: str,
    decimal_comma: bool = False,
) -> Shaped:
    """Give a table one row a run.

    Args:
        frame: as it was read.
        factors: columns of the factors.
        response: column of the outcome; of a wide table what it is to be called, or None.
        replicate: column of the replicate, or None.
        shape: what was said.
        where: how messages name the table.
        decimal_comma: what a lone comma in a number rather is.

    Raises:
        InputError: what was said does not fit the table.
    """
    notes: list[str] = []
    frame = frame.reset_index(drop=True)
    columns = [str(name) for name in frame.columns]
    if shape.wide is not None:
        names = [one for one in columns_matching(frame, shape.wide, where) if one not in factors]
        response = response if response and response not in columns else VALUE
        if replicate is None or replicate in columns:
            replicate = replicate_name(names, [*columns, response])
        frame = to_long(frame, names, response, replicate)
        notes.append(f"{len(names)} columns ({names[0]} to {names[-1]}) are the runs of {response}")
    if response is None:
        raise InputError("no response was named: expected the column of the outcome")
    wanted = {*factors, response}
    if not factors or len(set(columns)) < len(columns) or not wanted <= set(frame.columns):
        return Shaped(frame, response, replicate, "", tuple(notes))  # refused by name later
    same = siblings(columns, response, [*factors, *([replicate] if replicate else [])])
    if shape.wide is None and len(same) > 1:
        stem = same[0].rstrip("0123456789")
        notes.append(
            f"only {response} is analysed: {', '.join(same)} look like one outcome, a column a "
            f"seed, which --wide '{stem}*' takes together"
        )
    written = read_written(frame[response], response, where, decimal_comma)
    if written.note:
        notes.append(written.note)
    spread = find_spread(frame, factors, response, written, Spread(shape.std, shape.n), where)
    if spread is not None:
        if replicate is not None:
            raise InputError(
                f"{where} has means of runs, of which no replicate is known: leave --block out"
            )
        frame = expand(frame, response, written, spread, where)
        notes.append(note_on(frame, response, spread))
    elif (std := unused(frame, factors, response)) is not None:
        notes.append(
            f"each row counts as one run; if {std} is the deviation of several behind each, say "
            f"how many with --std {std} --n"
        )
    if spread is None and written.texts is not None:
        if written.has_spreads:
            notes.append(
                f"what stands behind the \u00b1 of {response} is not used: each row is a run"
            )
        frame = frame.assign(**{response: _texts(frame[response], written)})
    if shape.nested is not None:
        if replicate is not None:
            raise InputError(
                f"--nested {shape.nested} says what the replicates are: leave --block out"
            )
        nested = nest(frame, shape.nested, factors, response, where)
        frame, replicate = nested.frame, nested.replicate
        notes.append(nested.note)
    return Shaped(frame, response, replicate, written.unit, tuple(notes))


def _texts(column: pd.Series, written: Written) -> pd.Series:
    """The outcome in plain decimals, which keep digits that a float would lose."""
    return pd.Series(written.texts, index=column.index, dtype=object)
