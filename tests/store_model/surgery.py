"""`python -m tests.store_model.surgery [--jobs N] [--out FILE]`: which store mutants are found.

Each mutant is made in a copy of the package. First the state machine looks for it, on SQLite, with
no more lives than `make test` gives it; what it lets through meets the tests of the store, on
SQLite too. A mutant nobody finds is a promise of the store that nothing holds it to.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.store_model.machine import EXAMPLES, STEPS
from tests.store_model.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
MACHINE = ("tests.store_model.machine", str(EXAMPLES), str(STEPS))
CONTRACT = (
    "pytest",
    *(f"tests/store_contract/test_{name}.py" for name in ("leasing", "endings", "recovery")),
    *(f"tests/store_contract/test_{name}.py" for name in ("planning", "adoption")),
    *("tests/runner/store/test_liveness.py", "-xqp", "no:cacheprovider", "-k", "not postgresql"),
)
BY_MACHINE, BY_NOBODY = "the state machine", "nobody"


def operate(mutant: Mutant | None, folder: Path) -> None:
    """A copy of the package in `folder`, with the change."""
    shutil.copytree(ROOT / "runner", folder / "runner")
    for name in ("ablations", "tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    if mutant is not None:
        path = folder / "runner" / "store" / mutant.file
        text = path.read_text("utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.old!r} is not once in {mutant.file}"
        changed = text.replace(mutant.old, mutant.new)
        compile(changed, str(path), "exec")
        path.write_text(changed, "utf-8")


def found_by(mutant: Mutant | None) -> str:
    """Who finds a mutant: the state machine, else the first test of the store that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        operate(mutant, folder)
        if _run(MACHINE, folder).returncode:
            return BY_MACHINE
        tests = _run(CONTRACT, folder)
        if not tests.returncode:
            return BY_NOBODY
        failed = re.search(r"^(?:FAILED|ERROR) \S*?(\w+\.py::\w+)", tests.stdout, re.MULTILINE)
        return f"`{failed[1]}`" if failed else "the tests of the store"


def _run(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


def render(found: Sequence[tuple[Mutant, str]], seconds: float, jobs: int) -> str:
    """The page."""
    killed = sum(by != BY_NOBODY for _, by in found)
    machine = sum(by == BY_MACHINE for _, by in found)
    left = [mutant.what for mutant, by in found if by == BY_NOBODY]
    rows = [f"| {mutant.what} | `{mutant.file}` | {by} |" for mutant, by in found]
    return "\n".join(
        [
            "# Mutants of the store",
            "",
            f"{killed} of {len(found)} one-line changes of claims, leases, endings, recovery and "
            f"planning are found: {machine} by the state machine in the {EXAMPLES * STEPS:,} steps "
            f"of `make test`, the others by the tests of the store. "
            f"Survivors: {', '.join(left) or 'none'}.",
            "",
            f"Made whole, all {len(found)} in one run of `python -m tests.store_model.surgery "
            f"--jobs {jobs}`, {seconds / 60:.0f} minutes; the changes themselves are in "
            "`tests/store_model/mutants.py`.",
            "",
            "| the change | file | found by |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Try all, or those whose description holds a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="the page is written there")
    parser.add_argument("--only", default="", help="mutants whose description holds this")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at once")
    arguments = parser.parse_args()
    if arguments.out is not None and arguments.only:
        parser.error("the page is of all mutants: --out goes without --only")
    began = time.monotonic()
    healthy = found_by(None)
    if healthy != BY_NOBODY:
        sys.exit(f"the unchanged store is refused by {healthy}")
    found = []
    tried = [one for one in MUTANTS if arguments.only in one.what]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for mutant, by in zip(tried, pool.map(found_by, tried), strict=True):
            found.append((mutant, by))
            print(f"{mutant.what}: {by}", flush=True)
    if arguments.out is not None:
        page = render(found, time.monotonic() - began, arguments.jobs)
        arguments.out.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
