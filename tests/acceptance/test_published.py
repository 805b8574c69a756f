"""The published study: its page says what its store says, and its files can be made again."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing

import pandas as pd
import pytest

from analysis.report.words.papers.methods import methods
from analysis.study import Study
from analysis.tuning.words import cost_of
from tests import published

MADE = re.compile(r"<!-- (\w+): made by `make published` -->.*?<!-- end of \1 -->", re.DOTALL)
ANSWER = re.compile(r"^- \*\*\(([a-e])\)(.*?)(?=^- |\Z)", re.DOTALL | re.MULTILINE)
SIGNED = re.compile(r"[+\N{MINUS SIGN}]\d+\.\d(?: \[[^\]]*\])?")


@pytest.fixture(scope="module")
def study() -> Study:
    return published.loaded()[0]


@pytest.fixture(scope="module")
def page() -> str:
    return published.PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def prose(page: str) -> str:
    """The page without its tables, a paragraph a line."""
    return re.sub(r"\n *(?=\S)", " ", MADE.sub("", page))


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return published.tables(*published.loaded())


def test_the_tables_of_the_page_are_those_of_the_store(page: str, made: dict[str, str]) -> None:
    assert published.filled(page, made) == page


def test_every_difference_in_the_prose_is_in_a_table(prose: str, made: dict[str, str]) -> None:
    told = SIGNED.findall(prose)
    assert len(told) >= 12
    cells = {cell.strip() for table in made.values() for cell in re.split(r"(?<!\\)\|", table)}
    missing = [one for one in told if one not in cells]
    assert not missing


def test_every_verdict_in_the_prose_is_that_of_its_claim(page: str, made: dict[str, str]) -> None:
    """Each advice is answered in the first paragraph, by verdicts that its claims have."""
    first = page.split("\n![", 1)[0]
    answers = dict(ANSWER.findall(first))
    assert list(answers) == list("abcde")
    rows = [re.split(r"\s*(?<!\\)\|\s*", row) for row in "\n".join(made.values()).splitlines()]
    for advice, text in answers.items():
        said = set(re.findall(r"supported|refuted|undecided", text))
        of = {row[4] for row in rows if len(row) > 4 and row[1] == advice}
        assert said, advice
        assert said <= of, (advice, said, of)


def test_the_counts_in_the_prose_are_those_of_the_store(study: Study, prose: str) -> None:
    reached = study.facts["converged"].astype(bool)
    assert f"{int(reached.sum())} reached" in prose
    assert f"Of {len(reached)} trainings" in prose
    for level, runs in reached.groupby(study.frame["bn_placement"], observed=True):
        assert f"{int(runs.sum())} of {len(runs)}" in prose, level
    chosen = {"bn_placement": ["none"], "init": ["he", "xavier"], "augmentation": ["basic"],
              "model.depth": ["11"]}  # fmt: skip
    of_them = study.frame[list(chosen)].astype(str).isin(chosen).all(axis=1)
    others = (study.frame["bn_placement"] == "none") & ~of_them
    assert f"{reached[of_them].sum()} of those {of_them.sum()} runs" in prose
    assert f"{reached[others].sum()} of the other {others.sum()}" in prose
    accuracy = 100 * study.facts["test_accuracy"][study.frame["bn_placement"] != "none"]
    assert f"{accuracy.mean():.0f} % on average and of {accuracy.max():.0f} % at best" in prose
    causes = study.causes.counts
    assert f"the {sum(causes.values())} runs" in prose
    told = {"wrong_init", "no_norm_layers", "too_few_epochs", "overfitting", "not known"}
    assert set(causes) == told
    for number in causes.values():
        assert re.search(rf"\*\*{number}\b", prose), number


def test_the_causes_are_where_the_prose_says(study: Study, prose: str) -> None:
    places = study.causes.placed
    of_init = Counter((one.levels["bn_placement"], one.levels["init"])
                      for one in places if one.kind == "wrong_init")  # fmt: skip
    assert set(of_init) == {("none", "naive")}
    bare = {(one.levels["bn_placement"], one.levels["init"])
            for one in places if one.kind == "no_norm_layers"}  # fmt: skip
    assert bare == {("none", "default"), ("none", "xavier")}
    unknown = [one.levels for one in places if one.kind == "not known"]
    deep, without, strong = (
        sum(one[factor] == level for one in unknown)
        for factor, level in (
            ("model.depth", "16"), ("bn_placement", "none"), ("augmentation", "strong"),
        )
    )  # fmt: skip
    assert f"{deep} have 16 layers, {without} no batch norm, {strong} strong augmentation" in prose


def test_what_it_cost_is_said(study: Study, prose: str) -> None:
    tuning = cost_of(study)
    seconds = tuning["seconds"] + float(study.facts["seconds"].sum())
    minutes = round(seconds / 60)
    assert f"{minutes // 60} h {minutes % 60} min of training" in prose
    assert f"{tuning['seconds'] / seconds:.0%} of it for tuning".replace("%", " %") in prose
    assert f"{int(tuning['runs'])} runs tuned" in prose
    with closing(sqlite3.connect(published.FOLDER / "study.db")) as store:
        runs, more = store.execute(
            "select count(*), sum(seconds) from cells where not planned and state = 'complete'"
        ).fetchone()
    assert f"{runs} further runs" in prose
    assert f"{more / 60:.0f} min for runs that are not counted" in prose


def test_a_part_of_what_is_published_is_made_again(study: Study) -> None:
    kept = json.loads((published.FOLDER / "effects.json").read_text("utf-8"))
    again = json.loads(json.dumps(study.document()))
    for part in ("claims", "main_effects", "contrasts", "convergence"):
        assert close(again[part], kept[part]), part
    figure = pd.read_csv(published.FOLDER / "figures" / "chief_interaction.csv")
    pd.testing.assert_frame_equal(
        study.plot.data("chief_interaction").reset_index(drop=True).astype(figure.dtypes), figure
    )


def close(one: object, other: object) -> bool:
    """Whether both hold the same, numbers to the roundings of another processor."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return one == other or one == pytest.approx(other, rel=1e-5, abs=1e-8)
    return one == other


def test_its_methods_say_what_was_run_and_how(study: Study) -> None:
    text = methods(study)
    assert text.startswith("We ran 192 of the 576 cells of a 3 × 4 × 4 × 3 × 2 × 2 factorial of ")
    tuned = "tuned for each combination of optimizer, scheduler and bn placement on validation data"
    assert f"Before the grid optimizer.lr was {tuned}, in 192 runs" in text
    assert "predicted by a model of main effects and pairs of factors" in text
    assert "a second part of the variance" in text


def test_how_the_second_setting_compares_is_said(prose: str) -> None:
    first, second = published.loaded()
    both = list(zip(first.claims()["verdict"], second.claims()["verdict"], strict=True))
    same = sum(one == other != "undecided" for one, other in both)
    never = sum(one == other == "undecided" for one, other in both)
    part = sum((one == "undecided") != (other == "undecided") for one, other in both)
    assert same + never + part == len(both)  # else one is reversed
    assert f"Of the {len(both)} verdicts {same} are the same there, {never} stay open" in prose
    assert f"none is reversed; {part} are undecided" in prose
    reached = second.facts["converged"].astype(bool)
    assert f"{int(reached.sum())} of {len(reached)} runs reached" in prose
