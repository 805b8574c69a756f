"""Measure every shipped level and write the table: `python -m tests.benchmarks.levels`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from tests.benchmarks.levels import defaults, draws, rates, rules, untrained, verdicts
from tests.benchmarks.machine import in_words, machine

OUT = Path(__file__).parents[3] / "results" / "benchmarks" / "levels.md"


def text(images: int = 5_000, batch: int = 128, replicates: int = 3) -> str:
    """The whole table; `images` an augmentation, `batch` an untrained network."""
    found = machine()
    versions = " and ".join(
        f"{name} {found['packages'][name]}" for name in ("torch", "torchvision")
    )
    untrained_networks = untrained.render(untrained.measure(batch, replicates))
    sections = {
        "Each level": verdicts.table(),
        "init: untrained networks": untrained_networks,
        "init: what `he` might have been": rules.table(replicates),
        "scheduler: the learning rate": rates.table(),
        "optimizer: defaults": defaults.table(untrained.shipped("optimizer")),
        "augmentation: what is drawn": draws.table(images),
    }
    head = (
        "# What the levels mean\n\n"
        "The shipped levels, measured and held against torch, torchvision and "
        f"the papers. Made by `python -m tests.benchmarks.levels` with {versions} on "
        f"{in_words(found)}. "
        "[Decision 069](../../docs/decisions/069-levels-mean-what-people-mean.md) says what was "
        "changed.\n"
    )
    return head + "".join(f"\n## {title}\n\n{body}\n" for title, body in sections.items())


def main() -> None:
    """Write the table to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    torch.set_num_threads(1)  # a cell trains so, and the compiled kernels are for one core
    parser.parse_args().out.write_text(text())


if __name__ == "__main__":
    main()
