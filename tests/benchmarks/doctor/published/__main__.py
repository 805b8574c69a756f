"""`python -m tests.benchmarks.doctor.published`: diagnose the published faults, write the table."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.doctor.published.case import Case
from tests.benchmarks.doctor.published.cases import CASES
from tests.benchmarks.doctor.published.measure import RAW, measure
from tests.benchmarks.doctor.published.page import page
from tests.benchmarks.doctor.rows import FOLDER, read

PAGE = FOLDER / "doctor_published.md"


def chosen(names: list[str]) -> list[Case]:
    """Cases by a part of what they are called; all where none is given."""
    return [case for case in CASES if not names or any(one in case.make for one in names)]


def main() -> None:
    """Measure what is missing, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a diagnosis")
    parser.add_argument("--steps", type=int, help="of a trial, in place of the seconds")
    parser.add_argument("--cases", nargs="*", default=[], help="only those whose name has this")
    parser.add_argument("--part", default="0/1", help="of so many processes: 0/2 and 1/2")
    parser.add_argument("--raw", type=Path, default=RAW)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    number, of = map(int, given.part.split("/"))
    measure(
        chosen(given.cases), given.seeds, given.raw,
        seconds=given.seconds, steps=given.steps, part=(number, of),
    )  # fmt: skip
    given.page.write_text(page(CASES, read(given.raw)), "utf-8")


if __name__ == "__main__":
    main()
