"""At most three sentences: what decides, what goes with it, what is open and what it would take.

They say less than the paragraph (`words.answer`), never anything else: both read the same rows,
and those follow `Study.judgement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.model.completion import assumption
from analysis.number_words import difference_text, difference_words, signed, value_text
from analysis.report.words.answer import OPEN, UNTESTED, WHOLE, Answer
from analysis.report.words.brief.convergence_line import convergence_line
from analysis.report.words.brief.open_line import open_line
from analysis.report.words.brief.records import MOST_LINES
from analysis.report.words.brief.rows import pair_effect
from analysis.report.words.caveats import did_nothing
from analysis.report.words.names import readable
from analysis.report.words.pairs_shown import turning_terms
from analysis.report.words.progress import STRICT, so_far
from analysis.screening.words import screening_sentences
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study
    from runner.content.response import Response

MOST_NAMED = 3
"""Factors named in a line; the table has all."""


def lines(
    study: Study, found: Answer, convergence: Convergence | None, claims: pd.DataFrame
) -> tuple[str, ...]:
    """The sentences, the one that decides first; a factor that did nothing goes before all."""
    said = [f"{listed(nothing)}." for nothing in [did_nothing(study)] if nothing]
    reached = convergence_line(study, convergence)
    said += [reached] if reached else []
    if study.screened is not None:
        said += _screening(study)
    else:
        said.append(_outcome(study, found, convergence, alone=bool(reached)))
        together = "" if len(said) > 1 else _together(study, found)
        said += [together] if together else []
        alike = found.factors["sure"].eq("no difference").all()
        left = "" if alike and claims.empty else open_line(study, claims)
        said += [left] if left else []
    return tuple(said[:MOST_LINES])


def _screening(study: Study) -> list[str]:
    """Of many sentences the first, and what to run next."""
    found = study.screened
    if found is None or study.running:
        return []
    sentences = screening_sentences(found, study.follow_up)
    return [sentences[0], sentences[-1]] if len(sentences) > 1 else sentences


def _outcome(study: Study, found: Answer, convergence: Convergence | None, *, alone: bool) -> str:
    """What the outcome depends on, the largest difference with its interval."""
    measure, table = study.measure, found.factors
    all_did = ""
    if convergence is not None and not convergence.mixed and convergence.converged:
        all_did = f"every run {convergence.goal.did}{so_far(study)}; "
    if table["sure"].eq("no difference").all():
        text = f"there is no difference in {measure.name} between any levels{so_far(study)}"
        return _sentence(all_did + text)
    named = table[table["estimate"].notna() & table["best"].notna()]
    named = named.sort_values("estimate", ascending=False, key=abs, kind="stable")
    if study.judgement.silent:
        return _sentence(all_did + _seen(study, named))
    clear = named[named["shown"] & (named["sure"] != WHOLE)].to_dict("records")
    whole = [str(one) for one in named.loc[named["sure"] == WHOLE, "factor"]]
    if not clear:
        return _sentence(all_did + _none(study, named, whole))
    verb = "improves" if measure.known_direction else "changes"
    further = [_briefly(row, measure) for row in clear[1:MOST_NAMED]]
    more = len(clear) - 1 - len(further)
    further += [f"{more} more"] if more else []
    text = f"what {verb} {measure.name}{so_far(study)}: {_factor(clear[0], measure)}"
    text += f", then {listed(further)}" if further else ""
    if words := {assumption(str(row["rests_on"]), len(study.factors)) for row in clear} - {""}:
        text += f", {max(words)}"
    if whole:
        text += f"; levels of {listed(whole)} differ, which of them is open"
    return _sentence(all_did + text + (_pairs(study, found) if alone else ""))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _briefly(row: dict[Any, Any], measure: Response) -> str:
    """The better level and what it gives; the table has the interval."""
    return (
        f"{row['factor']} ({row['best']} {signed(row['estimate'] * measure.scale, measure.digits)})"
    )


def _factor(row: dict[Any, Any], measure: Response) -> str:
    value = difference_text(row["estimate"], row["low"], row["high"], measure)
    text = f"{row['factor']} ({row['best']} over {row['worst']}: {value}"
    if isinstance(row["top"], str) and row["top"] != row["best"]:
        first = "best" if measure.known_direction else "highest"
        text += f"; {row['top']} has the {first} mean, not told from {row['best']}"
    return f"{text})"


def _seen(study: Study, named: pd.DataFrame) -> str:
    """Why nothing is said, and what stands furthest apart where the runs are over."""
    text = study.judgement.silent
    if study.running or named.empty:
        return text
    row = named.iloc[0]
    value = difference_words(row["estimate"], np.nan, np.nan, study.measure).value
    value = value.removesuffix(" (no interval)")
    return f"{text} (seen: {row['factor']}, {row['best']} over {row['worst']}, {value})"


def _none(study: Study, named: pd.DataFrame, whole: list[str]) -> str:
    """That no single difference is shown, and which is the largest."""
    measure = study.measure
    if whole:
        return (
            f"levels of {listed(whole)} differ in {measure.name}{so_far(study)}, which of them "
            "is open"
        )
    rows = named[named["sure"] != UNTESTED]
    if rows.empty:
        return f"what changes {measure.name} cannot be tested with the runs at hand"
    row = rows.iloc[0]
    none = f"no factor is shown{so_far(study)} to change {measure.name}"
    largest = f"the largest difference is {_factor(dict(row), measure)}"
    if row["sure"] != OPEN:
        return f"{none}; {largest}"
    count = study.judgement.count
    why = STRICT if study.running else f"not with all {count} questions judged together"
    return f"{none}; {largest}, whose interval excludes zero by itself, but {why}"


def _pairs(study: Study, found: Answer) -> str:
    """Behind the line of the outcome: which factors must be read together."""
    turning = [readable(one) for one in turning_terms(study)]
    if turning:
        return f"; but the order of levels turns round in {_few(turning)}"
    return (
        f"; but they depend on each other in {_shown_pairs(study, found)}"
        if len(found.pairs)
        else ""
    )


def _shown_pairs(study: Study, found: Answer) -> str:
    """The first of the pairs with what it does, and how many more there are."""
    first = found.pairs.iloc[0]
    pair = f"{first['factor_a']}:{first['factor_b']}"
    levels, value = pair_effect(study, pair)
    what, more_with, where = levels.rpartition(", more with ")
    text = readable(pair)
    text += f" ({what}: {value.value}{more_with.lstrip(',')}{where})" if what else ""
    more = len(found.pairs) - 1
    return f"{text} and {counted(more, 'more pair')}" if more else text


def _few(names: list[str]) -> str:
    more = [f"{len(names) - MOST_NAMED} more pairs"] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *more])


def _together(study: Study, found: Answer) -> str:
    """A line of its own for what factors do together, else for the best combination."""
    if study.judgement.silent or len(study.factors) < 2:
        return ""
    kinds = study.interaction_kinds()
    turning = kinds[kinds["crossover"].eq(True)].sort_values("p_crossing", kind="stable")
    if len(turning):
        more = f", and so in {len(turning) - 1} more pairs" if len(turning) > 1 else ""
        first = turning.iloc[0]
        return f"But the order turns round{so_far(study)}: {first['sentence']}{more}."
    if len(found.pairs):
        return f"But factors depend on each other{so_far(study)} in {_shown_pairs(study, found)}."
    return _best(study)


def _best(study: Study) -> str:
    """The combination with the best mean, where one alone has it."""
    means, measure = study.cells.means, study.measure
    if not np.isfinite(means).any() or np.nanmax(means) == np.nanmin(means):
        return ""
    values = measure.sign * means
    tied = np.flatnonzero((values == np.nanmax(values)).ravel())
    if len(tied) > 1:
        return ""
    levels = study.cells.cell_levels(int(tied[0]))
    name = ", ".join(f"{factor} {level}" for factor, level in levels.items())
    first = "best" if measure.known_direction else "highest"
    of = int((study.cells.counts > 0).sum())
    return (
        f"The {first} of {of} combinations seen{so_far(study)} is {name} (mean "
        f"{value_text(float(means.ravel()[tied[0]]), measure)})."
    )
