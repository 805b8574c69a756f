"""`python -m tests.benchmarks.doctor.beside`: other tools on the published faults, and the table.

The doctor's rows are those of `python -m tests.benchmarks.doctor.published`, which are measured
first where they lack. Needs the `bench` extra and Lightning.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.doctor.beside.measure import RAW, measure
from tests.benchmarks.doctor.beside.page import page
from tests.benchmarks.doctor.published import measure as published
from tests.benchmarks.doctor.published.__main__ import chosen
from tests.benchmarks.doctor.published.cases import CASES
from tests.benchmarks.doctor.rows import FOLDER, read

PAGE = FOLDER / "doctor_beside.md"


def main() -> None:
    """Measure what is missing, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a diagnosis of the doctor")
    parser.add_argument("--cases", nargs="*", default=[], help="only those whose name has this")
    parser.add_argument("--raw", type=Path, default=RAW)
    parser.add_argument("--diagnoses", type=Path, default=published.RAW)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    cases = chosen(given.cases)
    measure(cases, given.seeds, given.raw)
    published.measure(cases, given.seeds, given.diagnoses, seconds=given.seconds, steps=None)
    budget = published.budget_words(given.seconds, None)
    diagnoses = [row for row in read(given.diagnoses) if row["budget"] == budget]
    given.page.write_text(page(CASES, read(given.raw), diagnoses), "utf-8")


if __name__ == "__main__":
    main()
