"""What a report opens with: at most three lines and a table, which follow the one judgement."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.loading import from_frame
from analysis.report.words.answer import answer
from analysis.report.words.brief.build import brief
from analysis.report.words.brief.records import MOST_LINES, Brief, BriefRow
from analysis.report.words.brief.rows import CLAIMS
from analysis.report.words.brief.text import WIDTH, markdown, plain, table_lines
from analysis.report.words.papers.tables import escape_markdown
from analysis.study import Study, known
from runner.content.cell import Cell
from runner.content.outcome import Outcome
from tests.analysis.report.simulated import outcome, simulate, specification
from tests.analysis.written import Written


def table_study(
    levels: Mapping[str, Sequence[str]],
    law: Callable[[dict[str, str]], float],
    seeds: int,
    noise: float = 0.01,
) -> Study:
    """A study of somebody's table: every combination with so many seeds."""
    draw = np.random.default_rng(7)
    rows = []
    for labels in itertools.product(*levels.values()):
        one = dict(zip(levels, labels, strict=True))
        for seed in range(seeds):
            rows.append({**one, "seed": seed, "acc": law(one) + draw.normal(0, noise)})
    replicate = "seed" if seeds > 1 else None
    return from_frame(pd.DataFrame(rows), list(levels), "acc", replicate)


def one_factor() -> Study:
    return table_study(
        {"optimizer": ["sgd", "adam"]}, lambda x: 0.1 * (x["optimizer"] == "adam"), 5
    )


def two_replicates() -> Study:
    levels = {"optimizer": ["sgd", "adam"], "bn": ["off", "on"]}
    return table_study(levels, lambda x: 0.1 * (x["optimizer"] == "adam"), 2)


def nothing_there() -> Study:
    return table_study({"a": ["x", "y"], "b": ["p", "q", "r"]}, lambda x: 0.5, 5)


def turning() -> Study:
    levels = {"a": ["one", "two"], "b": ["w", "x"]}
    return table_study(levels, lambda x: (x["a"] == "one") * (0.3 if x["b"] == "w" else -0.1), 5)


def once_each() -> Study:
    levels = {"a": ["x", "y", "z"], "b": ["p", "q", "r"], "c": ["m", "n"]}
    return table_study(levels, lambda x: 0.2 * (x["a"] == "x"), 1)


TABLES = [one_factor, two_replicates, nothing_there, turning, once_each]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """With one optimizer every run stalls, and some with the other: most do not get there."""
    folder = tmp_path_factory.mktemp("failing")

    def law(cell: Cell, seed: int) -> Outcome:
        labels = {level.factor: level.label for level in cell.levels}
        one = outcome(cell, seed)
        if labels["optimizer"] == "adam" and (labels["init"] == "he" or cell.replicate == 0):
            return replace(one, test_accuracy=0.9) if one.test_accuracy else one
        return replace(
            one, test_accuracy=0.1, best_validation_accuracy=0.1, final_validation_accuracy=0.1,
            curve=tuple(replace(row, validation_accuracy=0.1) for row in one.curve),
        )  # fmt: skip

    factors = {"optimizer": ["adam", "sgd_momentum"], "init": ["he", "naive"]}
    url, info = simulate(folder, specification(folder, factors, replicates=6), law=law)
    return analysis.load(info.name, url)


def check(found: Brief) -> None:
    assert 1 <= len(found.lines) <= MOST_LINES
    for line in found.lines:
        assert line.endswith(".")
        assert len(line) < 330, line
        assert not re.search(r"\bnan\b|\bNone\b|  |\bpp\b", line), line
    assert found.rows


@pytest.mark.parametrize("order", [("off", "on"), ("on", "off")])
def test_a_pair_is_told_of_the_level_that_is_higher_on_the_whole(order: tuple[str, str]) -> None:
    levels = {"momentum": list(order), "init": ["he", "small"]}
    gain = {"he": 0.1, "small": 0.3}
    study = table_study(levels, lambda x: 0.5 + (x["momentum"] == "on") * gain[x["init"]], 5)
    row = next(one for one in brief(study).rows if one.asked == "momentum × init")
    assert row.levels == "on over off, more with small than with he"
    assert float(row.effect) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("study", TABLES)
def test_at_most_three_lines_open_any_study(study: Callable[[], Study]) -> None:
    check(brief(study()))


def test_so_they_do_a_grid_while_it_runs_and_after(
    written: Written, partial: Written, failing: Study
) -> None:
    for one in (written.study, partial.study, failing):
        check(brief(one))


def test_the_first_line_names_what_decides(written: Written, failing: Study) -> None:
    assert (
        brief(one_factor()).lines[0].startswith("What improves acc: optimizer (adam over sgd: +0")
    )
    silent = brief(two_replicates()).lines
    assert len(silent) == 1
    assert silent[0].startswith("Two replicates of 4 combinations cannot tell")
    assert "a third replicate could" in silent[0]
    assert "optimizer, adam over sgd" in silent[0]
    assert "No factor is shown to change acc" in brief(nothing_there()).lines[0]
    first = brief(failing).lines[0]
    assert re.search(r"^\d+ of 24 runs reached|^Runs reach", first), first
    assert "optimizer" in first
    rates = written.study.convergence()
    best = answer(written.study).factors.sort_values("conv_estimate").iloc[-1]
    reached = brief(written.study).lines[0]
    assert reached.startswith(f"{rates.converged} of {rates.runs} runs reached 60% validation")
    assert f"what decides which: {best['factor']} (" in reached


def test_an_order_that_turns_round_is_said_in_the_second_line() -> None:
    found = brief(turning())
    assert found.lines[1].startswith("But the order turns round: one is ")
    assert [row.verdict for row in found.rows if row.asked == "a × b"] != ["not shown"]


