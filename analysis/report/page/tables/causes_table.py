"""Why runs did not converge, as a table: each cause, how many runs have it, and one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.doctor.causes.kinds import KINDS
from runner.doctor.cells.why import NOT_KNOWN

if TYPE_CHECKING:
    from analysis.causes.found import Causes

SHORT_ID = 8
"""Digits of a cell's identity that the page shows."""


def causes_table(found: Causes | None) -> dict[str, Any] | None:
    """Head, rows and title; None where every run converged."""
    if found is None or not found.any:
        return None
    judged = [one for one in found.of if one is not None]
    rows = []
    for kind, count in found.counts.items():
        cell, why = next(
            (cell, one)
            for cell, one in zip(found.cells, found.of, strict=True)
            if one is not None and not one.healthy and one.kind == kind
        )
        title = KINDS[kind].title if kind != NOT_KNOWN else "Not known"
        shows = why.causes[0].evidence if why.causes else "Nothing that it left shows a cause."
        also = sum(any(cause.kind == kind for cause in one.causes[1:]) for one in judged)
        second = f" (second in {also} more)" if also else ""
        rows.append([title, f"{count}{second}", shows, cell[:SHORT_ID]])
    names = ("Cause", "Runs", "What shows it, in one of them", "That run")
    return {
        "title": "Why runs did not converge, by their likeliest cause: told from their curves and "
        "from what their layers did, without running a repair; `show` tells a run's own",
        "head": [{"text": name, "number": False} for name in names],
        "rows": rows,
    }


def shown_titles(found: Causes | None) -> list[str] | None:
    """A run's likeliest cause in words, "" of one that converged; None where all did."""
    if found is None or not found.any:
        return None
    return ["" if one is None or one.healthy else one.title for one in found.of]
