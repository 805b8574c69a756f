"""Run all worlds and write the tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from tests.benchmarks.coverage.errors import errors
from tests.benchmarks.coverage.estimators import coverage, coverage_incomplete, one_noisy_cell
from tests.benchmarks.coverage.page import report
from tests.benchmarks.coverage.worlds import scenarios

OUT = Path(__file__).parents[3] / "results" / "benchmarks" / "coverage.md"


def main() -> int:
    """Run all worlds and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.coverage")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    worlds, nulls = scenarios()
    side_by_side = Parallel(n_jobs=options.jobs)
    longest = sorted(range(len(nulls)), key=lambda i: -nulls[i].more)
    found = side_by_side(delayed(errors)(nulls[i], options.studies, 100 + i) for i in longest)
    wrong = pd.concat([found[longest.index(i)] for i in range(len(nulls))])
    covered = pd.concat(
        side_by_side(
            delayed(coverage)(w, options.draws, i)
            if w.complete
            else delayed(coverage_incomplete)(w, options.draws // 8, i)
            for i, w in enumerate(worlds)
        )
    )
    noisy = one_noisy_cell(options.draws, len(worlds))
    text = report(worlds, covered, wrong, noisy, options.draws, options.studies)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
