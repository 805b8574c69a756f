"""Ask each tool about each training that is not in the raw file yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from runner.doctor.watching.made import Made
from tests.benchmarks.doctor.beside import lightning_checks, plain, postmortem
from tests.benchmarks.doctor.beside.answer import Answer
from tests.benchmarks.doctor.published.case import VERSIONS, Case
from tests.benchmarks.doctor.rows import FOLDER, Clock, append, read, stamp

RAW = FOLDER / "doctor_beside.jsonl"

PLAIN, TORCHMORTEM = "the loop alone", "torchmortem"
TOOLS: Mapping[str, Callable[[Callable[[], Made]], Answer]] = {
    PLAIN: plain.ask,
    TORCHMORTEM: postmortem.ask,
    "Lightning: anomalies, one batch": lightning_checks.ask,
    "Lightning: lr_find": lightning_checks.ask_rate,
}


def measure(cases: Sequence[Case], seeds: int, raw: Path) -> None:
    """Ask about both versions of each case at each seed; seed s makes the training with 2 s.

    Args:
        cases: in any order.
        seeds: how many.
        raw: the file that rows are appended to.
    """
    torch.set_num_threads(1)
    done = {(row["tool"], row["case"], row["version"], row["seed"]) for row in read(raw)}
    for tool in TOOLS:  # what a library loads at its first use is no cost of a training
        if any(
            (tool, c.make, v, s) not in done for c in cases for v in VERSIONS for s in range(seeds)
        ):
            TOOLS[tool](partial(cases[0].made, "corrected", 0))
    for seed in range(seeds):
        for case in cases:
            for version in VERSIONS:
                for tool, ask in TOOLS.items():
                    key = (tool, case.make, version, seed)
                    if key in done:
                        continue
                    clock = Clock()
                    answer = ask(partial(case.made, version, 2 * seed))
                    row = dict(zip(("tool", "case", "version", "seed"), key, strict=True)) | {
                        "detected": answer.detected, "means": answer.means,
                        "advises": answer.advises, "said": list(answer.said),
                        "failed": answer.failed,
                    }  # fmt: skip
                    append(raw, row | clock.spent() | stamp("torch", "torchmortem", "lightning"))
                    print(*key, row["means"], row["said"], answer.failed, flush=True)
