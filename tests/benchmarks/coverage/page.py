"""The tables as Markdown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tests.benchmarks.coverage.estimators import METHODS
from tests.benchmarks.coverage.worlds import Scenario

KINDS: list[tuple[str, Callable[[str], bool]]] = [
    ("differences of levels", lambda t: t.startswith("difference")),
    ("marginal means", lambda t: t.startswith("mean")),
    ("interaction, simple effect", lambda t: t in ("interaction", "simple effect")),
]


def report(
    worlds: list[Scenario],
    covered: pd.DataFrame,
    wrong: pd.DataFrame,
    noisy: pd.DataFrame,
    draws: int,
    studies: int,
) -> str:
    """The result as Markdown."""
    lines = [
        "# Coverage, width and type-I error by simulation",
        "",
        f"`python -m tests.benchmarks.coverage --draws {draws} --studies {studies}`",
        "",
        *_covered_lines(worlds, covered, draws),
        "",
        *_wrong_lines(wrong, studies),
        "",
        *_noisy_lines(noisy, draws),
    ]
    return "\n".join(lines) + "\n"


def _range(values: pd.Series) -> str:
    low, high = values.min() * 100, values.max() * 100
    return f"{low:.1f} %" if round(low, 1) == round(high, 1) else f"{low:.1f} to {high:.1f} %"


def _summary(worlds: list[Scenario], covered: pd.DataFrame) -> list[str]:
    """Coverage and width of what the two rules promise, in sentences."""
    known = {world.name: world for world in worlds}
    of = covered["scenario"].map(known)
    three = of.map(lambda one: one.replicates > 2)
    whole, jumps = of.map(lambda one: one.complete), of.map(lambda one: one.falls > 0)
    alike = jumps & of.map(lambda one: one.falls_in == 1)
    some = jumps & ~alike
    own, heavy = of.map(lambda one: one.holds), of.map(lambda one: one.tails is not None)
    contrast = ~covered["target"].str.startswith("mean")
    welch, shared = covered["method"] == "welch", covered["method"] == "shared"
    plain = three & whole & ~jumps & ~heavy
    large = of.map(lambda one: one.means.size >= 24 and one.replicates > 2)
    few = of.map(lambda one: one.means.size == 8 or one.replicates == 2)
    rows = [
        ("Own seeds, Welch, three replicates or more, contrasts", own & welch & plain & contrast),
        ("the same, means", own & welch & plain & ~contrast),
        ("the same, heavy tails", own & welch & whole & heavy),
        ("the same, contrasts where runs of all cells fall alike", own & welch & alike & contrast),
        ("the same, contrasts where runs of some cells fall", own & welch & some & contrast),
        ("the same, means where runs fall", own & welch & (alike | some) & ~contrast),
        ("the same, two replicates", own & welch & whole & ~three),
        ("the same, runs lost or cells empty", own & welch & ~whole & three),
        (
            "Shared seeds by the rule, three replicates or more, something shared",
            ~own & shared & plain,
        ),
        ("the same, nothing shared", own & shared & plain),
        ("the same, two replicates, something shared", ~own & shared & whole & ~three),
    ]
    lines = ["| what | coverage | median width over the oracle's |", "|---|---|---|"]
    for said, chosen in rows:
        part = covered[chosen]
        ratio = part["oracle"]
        lines.append(
            f"| {said} | {_range(part['coverage'])} | {ratio.median():.2f} "
            f"({ratio.min():.2f} to {ratio.max():.2f}) |"
        )
    for said, chosen in (
        ("24 cells or more and three replicates or more", large),
        ("8 cells, or two replicates", few),
    ):
        part = covered[own & welch & whole & ~jumps & ~heavy & contrast & chosen]["oracle"]
        lines.append(
            f"| Own seeds, contrasts of {said} | | {part.median():.2f} "
            f"({part.min():.2f} to {part.max():.2f}) |"
        )
    return lines


def _covered_lines(worlds: list[Scenario], covered: pd.DataFrame, draws: int) -> list[str]:
    error = 1.96 * np.sqrt(0.95 * 0.05 / draws)
    rough = 1.96 * np.sqrt(0.95 * 0.05 / (draws // 8))
    lines = [
        "## Coverage of 95 % intervals, and their width",
        "",
        f"{draws:,} draws a world, so a single coverage of 95 % is known to ±{error * 100:.1f} "
        f"points; where runs are lost or cells empty {draws // 8:,} (±{rough * 100:.1f}). A "
        "difference whose interval misses zero where nothing has an effect is an error of its "
        "test, so that 100 % less the coverage is the type-I error of differences. The oracle "
        "knows the true standard deviation of the estimate: 1.96 of them to each side. Shared "
        "parts of the variance grow with a cell's own deviation unless the world says that they "
        "are alike in all.",
        "",
        *_summary(worlds, covered),
        "",
        "Each world: coverage is the range over the targets of a kind, width the median over the "
        "oracle's, averaged over them. Welch is the rule for own seeds, the only one for which "
        "worlds without a shared part are worlds of own seeds.",
        "",
        "| world | target | Welch | t over replicates | shared seeds, by the rule | widths |",
        "|---|---|---|---|---|---|",
    ]
    for scenario, rows in covered.groupby("scenario", sort=False):
        for kind, belongs in KINDS:
            part = rows[rows["target"].map(belongs)]
            cells = []
            for method in METHODS:
                values = part.loc[part["method"] == method, "coverage"]
                low, high = values.min() * 100, values.max() * 100
                cells.append(f"{low:.1f}" if len(values) == 1 else f"{low:.1f}-{high:.1f}")
            widths = part.groupby("method")["oracle"].mean()
            shown = " / ".join(f"{widths[m]:.2f}" for m in METHODS)
            lines.append(f"| {scenario} | {kind} | {' | '.join(cells)} | {shown} |")
    return lines


def _wrong_lines(wrong: pd.DataFrame, studies: int) -> list[str]:
    error = 1.96 * np.sqrt(0.05 * 0.95 / studies)
    titles = {
        "decides": "Tests that decide: verdicts, stars, sentences and lines in figures rest on "
        "these",
        "may be picked": "What the rule picks from, each on its own (Welch's hold without a "
        "shared part, those over replicates always)",
        "reference": "Shown for reference only, in effects.json and one table of the report: the "
        "classical F assumes one error variance",
    }
    lines = [
        "## Type-I error of 5 % tests",
        "",
        f"Share that rejects where nothing has an effect, {studies:,} studies a world (a single "
        f"test is known to ±{error * 100:.1f} points; the worst of several reads high), of 2x2x2 "
        f"{7 * studies:,} (±{error / 7**0.5 * 100:.1f}), of 6x3, of the real grid and where runs "
        "are lost or cells empty "
        f"{4 * studies:,} (±{error / 2 * 100:.1f}), where a cell is empty and nothing else "
        f"{8 * studies:,} (±{error / 8**0.5 * 100:.1f}).",
    ]
    for kind, title in titles.items():
        part = wrong[wrong["kind"] == kind]
        wide = part.pivot(index="test", columns="scenario", values="error")
        wide = wide.loc[list(dict.fromkeys(part["test"])), list(dict.fromkeys(part["scenario"]))]
        lines += ["", f"{title}:", ""]
        lines += ["| test | " + " | ".join(wide.columns) + " |", "|---" * (1 + wide.shape[1]) + "|"]
        for test, row in wide.iterrows():
            shown = (f"{x * 100:.1f} %" if np.isfinite(x) else "" for x in row)
            lines.append(f"| {test} | " + " | ".join(shown) + " |")
    return lines


def _noisy_lines(noisy: pd.DataFrame, draws: int) -> list[str]:
    wide = noisy.pivot(index="share", columns="replicates", values=["welch", "shared"])
    lines = [
        "## Where one cell brings most of the variance",
        "",
        "Coverage of 95 % intervals of a sum of 21 cells of which one brings the share and the "
        f"others the rest alike, {draws:,} draws each: Welch / by the rule for shared "
        "seeds. By chance the noisy cell is thought quiet, and Satterthwaite's degrees of freedom "
        "are then too many. More replicates are the remedy, of that cell above all.",
        "",
        "| share of the variance | " + " | ".join(f"{k} replicates" for k in (3, 5, 10)) + " |",
        "|---|---|---|---|",
    ]
    for share, row in wide.iterrows():
        shown = (
            f"{row['welch', k] * 100:.1f} / {row['shared', k] * 100:.1f} %" for k in (3, 5, 10)
        )
        lines.append(f"| {share:.0%} | " + " | ".join(shown) + " |")
    return lines
