"""The table of published faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.benchmarks.doctor.published.case import NOT_PUBLISHED, TOOLS, Case
from tests.benchmarks.doctor.rows import Row, measured_on
from tests.benchmarks.table import markdown_table

COMMAND = "python -m tests.benchmarks.doctor.published"


def page(cases: Sequence[Case], rows: Sequence[Row]) -> str:
    """Markdown: what `doctor` said of each case, and what others are published to have said."""
    table = markdown_table(
        ("case", "fault", "right", "doctor, broken", "doctor, corrected", *TOOLS),
        [_line(case, [row for row in rows if row["case"] == case.make]) for case in cases],
    )
    return "\n".join([
        "# Published faults", "",
        f"{len(cases)} faults that others published, rebuilt in PyTorch from the facts (their code "
        "was not copied; data are synthetic or scikit-learn's), each broken and corrected. Which "
        "causes are right was written down before any diagnosis; no rule of the doctor was set on "
        "them.", "",
        *_totals(cases, rows), "", table, "",
        "Of the other tools only what is published is told, in their words, shortened; **bold** "
        "where those who published it count it as right. They were run on Keras programs with the "
        "data of the question: the columns stand beside each other, they are no race.", "",
        *_sources(cases), "",
        f"`{COMMAND}`; every diagnosis is a line of `doctor_published.jsonl`. "
        + (measured_on(rows) if rows else "Not measured yet."), "",
    ])  # fmt: skip


def _totals(cases: Sequence[Case], rows: Sequence[Row]) -> list[str]:
    if not rows:
        return ["Not measured yet."]
    right = {case.make: case.right for case in cases}
    broken = [row for row in rows if row["version"] == "buggy"]
    corrected = [row for row in rows if row["version"] == "corrected"]
    first = sum(named(row, right[row["case"]], 1) for row in broken)
    two = sum(named(row, right[row["case"]], 2) for row in broken)
    alarms = sum(bool(row["causes"]) for row in corrected)
    unsure = sum(not row["causes"] and not row["healthy"] for row in corrected)
    budgets = ", ".join(sorted({row["budget"] for row in rows}))
    cpu = sorted(row["cpu"] for row in rows)
    return [
        f"- The right cause was named first in {first} of {len(broken)} diagnoses of broken "
        f"versions, among the two named in {two}.",
        f"- Of {len(corrected)} corrected versions {alarms} raised a false alarm and {unsure} got "
        "'not known'.",
        f"- Each diagnosis had {budgets}; median {cpu[len(cpu) // 2]:.0f} s of one core.",
    ]


def named(row: Row, right: Sequence[str], within: int) -> bool:
    """Whether one of the right kinds is among the first so many."""
    return any(kind in right for kind, _ in row["causes"][:within])


def _line(case: Case, rows: Sequence[Row]) -> list[str]:
    broken = [row for row in rows if row["version"] == "buggy"]
    corrected = [row for row in rows if row["version"] == "corrected"]
    said = [case.said.get(tool) for tool in TOOLS]
    return [
        f"[{case.name}]({case.url})", case.fault, " or ".join(case.right),
        _each(_verdict(row, case.right) for row in broken),
        _each(_words(row) for row in corrected),
        *(NOT_PUBLISHED if one is None else f"**{one.words}**" if one.right else one.words
          for one in said),
    ]  # fmt: skip


def _each(words: Iterable[str]) -> str:
    """Words of several seeds, each once with how often."""
    every = list(words)
    if not every:
        return "not run yet"
    counted = {one: every.count(one) for one in every}
    if len(every) == 1:
        return every[0]
    return "; ".join(f"{one} ({count} of {len(every)})" for one, count in counted.items())


def _verdict(row: Row, right: Sequence[str]) -> str:
    for within, word in ((1, "**right**"), (2, "**right**, second")):
        if named(row, right, within):
            return word
    return _words(row)


def _words(row: Row) -> str:
    if row["causes"]:
        return ", ".join(kind for kind, _ in row["causes"])
    return "healthy" if row["healthy"] else "not known"


def _sources(cases: Sequence[Case]) -> list[str]:
    """Which case is from where."""
    return ["Sources:", "", *(f"- {case.name}: {case.source}" for case in cases)]
