"""What do shared seeds buy? Variance of contrasts over shared seeds beside independent ones.

    python -m tests.benchmarks.shared_seeds                      # digits, 24 combinations x 16
    python -m tests.benchmarks.shared_seeds --images DIR --replicates 8

Trains a grid of 24 combinations whose cells share the seed of their replicate. A contrast has one
value in each replicate; were cells independent, the variance of these would be the sum of the
cells' own, so that the ratio of both says what sharing does: below 1 it helps. Then three seeds are
drawn many times, the same for all cells or each cell its own, and intervals of both kinds are held
against the contrast over all seeds. DIR is an image folder (`train/CLASS/*`, `test/CLASS/*`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

import analysis
from analysis.model.cell_means import CellMeans
from tests.benchmarks.coverage.estimators import estimate_many
from tests.benchmarks.coverage.worlds import Floats

FACTORS = {
    "augmentation": ["none", "strong"],
    "init": ["he", "naive"],
    "bn_placement": ["none", "before", "after"],
    "optimizer": ["adam", {"sgd_momentum": {"lr": 0.1}}],
}
DRAWN = 3
"""Replicates of the small studies that are drawn out of the large one."""


def specification(images: Path | None, replicates: int, limit: int) -> dict[str, object]:
    """The grid as a file holds it: the shipped one of slim networks, one scheduler."""
    data: dict[str, object] = {"name": "digits"}
    train = {"epochs": 6, "batch_size": 64, "target": 0.9}
    if images is not None:
        data = {"name": "image_folder", "root": str(images.resolve()), "limit": limit}
        train = {"epochs": 8, "batch_size": 64, "target": 0.4}
    return {
        "name": f"shared_seeds_{data['name']}",
        "seeds": "shared",
        "replicates": replicates,
        "factors": FACTORS,
        "fixed": {"scheduler": "cosine"},
        "data": data,
        "model": {"depth": 11, "width": 0.125},
        "train": train,
    }


def contrasts(cells: CellMeans) -> tuple[list[str], Floats]:
    """All differences of two levels and of two such differences, as weights of the cells."""
    names, rows = [], []
    steps = {factor: list(combinations(levels, 2)) for factor, levels in cells.factors.items()}
    for factor, pairs in steps.items():
        for first, second in pairs:
            names.append("difference of levels")
            rows.append(cells.difference({factor: first}, {factor: second}))
    for one, other in combinations(steps, 2):
        for first, second in steps[one]:
            for up, down in steps[other]:
                names.append("pair of factors")
                given = [
                    cells.difference({one: first}, {one: second}, {other: level})
                    for level in (up, down)
                ]
                rows.append(given[0] - given[1])
    return names, np.array(rows).reshape(len(rows), -1)


def ratios(values: Floats, names: list[str], weights: Floats) -> pd.DataFrame:
    """Variance over replicates over the sum of the cells' own, by kind of contrast.

    Args:
        values: shape (replicates, cells).
        names: kind of each contrast.
        weights: shape (contrasts, cells).
    """
    over = (values @ weights.T).var(axis=0, ddof=1)
    alone = weights**2 @ values.var(axis=0, ddof=1)
    table = pd.DataFrame({"kind": names, "over": over, "alone": alone, "ratio": over / alone})
    found = table.groupby("kind", sort=False).agg(
        count=("ratio", "size"), low=("ratio", "min"), high=("ratio", "max"),
        over=("over", "sum"), alone=("alone", "sum"),
    )  # fmt: skip
    return found.assign(ratio=found["over"] / found["alone"]).reset_index()


def drawn(values: Floats, weights: Floats, draws: int, seed: int = 0) -> pd.DataFrame:
    """Small studies drawn out of the large one: coverage and median width of contrasts.

    Returns:
        Columns seeds, rule, coverage, width.
    """
    rng = np.random.default_rng(seed)
    k, cells = values.shape
    truth = weights @ values.mean(axis=0)
    shared = np.array([values[rng.choice(k, DRAWN, replace=False)] for _ in range(draws)])
    order = rng.random((draws, k, cells)).argsort(axis=1)[:, :DRAWN]
    own = np.take_along_axis(np.broadcast_to(values, (draws, k, cells)), order, axis=1)
    rows = []
    for seeds, rule, runs in (("shared", "shared", shared), ("own", "welch", own)):
        got = estimate_many(runs, weights)
        half = getattr(got, rule)
        held = np.abs(got.estimate - truth) <= half
        rows.append((seeds, float(held.mean()), float(np.median(2 * half))))
    return pd.DataFrame(rows, columns=["seeds", "coverage", "width"])


def page(study: analysis.Study, draws: int) -> str:
    """The tables as Markdown."""
    cells = study.cells
    names, weights = contrasts(cells)
    values = cells.replicate_deviations.reshape(len(cells.replicate_names), -1)
    lines = [
        f"{study.name}: {values.shape[1]} combinations x {len(values)} shared seeds",
        "",
        "| contrasts | number | variance over shared seeds / of independent ones | range |",
        "|---|---|---|---|",
    ]
    for row in ratios(values, names, weights).itertuples():
        lines.append(
            f"| {row.kind} | {row.count} | {row.ratio:.2f} | {row.low:.2f} to {row.high:.2f} |"
        )
    lines += ["", f"{DRAWN} seeds drawn {draws} times, all contrasts:", ""]
    lines += ["| seeds | coverage | median width (points) |", "|---|---|---|"]
    for row in drawn(values, weights, draws).itertuples():
        lines.append(f"| {row.seeds} | {row.coverage:.1%} | {100 * row.width:.1f} |")
    return "\n".join(lines)


def main() -> int:
    """Train what is missing, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.shared_seeds")
    parser.add_argument("--images", type=Path, help="image folder in place of the digits")
    parser.add_argument("--limit", type=int, default=2000, help="images that are used of it")
    parser.add_argument("--replicates", type=int, default=16)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("results"))
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    asked = specification(options.images, options.replicates, options.limit)
    file = options.results / f"{asked['name']}.yaml"
    YAML().dump(asked, file)
    storage = f"sqlite:///{(options.results / 'ablations.db').resolve()}"
    command = [sys.executable, "-m", "runner", "grid", str(file), "--storage", storage]
    command += ["--results", str(options.results), "--no-report"]
    subprocess.run(command, check=True)
    print(page(analysis.load(str(asked["name"]), storage), options.draws))
    return 0


if __name__ == "__main__":
    sys.exit(main())
