"""How often the grid that `doctor --repair --run` writes and runs repairs a mutant, and its cost.

    python -m tests.benchmarks.doctor.repairs CIFAR10_FOLDER [--strength 2] [--part 0/2]

The program itself is called, in a folder of its own with a file that makes the training. A line of
the raw file each, so that a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.doctor.mutants import MUTANTS, Mutant
from tests.benchmarks.doctor.rows import FOLDER, Row, append, measured_on, read, stamp

RAW, PAGE = FOLDER / "doctor_repairs.jsonl", FOLDER / "doctor_repairs.md"
STEPS = 60
"""Of a trial, as in `measure`."""
REPAIRABLE = 0.75
"""Of the grids that ran: hoped for."""

TRAINING = """from runner.doctor.watching.made import seed_all
from tests.benchmarks.doctor.mutants import MUTANTS


def make(seed=0):
    seed_all(seed)
    mutant = next(one for one in MUTANTS if one.name == {name!r})
    return mutant.made({root!r}, {strength})
"""


def one(root: Path, mutant: Mutant, strength: int) -> Row:
    """Diagnose a mutant with the program, and run the grid that it proposes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        text = TRAINING.format(name=mutant.name, root=str(root.resolve()), strength=strength)
        (folder / "my_train.py").write_text(text, "utf-8")
        command = [sys.executable, "-m", "runner", "doctor", "my_train.py:make", "--steps"]
        command += [str(STEPS), "--repair", "--run", "--json"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        if done.returncode not in (0, 3):
            raise RuntimeError(f"{mutant.name}: {done.returncode}: {done.stderr[-2000:]}")
        said = json.loads(done.stdout)
        grid = next(iter(folder.glob("*.yaml")), None)
        runs = 0 if grid is None else 2 * _replicates(grid.read_text("utf-8"))
    return {"causes": [cause["kind"] for cause in said["causes"]], "runs": runs} | _outcome(said)


def _replicates(text: str) -> int:
    line = next(one for one in text.splitlines() if one.startswith("replicates:"))
    return int(line.split()[1])


def _outcome(said: dict[str, Any]) -> Row:
    """What the grid found; `verdict` is "" where there was none to run."""
    found = said.get("repair", {})
    names = ("gain", "low", "high")
    return {"verdict": found.get("verdict", ""), **{name: found.get(name) for name in names}}


def measure(root: Path, strength: int, raw: Path, part: tuple[int, int]) -> None:
    """Run what is not in the raw file yet."""
    done = {(row["case"], row["strength"]) for row in read(raw)}
    for number, mutant in enumerate(MUTANTS):
        if (mutant.name, strength) in done or number % part[1] != part[0]:
            continue
        row = {"case": mutant.name, "strength": strength, "right": list(mutant.right)}
        row |= one(root, mutant, strength) | stamp("torch")
        append(raw, row)
        print(mutant.name, row["causes"], row["verdict"], row["low"], flush=True)


def page(rows: Sequence[Row]) -> str:
    """The table."""
    ran = [row for row in rows if row["verdict"]]
    raised = [row for row in ran if row["low"] is not None and row["low"] > 0]
    stands = sum(row["verdict"] == "supported" for row in ran)
    runs = sum(row["runs"] for row in ran)
    lines = ["| mutant | causes | runs | gain in points [95 % interval] | verdict |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        gain = "" if row["gain"] is None else _interval(row)
        verdict = row["verdict"] or ("changed by hand" if row["causes"] else "no cause named")
        causes = ", ".join(row["causes"]) or "none"
        lines.append(f"| {row['case']} | {causes} | {row['runs'] or ''} | {gain} | {verdict} |")
    share = f"{len(raised)} of {len(ran)} ({len(raised) / max(len(ran), 1):.0%})"
    return "\n".join([
        "# How often the repair that `doctor` proposes repairs", "",
        f"Mutants of [doctor.md](doctor.md) at strength {1 + rows[0]['strength']} of 3, each "
        f"diagnosed by the program with {STEPS} steps a trial, and the grid run that it wrote: "
        "the training as given and repaired, seeds of their own. Raised with an interval that "
        f"excludes zero: {share}; {REPAIRABLE:.0%} hoped for. By as much as the diagnosis asks "
        f"(supported): {stands}. {runs / max(len(ran), 1):.1f} runs a grid. What has to be "
        "changed by hand (labels, preparation of data, a network's outputs) has no grid.", "",
        *lines, "", measured_on(rows), "",
        "`python -m tests.benchmarks.doctor.repairs FOLDER_WITH_train_AND_test`; every grid is a "
        "line of `doctor_repairs.jsonl`.", "",
    ])  # fmt: skip


def _interval(row: Row) -> str:
    gain, low, high = (100 * float(row[name]) for name in ("gain", "low", "high"))
    return f"{gain:+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    """Measure what is missing, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.doctor.repairs")
    parser.add_argument("root", type=Path, help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--strength", type=int, default=2, choices=(1, 2, 3))
    parser.add_argument("--part", default="0/1", help="of so many processes: 0/2 and 1/2")
    given = parser.parse_args()
    number, of = map(int, given.part.split("/"))
    measure(given.root, given.strength - 1, RAW, (number, of))
    PAGE.write_text(page(read(RAW)), "utf-8")


if __name__ == "__main__":
    main()
