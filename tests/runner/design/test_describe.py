"""What a design can tell is said in the study's words, and right."""

from __future__ import annotations

import pytest

from runner.design import design_of, facts
from runner.spec import Predicate
from runner.spec.spec_file import DOptimalDesign, OrthogonalDesign, RegularDesign

from .conftest import MakeSpec


def test_a_full_grid_estimates_everything(make_spec: MakeSpec) -> None:
    found = facts(design_of(make_spec([2, 3, 2], replicates=3)))
    assert found is not None
    assert found.estimable == ("A", "B", "C", "A:B", "A:C", "B:C")
    assert (found.not_estimable, found.aliases, found.mixed) == ((), (), ())
    assert found.sentences == (
        "full grid: every main effect and every interaction can be estimated, "
        "the noise from 3 replicates",
    )


def test_one_replicate_has_no_noise_to_measure(make_spec: MakeSpec) -> None:
    found = facts(design_of(make_spec([2, 2])))
    assert found is not None
    assert "no replicate to measure the noise" in found.sentences[0]


def test_a_regular_fraction_lists_what_it_mixes_up(make_spec: MakeSpec) -> None:
    design = RegularDesign(kind="regular", generators=["D=ABC"])
    found = facts(design_of(make_spec([2] * 4, design=design)))
    assert found is not None
    assert found.aliases == (("A:B", "C:D"), ("A:C", "B:D"), ("A:D", "B:C"))
    assert found.estimable == ("A", "B", "C", "D")
    assert found.resolution == 4
    assert found.word_lengths == pytest.approx((1, 0, 0, 0, 1))
    assert found.d_efficiency == 0
    assert found.sentences == (
        "regular, 8 of 16 combinations are run",
        "not estimable beside the other main effects and pairs: A:B, A:C, A:D, B:C, B:D, C:D",
        "cannot be told apart: A:B = C:D; A:C = B:D; A:D = B:C",
    )


def test_long_lists_are_cut(make_spec: MakeSpec) -> None:
    design = RegularDesign(kind="regular", resolution=3)
    found = facts(design_of(make_spec([2] * 7, design=design)))
    assert found is not None
    assert len(found.aliases) == 7
    assert found.sentences[1].endswith("A, B, C, D, E, F and 22 more (--all lists them)")
    every = facts(design_of(make_spec([2] * 7, design=design)), everything=True)
    assert every is not None
    assert not [one for one in every.sentences if "more" in one]
    assert found.sentences[2].endswith("and 1 more (--all lists them)")


def test_partial_aliases_come_with_their_correlation(make_spec: MakeSpec) -> None:
    found = facts(
        design_of(make_spec([3, 3, 2, 2, 2], design=OrthogonalDesign(kind="orthogonal", runs=36)))
    )
    assert found is not None
    assert found.sentences[1] == "every main effect and every pair can be estimated"
    assert found.aliases == ()
    assert found.mixed[0][2] < 0.4
    assert [r for *_, r in found.mixed] == sorted((r for *_, r in found.mixed), reverse=True)
    assert "mixed in part (correlation): " in found.sentences[2]


def test_excluded_cells_name_the_pair_that_is_lost(make_spec: MakeSpec) -> None:
    found = facts(design_of(make_spec([2, 2, 2], exclude=[{"A": ["a0"], "B": ["b0"]}])))
    assert found is not None
    assert set(found.not_estimable) == {"A", "B", "A:B"}
    assert set(found.estimable) == {"C", "A:C", "B:C"}
    assert found.sentences[0] == "full grid, 6 of 8 combinations are run"


def test_a_single_factor_has_main_effects_only(make_spec: MakeSpec) -> None:
    design = DOptimalDesign(kind="d_optimal", runs=3)
    found = facts(design_of(make_spec([3], design=design)))
    assert found is not None
    assert found.estimable == ("A",)


def test_too_large_an_incomplete_grid_is_not_examined(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.design.describe.MOST_RUNS", 5)
    assert facts(design_of(make_spec([2, 2, 2], exclude=[{"A": ["a0"], "B": ["b0"]}]))) is None


def test_a_design_whose_model_would_fill_the_memory_is_not_examined(make_spec: MakeSpec) -> None:
    """90 of 90 x 90 combinations: 8,100 parameters. Of 300 x 300 it was 60 GiB."""
    only = tuple(Predicate((("A", (f"a{i}",)), ("B", (f"b{i}",)))) for i in range(90))
    assert facts(design_of(make_spec([90, 90], only=only))) is None
