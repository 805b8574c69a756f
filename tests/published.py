"""The tables of `results/README.md`, made from the published study by `make published`.

The page is written by hand around them; `tests/acceptance/test_published.py` holds its numbers to
these tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import analysis
from analysis.study import Study

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "results" / "README.md"
FOLDER = ROOT / "results" / "published" / "cifar10-cpu"
STORE = f"sqlite:///{FOLDER / 'study.db'}"
STUDY, AGAIN = "cifar10_cpu", "cifar10_cpu_more"
ADVICE = {
    "augmentation": "a",
    "scheduler": "b",
    "init": "c",
    "bn_placement": "d",
    "optimizer": "e",
}
"""Which advice a claim is about, by its factor."""
AFTERWARDS = (
    "augmentation: strong > none",
    "augmentation: strong > basic on convergence",
    "scheduler: plateau > constant on convergence",
    "scheduler: cyclic > constant on convergence",
    "scheduler: one_cycle > constant on convergence",
    "init: he > default | bn_placement = none",
    "init: he > naive | bn_placement = before",
    "init: he > naive | bn_placement = after",
    "bn_placement: before > none | init = he",
    "bn_placement: before > none | model.depth = 11",
    "bn_placement: before > none on convergence | model.depth = 11",
    "bn_placement: before > none on convergence | model.depth = 16",
    "optimizer: sgd_momentum > adam | bn_placement = none",
    "optimizer: sgd_momentum > adam | bn_placement = before",
    "optimizer: sgd_momentum > adam | scheduler = one_cycle",
    "optimizer: sgd_momentum > adam on convergence",
)
"""Asked when the runs were seen, of the parts of the advice that no planned claim is about."""
PAIRS = (
    ("c", "init", "he", "naive", "bn_placement", "none", "after"),
    ("d", "bn_placement", "before", "none", "model.depth", "16", "11"),
    ("e", "optimizer", "sgd_momentum", "adam", "bn_placement", "before", "none"),
    ("e", "optimizer", "sgd_momentum", "adam", "augmentation", "none", "strong"),
)
"""Advice, factor, level, its reference, other factor: more at this level than at that."""
ENDS = ("estimate", "low", "high")


def points(row: Mapping[str, Any], sign: int = 1) -> str:
    """A difference with its interval: "+21.1 [+18.0, +24.2]"."""
    numbers = sorted(100 * sign * float(row[end]) for end in ENDS[1:])
    middle, low, high = (
        f"{one:+.1f}".replace("-", "\N{MINUS SIGN}")
        for one in (100 * sign * float(row[ENDS[0]]), *numbers)
    )
    return f"{middle} [{low}, {high}]"


def claimed(claims: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row a claim, of both settings."""
    rows = []
    for first, second in zip(claims, again, strict=True):
        advice = ADVICE[first["claim"].partition(":")[0]]
        said = f"`{first['claim']}`".replace("|", "\\|")
        cells = [points(first), first["verdict"], points(second), second["verdict"]]
        rows.append(f"| {' | '.join((advice, said, *cells))} |")
    return rows


def pair(contrasts: Sequence[Mapping[str, Any]], named: Sequence[str]) -> tuple[str, str]:
    """How much more one difference is at one level than at another, and what is said of it.

    Its limits hold for all such differences together, as in the report.
    """
    _, factor, level, reference, other, here, there = named
    (row,) = [
        one
        for one in contrasts
        if {*one["levels"]} == {factor, other}
        and {*one["levels"][factor]} == {level, reference}
        and {*one["levels"][other]} == {here, there}
    ]
    turned = (row["levels"][factor][0] != level) != (row["levels"][other][0] != here)
    # Runs without repeats have no variance of their own: the model's.
    by = row if row["welch"]["se"] is None else row["welch"]
    low, high = (by[f"{end}_simultaneous"] for end in ENDS[1:])
    numbers = {"estimate": by["estimate"], "low": low, "high": high}
    shown = low > 0 or high < 0
    return points(numbers, -1 if turned else 1), "differs" if shown else "not shown to differ"


def paired(*studies: Study) -> list[str]:
    """A row a pair of factors, of all settings."""
    contrasts = [one.document()["interaction_contrasts"] for one in studies]
    rows = []
    for one in PAIRS:
        advice, factor, level, reference, other, here, there = one
        said = (
            f"`{factor}: {level} > {reference}`, more with `{other} = {here}` than with `{there}`"
        )
        cells = [text for rows_of in contrasts for text in pair(rows_of, one)]
        rows.append(f"| {' | '.join((advice, said, *cells))} |")
    return rows


def tables(study: Study, again: Study) -> dict[str, str]:
    """Both tables by name, as Markdown."""
    head = [
        "| | claim | points | verdict | second setting | verdict |",
        "|:--|:--|--:|:--|--:|:--|",
    ]
    planned = [one.claims().to_dict("records") for one in (study, again)]
    later = [one.claims(AFTERWARDS).to_dict("records") for one in (study, again)]
    return {
        "verdicts": "\n".join([*head, *claimed(*planned)]),
        "afterwards": "\n".join([*head, *claimed(*later), *paired(study, again)]),
    }


def filled(page: str, made: Mapping[str, str]) -> str:
    """The page with its tables made anew.

    Raises:
        ValueError: it has no place for one of them.
    """
    for name, table in made.items():
        begin, end = f"<!-- {name}: made by `make published` -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"{PAGE.name} has no place for its {name}: {begin} ... {end}")
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def loaded() -> tuple[Study, Study]:
    """Both published studies."""
    return analysis.load(STUDY, STORE), analysis.load(AGAIN, STORE)


def main() -> None:
    """Write the tables into the page."""
    page = PAGE.read_text("utf-8")
    PAGE.write_text(filled(page, tables(*loaded())), "utf-8")


if __name__ == "__main__":
    main()