def test_the_last_line_says_what_is_open_and_what_it_would_take() -> None:
    last = brief(nothing_there()).lines[-1]
    assert last.startswith("Undecided after 5 replicates: 4 of 4 differences between levels")
    assert "a second replicate would" in brief(once_each()).lines[-1]
    assert brief(one_factor()).lines[-1] == (
        "Every difference between levels is decided after 5 replicates."
    )


@pytest.mark.parametrize("study", TABLES)
def test_the_rows_follow_the_judgement(study: Callable[[], Study]) -> None:
    one = study()
    factors = answer(one).factors.set_index("factor")
    rows = {row.asked: row for row in brief(one).rows if row.asked in one.factors}
    assert set(rows) == set(one.factors)
    for name, row in rows.items():
        shown = bool(factors.loc[name, "shown"])
        assert row.needed.startswith("decided") == shown
        if one.judgement.silent:
            assert (row.verdict, row.needed) == ("undecided", "a third replicate")
        else:
            assert row.verdict == factors.loc[name, "sure"]


def test_the_claims_of_the_table_are_those_of_the_study(written: Written) -> None:
    claims = written.study.claims()
    rows = brief(written.study).groups[CLAIMS]
    assert [row.asked for row in rows] == claims["claim"].tolist()
    assert [row.verdict for row in rows] == claims["verdict"].tolist()
    sure = claims["verdict"].isin(["supported", "refuted"])
    assert [row.needed == "decided" for row in rows] == sure.tolist()
    assert all("replicate" in row.needed for row in rows if row.verdict == "undecided")
    counts = claims["verdict"].value_counts()
    assert f"{counts['undecided']} are undecided" in brief(written.study).lines[-1]


def test_what_a_row_would_take_is_what_is_known_of_its_difference() -> None:
    study = nothing_there()
    decided = known(study.decided)
    assert decided is not None
    table = decided.table
    rows = [row for row in brief(study).rows if row.asked in study.factors]
    assert len(rows) == 2
    for row in rows:
        own = table[table["factor"] == row.asked]
        pair = set(row.levels.split(" over "))
        (needed,) = (
            float(one["replicates_to_decide"])
            for one in own.to_dict("records")
            if {one["level"], one["reference"]} == pair
        )
        more = needed - decided.runs
        few = np.isfinite(more) and more <= 5 * 5
        told = f"about {more:.0f} more replicates" if few else "more than 25 replicates"
        assert row.needed == told


def test_a_table_fits_its_width_and_loses_nothing() -> None:
    rows = (
        BriefRow("acc", "a", "x over y", "+1.0 points", "[+0.5, +1.5]", "clear", "", "decided"),
        BriefRow("acc", "b" * 90, "", "n/a", "", "cannot be tested", "", "other runs than these"),
    )
    lines = table_lines(Brief(("One.",), rows))
    assert all(len(line) <= WIDTH for line in lines)
    assert sum("+1.0 points [+0.5, +1.5]" in line for line in lines) == 1
    assert lines[-2].strip() == "b" * 90
    assert "cannot be tested" in lines[-1]
    assert plain(Brief(("Nothing yet.",))) == ["Nothing yet."]


def test_names_stay_text_in_markdown() -> None:
    row = BriefRow("acc", "a|b: <x> > *y*", "", "+1", "[0, 2]", "clear", "", "decided")
    *_, last, end = markdown(Brief(("A <b>.",), (row,)), escape_markdown)
    assert end == ""
    assert len(re.findall(r"(?<!\\)\|", last)) == 5
    assert "<x>" not in last


def test_a_report_that_has_nothing_yet_opens_with_why(tmp_path: Path) -> None:
    url, info = simulate(tmp_path, specification(tmp_path, {"init": ["he", "naive"]}), finished=0)
    page = analysis.report.write_report(info.name, tmp_path / "r", partial=True, storage=url)
    (line,) = (page.parent / "findings.txt").read_text("utf-8").splitlines()
    assert line.startswith("Nothing can be estimated yet: ")
    assert line.partition(": ")[2][:20] in unescape(page.read_text("utf-8"))


def test_equal_levels_are_not_called_undecided() -> None:
    levels = {"a": ["x", "y"], "b": ["p", "q"]}
    assert brief(table_study(levels, lambda x: 0.5, 3, noise=0)).lines[-1] == (
        "There is no difference in acc between any levels."
    )


def test_combinations_that_never_ran_are_what_is_missing() -> None:
    whole = table_study({"a": ["x", "y"], "b": ["p", "q"]}, lambda x: 0.1 * (x["a"] == "x"), 3)
    frame = whole.frame[(whole.frame["a"] == "x") | (whole.frame["b"] == "p")]
    last = brief(from_frame(frame, ["a", "b"], "acc", "seed")).lines[-1]
    assert last.endswith("it takes other combinations, not more runs of these.")


def test_the_means_of_all_combinations_follow_where_there_is_room(written: Written) -> None:
    study = turning()
    found = brief(study).cells
    assert found is not None
    assert (found.heads, [row[0] for row in found.rows]) == ((("w", "x"),), ["one", "two"])
    means = [[float(one.replace("−", "-")) for one in row[1:]] for row in found.rows]
    assert np.array(means) == pytest.approx(study.cells.means, abs=6e-4)
    assert brief(one_factor()).cells is not None
    many = brief(written.study)
    assert many.cells is not None
    every = np.array([[float(one) for one in row[1:]] for row in many.cells.rows]) / 100
    assert every.ravel() == pytest.approx(written.study.cells.means.ravel(), abs=6e-4)
    lines = plain(many)
    assert max(map(len, lines)) <= max(WIDTH, *map(len, many.lines))
    assert any(line.startswith("Mean test accuracy (%) of every combination") for line in lines)
