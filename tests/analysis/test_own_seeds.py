"""How a study of a store is judged follows from whether its cells share seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

import analysis
from analysis.report.gallery.factors import replicate_means
from analysis.report.words.papers.methods import methods
from tests.analysis.report.simulated import simulate

SMALL = (
    "factors.augmentation=[none, strong]", "factors.scheduler=[constant, cosine]",
    "factors.bn_placement=[none, before]", "train.epochs=3", "claims=[]",
)  # fmt: skip


def study(folder: Path, seeds: str) -> analysis.Study:
    url, info = simulate(folder, overrides=[*SMALL, f"seeds={seeds}"])
    return analysis.load(info.name, url)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> analysis.Study:
    return study(tmp_path_factory.mktemp("own"), "own")


def test_own_seeds_have_welchs_interval_means_too(own: analysis.Study) -> None:
    assert not own.shares_seeds
    assert own.estimates().rule.primary == own.estimates().deciding == "welch"
    effects = own.effects()
    assert set(effects["method"]) == {"welch"}
    assert set(effects["mean_method"]) <= {"welch", "bounds"}
    assert "every run drew its own" in methods(own)


def test_a_replicate_of_own_seeds_is_no_block_but_is_told(own: analysis.Study) -> None:
    document = own.document()
    assert document["block"] is None
    assert document["interval_rule"]["reason"] == (
        "no two cells share a seed, so runs are independent"
    )
    dots = replicate_means(own)
    assert dots["replicate"].nunique() == 3
    wanted = own.frame[own.frame["replicate"].astype(str) == "0"]
    wanted = wanted.groupby("init", observed=True)["test_accuracy"].mean()
    found = dots[(dots["factor"] == "init") & (dots["replicate"] == "0")].set_index("level")["mean"]
    assert found.to_dict() == pytest.approx(wanted.to_dict())


def test_shared_seeds_are_judged_as_shared(tmp_path: Path) -> None:
    shared = study(tmp_path, "shared")
    assert shared.shares_seeds
    assert shared.estimates().rule.primary in ("joined", "blocked")
    assert "cells of one replicate share it" in methods(shared)
