"""Screening designs: what their arrays promise, what `plan` says of them, what is refused."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from runner.design import design_of, facts
from runner.design.search.quality import model_matrix
from runner.design.search.screening import array_of
from runner.spec import Spec, load_spec

SIZES = [(count, runs) for runs in (12, 16, 20, 24) for count in range(8, 16) if count < runs]
SHAPES = st.sampled_from([(count, runs) for count, runs in SIZES if runs != 16 or count == 8])
"""Those that a file may ask for."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("screening")
    (folder / "mine.py").write_text("def fit(seed, **choices): ...")
    return folder


def spec_of(
    folder: Path,
    factors: dict[str, str] | list[str],
    design: str = "{kind: screen}",
    more: str = "",
) -> Spec:
    """A study of these factors, of levels a and b where nothing else is said."""
    levels = factors if isinstance(factors, dict) else dict.fromkeys(factors, "[a, b]")
    lines = [
        "name: screened",
        "trainer: mine.py:fit",
        "factors:",
        *(f"  {name}: {text}" for name, text in levels.items()),
        f"design: {design}",
        "responses: accuracy",
        more or "replicates: 1",
    ]
    (folder / "study.yaml").write_text("\n".join(lines))
    return load_spec(folder / "study.yaml", cuda_visible=False)


def names(count: int) -> list[str]:
    return [f"f{place:02d}" for place in range(count)]


@pytest.mark.parametrize(("count", "runs"), SIZES)
def test_an_array_is_balanced_orthogonal_and_without_repetition(count: int, runs: int) -> None:
    codes = array_of(count, runs)
    assert codes.shape == (runs, count)
    assert len({tuple(run) for run in codes.tolist()}) == runs
    for one, other in combinations(codes.T, 2):
        assert np.bincount(2 * one + other, minlength=4).tolist() == [runs / 4] * 4


@pytest.mark.parametrize(("count", "runs"), SIZES)
def test_pairs_lean_on_no_main_effect_where_the_runs_have_mirror_images(
    count: int, runs: int
) -> None:
    signs = 2 * array_of(count, runs) - 1
    leaning = {
        abs(int(np.sum(signs[:, one] * signs[:, a] * signs[:, b]))) / runs
        for one in range(count)
        for a, b in combinations(range(count), 2)
        if one not in (a, b)
    }
    mirrored = (runs == 24 and count <= 12) or (runs == 16 and count == 8)
    assert (leaning == {0}) is mirrored
    runs_there = {tuple(run) for run in signs.tolist()}
    assert (runs_there == {tuple(run) for run in (-signs).tolist()}) is mirrored
    assert max(leaning) <= {12: 1 / 3, 16: 1, 20: 0.6, 24: 1 / 3}[runs] + 1e-9


@pytest.mark.parametrize("count", range(8, 12))
def test_a_study_that_grows_from_12_to_24_runs_keeps_its_cells(folder: Path, count: int) -> None:
    small, large, twice = (
        {cell.id for cell in design_of(spec_of(folder, names(count), *more)).cells}
        for more in (
            ("{kind: screen, runs: 12}",),
            ("{kind: screen}",),
            ("{kind: screen}", "replicates: 2"),
        )
    )
    assert len(small) == 12
    assert len(large) == 24
    assert len(twice) == 48
    assert small < large < twice


@settings(max_examples=8, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 2**16))
def test_what_plan_calls_estimable_is(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int], seed: int
) -> None:
    """A term is estimable if no other truth with the same outcomes has another value of it."""
    count, runs = shape
    folder = tmp_path_factory.getbasetemp() / "estimable"
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text("def fit(seed, **choices): ...")
    design = design_of(spec_of(folder, names(count), f"{{kind: screen, runs: {runs}}}"))
    found = facts(design)
    assert found is not None
    matrix, owners = model_matrix(np.array(design.runs), [2] * count, 2)
    truth = np.random.default_rng(seed).normal(size=matrix.shape[1])
    guess = np.linalg.pinv(matrix) @ (matrix @ truth)
    for column, term in enumerate(owners):
        if term:
            name = ":".join(names(count)[place] for place in term)
            same = bool(abs(guess[column] - truth[column]) < 1e-8)
            assert same is (name in found.estimable), name


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_files_order_decides_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "order"
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text("def fit(seed, **choices): ...")
    order = data.draw(st.permutations(names(9)))
    levels = {name: data.draw(st.sampled_from(["[a, b]", "[b, a]"])) for name in order}
    cells = {cell.id for cell in design_of(spec_of(folder, levels)).cells}
    assert cells == {cell.id for cell in design_of(spec_of(folder, names(9))).cells}


@pytest.mark.parametrize(
    ("factors", "design", "more", "sentence"),
    [
        (
            {**dict.fromkeys(names(8), "[a, b]"), "lr": "[1, 2, 3]"},
            "{kind: screen}",
            "",
            r"study.yaml:12: factors.lr: a screening design needs two levels a factor, lr has 3; "
            r"keep the two that are furthest apart",
        ),
        (names(7), "{kind: screen}", "", r"8 to 15 factors, here are 7; .*regular, resolution: 4"),
        (names(16), "{kind: screen}", "", r"8 to 15 factors, here are 16; hold 1 or more under"),
        (names(12), "{kind: screen, runs: 12}", "", r"runs: 12 tell at most 11 factors apart"),
        (names(9), "{kind: screen, runs: 16}", "", r"two that act together look exactly like a th"),
        (names(8), "{kind: screen, runs: 18}", "", r"design.runs: 18: expected 12, 16, 20 or 24"),
        (names(8), "{kind: screen}", "exclude: [{f00: a, f01: b}]", r"break the balance of a scr"),
    ],
    ids=[
        "three levels",
        "too few",
        "too many",
        "too few runs",
        "pairs are factors",
        "other runs",
        "excluded",
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(
    folder: Path, factors: dict[str, str] | list[str], design: str, more: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        design_of(spec_of(folder, factors, design, more))


def test_plan_says_what_it_can_tell_and_what_not(folder: Path) -> None:
    def said(count: int, design: str) -> str:
        found = facts(design_of(spec_of(folder, names(count), design)))
        assert found is not None
        return "\n".join(found.sentences)

    mirrored = said(10, "{kind: screen}")
    assert "24 of 1,024 combinations of 10 factors, once each (24 runs)" in mirrored
    assert "by the mean of 12 runs against that of the other 12" in mirrored
    assert "no two factors that act together can be taken for another" in mirrored
    assert "only few factors may matter; 'replicates: 2' would measure it" in mirrored
    assert "it cannot tell which factors act together" in mirrored
    leaning = said(10, "{kind: screen, runs: 12}")
    assert "add up to 33% of their joint effect to a third" in leaning
    assert "f00 with f01 for f02" in leaning
    assert "'runs: 24' mixes less" in leaning
    twice = facts(design_of(spec_of(folder, names(9), "{kind: screen, runs: 12}", "replicates: 2")))
    assert twice is not None
    assert any("24 combinations with half the replicates" in one for one in twice.sentences)
