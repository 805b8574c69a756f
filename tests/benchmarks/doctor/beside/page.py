"""The table of tools beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from tests.benchmarks.doctor.beside.meanings import CRITICAL, of_finding
from tests.benchmarks.doctor.beside.measure import PLAIN, TOOLS, TORCHMORTEM
from tests.benchmarks.doctor.published.case import Case
from tests.benchmarks.doctor.rows import Row, measured_on
from tests.benchmarks.table import markdown_table

COMMAND = "python -m tests.benchmarks.doctor.beside"
DOCTOR = "doctor"
CRITICAL_ALONE = "torchmortem, what it calls critical alone"

Key = tuple[str, str, int]
"""A training: its case, version and seed."""


def page(cases: Sequence[Case], rows: Sequence[Row], diagnoses: Sequence[Row]) -> str:
    """Markdown: detection, cause, false alarms and cost, tool by tool and case by case.

    Args:
        cases: in the order of the table.
        rows: of the other tools.
        diagnoses: the doctor's own, of `published`; those of trainings that every tool was asked
            about are counted.
    """
    every = by_tool(rows, diagnoses)
    asked = set.intersection(*(set(found) for found in every.values()))
    right = {case.make: case.right for case in cases}
    table = markdown_table(
        ("tool", "notices", "names the cause", "names or advises", "kinds it names",
         "false alarms", "CPU by the loop's"),
        [_line(tool, {key: found[key] for key in asked}, every[PLAIN], right)
         for tool, found in every.items()],
    ) if asked else "Not measured yet."  # fmt: skip
    return "\n".join([
        "# The doctor beside other tools", "",
        f"{len(cases)} published faults, each broken and corrected "
        "([their sources](doctor_published.md)). Each tool was used as its documentation describes "
        "it on the same trainings, for the whole training as planned (3,000 steps at most).", "",
        table, "",
        "- Notices: says of a broken training that something is wrong. False alarms: the same of a "
        "corrected one. For the doctor 'not known' counts as saying so, in both.",
        "- Names the cause: one of the kinds that were written down as right is what a message "
        "means, by the table in `tests/benchmarks/doctor/beside/meanings.py`; advises: its repair "
        "is among the advice. How many kinds a tool names of a broken training stands beside "
        "(median): who names all is always right. The doctor names two at most.",
        "- The loop alone: torch's own warnings, and a loss that is not finite.",
        "- Lightning: `detect_anomaly=True` over the whole training, `overfit_batches=1` (the loss "
        "has to fall to a half) and every warning about the training. `lr_find`: a rate ten times "
        "off the suggestion. Both limits are ours; its documentation names none.",
        "- CPU: process time by that of the loop alone, one core, median over trainings. The "
        "doctor has a budget of time instead, so that its multiple is large where a training takes "
        "a second or two, as here.",
        "",
        *_each_case(cases, every, asked), "",
        f"`{COMMAND}`; every answer is a line of `doctor_beside.jsonl`. "
        + (measured_on(rows) if rows else ""), "",
    ])  # fmt: skip


def by_tool(rows: Sequence[Row], diagnoses: Sequence[Row]) -> dict[str, dict[Key, Row]]:
    """Rows by tool and training, the doctor's in the same form as the others'."""
    order = [DOCTOR, *TOOLS]
    order.insert(order.index(TORCHMORTEM) + 1, CRITICAL_ALONE)
    every: dict[str, dict[Key, Row]] = {tool: {} for tool in order}
    for row in diagnoses:
        kinds = [kind for kind, _ in row["causes"]]
        same = {"detected": not row["healthy"], "means": kinds, "advises": [], "failed": ""}
        every[DOCTOR][_key(row)] = row | same | {"said": kinds or ["not known"]}
    for row in rows:
        every[row["tool"]][_key(row)] = row
    every[CRITICAL_ALONE] = {key: _critical(row) for key, row in every[TORCHMORTEM].items()}
    return every


def _critical(row: Row) -> Row:
    """An answer of torchmortem's whose reader heeds only what it calls critical."""
    said = [one for one in row["said"] if one.endswith(CRITICAL)]
    meanings = [of_finding(one) for one in said]
    return row | {
        "said": said, "detected": bool(said),
        "means": list(dict.fromkeys(kind for one in meanings for kind in one.means)),
        "advises": list(dict.fromkeys(kind for one in meanings for kind in one.advises)),
    }  # fmt: skip


def _key(row: Row) -> Key:
    return row["case"], row["version"], row["seed"]


def _line(
    tool: str,
    found: Mapping[Key, Row],
    plain: Mapping[Key, Row],
    right: Mapping[str, Sequence[str]],
) -> list[str]:
    broken = [row for row in found.values() if row["version"] == "buggy"]
    corrected = [row for row in found.values() if row["version"] == "corrected"]
    ratios = [row["cpu"] / max(plain[key]["cpu"], 0.01) for key, row in found.items()]
    return [
        tool,
        _of(sum(row["detected"] for row in broken), broken),
        _of(sum(_has(row["means"], right[row["case"]]) for row in broken), broken),
        _of(sum(_has(row["means"] + row["advises"], right[row["case"]]) for row in broken), broken),
        f"{median(len(row['means']) for row in broken):g}" if broken else "",
        _of(sum(row["detected"] for row in corrected), corrected),
        f"{median(ratios):.2g}" if ratios else "",
    ]  # fmt: skip


def _has(kinds: Sequence[str], right: Sequence[str]) -> bool:
    return any(kind in right for kind in kinds)


def _of(count: int, rows: Sequence[Row]) -> str:
    return f"{count} of {len(rows)}"


def _each_case(
    cases: Sequence[Case], every: Mapping[str, Mapping[Key, Row]], asked: set[Key]
) -> list[str]:
    """What each tool said of each broken training."""
    lines = ["What was said of the broken versions (first seed):", ""]
    for case in cases:
        key = (case.make, "buggy", 0)
        if key not in asked:
            continue
        lines.append(f"- **{case.name}** ({' or '.join(case.right)})")
        lines += [f"  - {tool}: {_words(every[tool][key])}" for tool in (DOCTOR, *TOOLS)]
    return lines


def _words(row: Row) -> str:
    said = "; ".join(row["said"][:6]) + ("; ..." if len(row["said"]) > 6 else "")
    failed = f" (could not be asked: {row['failed']})" if row["failed"] else ""
    return (said or "nothing") + failed
