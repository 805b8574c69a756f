"""The study object: pandas in, pandas out, questions in words."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import analysis
from ablations.errors import InputError
from analysis.effects.frames import COLUMNS, by_method
from analysis.model.cell_means import Method
from analysis.model.interval_rule import SHOCK_P


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (o, b, d, f"s{k}", 0.5 + 0.1 * i + 0.05 * (i == 1) * (b == "after") + rng.normal(0, 0.01))
        for (i, o), b, d in itertools.product(
            enumerate(("sgd", "adam", "lamb")), ("before", "after"), ("16", "20")
        )
        for k in range(3)
    ]
    return pd.DataFrame(rows, columns=["optimizer", "bn", "depth", "seed", "acc"])


@pytest.fixture(scope="module")
def study(frame: pd.DataFrame) -> analysis.Study:
    return analysis.from_frame(frame, ["optimizer", "bn", "depth"], "acc", "seed")


def test_effects_are_levels_in_declared_order(study: analysis.Study, frame: pd.DataFrame) -> None:
    found = study.effects(method="welch")
    assert list(found["level"][:3]) == ["sgd", "adam", "lamb"]
    raw = frame.groupby("optimizer")["acc"].mean()
    np.testing.assert_allclose(found["mean"][:3], raw[["sgd", "adam", "lamb"]], rtol=1e-12)
    np.testing.assert_allclose(found.groupby("factor")["effect"].sum(), 0, atol=1e-12)
    assert ((found["low"] < found["effect"]) & (found["effect"] < found["high"])).all()


def test_interactions_are_double_centred(study: analysis.Study, frame: pd.DataFrame) -> None:
    found = study.interactions(method="welch")
    pair = found[found["term"] == "optimizer:bn"]
    table = frame.pivot_table(index="optimizer", columns="bn", values="acc")
    centred = (
        table.sub(table.mean(axis=1), axis=0).sub(table.mean(axis=0)) + table.to_numpy().mean()
    )
    for row in pair.itertuples():
        assert row.effect == pytest.approx(centred.loc[row.first, row.second], abs=1e-12)
    assert len(found) == 3 * 2 + 3 * 2 + 2 * 2


def test_methods_differ_in_errors_and_not_in_balanced_means(study: analysis.Study) -> None:
    methods: tuple[Method, ...] = ("welch", "blocked", "pooled")
    means = {m: study.marginal_means("optimizer", "bn", method=m) for m in methods}
    for one in means.values():
        np.testing.assert_allclose(one["mean"], means["welch"]["mean"], rtol=1e-12)
    assert not np.allclose(means["welch"]["se"], means["blocked"]["se"])
    assert (means["blocked"]["df"] == 2).all()


def test_a_contrast_in_words(study: analysis.Study, frame: pd.DataFrame) -> None:
    found = study.contrast("bn: before - after", given={"optimizer": "adam"}, method="welch")
    raw = frame[frame["optimizer"] == "adam"].groupby("bn")["acc"].mean()
    assert found.estimate == pytest.approx(raw["before"] - raw["after"])
    averaged = study.contrast("optimizer: sgd + lamb - adam", method="welch").estimate
    by = frame.groupby("optimizer")["acc"].mean()
    assert averaged == pytest.approx((by["sgd"] + by["lamb"]) / 2 - by["adam"])


def test_the_pooled_contrast_is_that_of_the_fit(study: analysis.Study) -> None:
    found = study.contrast("bn: before - after", method="pooled")
    row = study.contrasts(method="pooled").set_index("factor").loc["bn"]
    assert found.estimate == pytest.approx(row["estimate"])
    assert found.se == pytest.approx(row["se"])
    assert found.p == pytest.approx(row["p"])
    simple = by_method(study.estimates().simple_effects, "pooled")
    one = simple[(simple["factor"] == "bn") & (simple["other_level"] == "adam")].iloc[0]
    given = study.contrast("bn: before - after", {"optimizer": "adam"}, method="pooled")
    assert (given.estimate, given.se) == pytest.approx((one["estimate"], one["se"]))


@pytest.mark.parametrize(
    ("text", "given", "sentence"),
    [
        ("bn before after", None, "cannot be read: expected 'FACTOR: LEVEL - LEVEL'"),
        ("bn: before", None, "cannot be read"),
        ("bm: before - after", None, "names the factor 'bm': expected one of bn, depth"),
        ("bn: before - aftr", None, "has no level 'aftr': did you mean 'after'"),
        ("bn: before - before", None, "same level on both sides"),
        ("bn: before - after", {"bn": "after"}, "its own factor"),
        ("bn: before - after", {"depth": "18"}, "no level '18'"),
    ],
)
def test_a_contrast_that_cannot_be_is_said_so(
    study: analysis.Study, text: str, given: dict[str, str] | None, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        study.contrast(text, given)


def test_names_are_checked(study: analysis.Study) -> None:
    with pytest.raises(InputError, match="unknown factor 'depht': did you mean 'depth'"):
        study.marginal_means("depht")
    with pytest.raises(InputError, match="unknown kind of test 'type4'"):
        study.tests("type4")
    with pytest.raises(InputError, match="no outcome 'secs'"):
        study.outcome("secs")
    with pytest.raises(AttributeError, match="no figure 'main_efects': did you mean"):
        study.plot.main_efects()
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        analysis.laod  # type: ignore[attr-defined]  # noqa: B018


def test_another_outcome_of_the_same_runs(frame: pd.DataFrame) -> None:
    both = frame.assign(seconds=np.arange(len(frame), dtype=float))
    study = analysis.from_frame(both, ["optimizer", "bn"], "acc", "seed")
    slower = study.outcome("seconds")
    assert slower.response == "seconds"
    assert slower.effects(method="welch")["mean"].iloc[0] == pytest.approx(
        both[both["optimizer"] == "sgd"]["seconds"].mean()
    )
    assert study.response == "acc"


def test_the_rule_decides_and_says_why(study: analysis.Study, frame: pd.DataFrame) -> None:
    rule = study.estimates().rule
    assert rule.primary == ("blocked" if rule.p <= SHOCK_P else "joined")
    shocked = frame.assign(acc=frame["acc"] + frame["seed"].map({"s0": 0.0, "s1": 0.1, "s2": 0.2}))
    found = analysis.from_frame(shocked, ["optimizer", "bn", "depth"], "acc", "seed")
    assert found.estimates().rule.primary == "blocked"
    assert "replicates differ as a whole" in found.estimates().rule.reason
    assert (found.effects()["method"] == "blocked").all()
    alone = analysis.from_frame(frame[frame["seed"] == "s0"], ["optimizer", "bn", "depth"], "acc")
    assert alone.estimates().rule.primary == "pooled"
    unblocked = analysis.from_frame(frame, ["optimizer", "bn", "depth"], "acc")
    assert unblocked.estimates().rule.primary == "welch"


def test_incomplete_replicates_that_matter_are_seen_and_fitted(frame: pd.DataFrame) -> None:
    some = frame[~((frame["seed"] == "s1") & (frame["depth"] == "16"))]
    some = some[~((some["seed"] == "s0") & (some["depth"] == "20"))]
    some = some[~((some["seed"] == "s2") & (some["bn"] == "after"))]
    some = some.assign(acc=some["acc"] + some["seed"].map({"s0": 0.0, "s1": 0.3, "s2": 0.6}))
    found = analysis.from_frame(some, ["optimizer", "bn", "depth"], "acc", "seed").estimates()
    assert found.rule.primary == "blocked"
    blocked, welch = (by_method(found.differences, one)["se"] for one in ("blocked", "welch"))
    assert blocked.notna().all()
    assert (blocked < welch).all()  # free of the shock, which is large


def test_summaries_say_what_a_person_needs(study: analysis.Study, frame: pd.DataFrame) -> None:
    lines = study.summary()
    assert lines[0].startswith("36 runs in 12 of 12 cells, acc; primary interval:")
    assert any(line.startswith("optimizer: F(") for line in lines)
    broken = frame[~((frame["optimizer"] == "sgd") & (frame["bn"] == "after"))]
    lost = analysis.from_frame(broken, ["optimizer", "bn", "depth"], "acc").summary()
    assert any("not estimable" in line and "optimizer:bn" in line for line in lost)


def test_figures_are_reached_by_name(study: analysis.Study) -> None:
    assert {"main_effects", "interaction_matrix"} <= set(dir(study.plot))
    panels = study.plot.main_effects()
    assert [type(one).__name__ for one in panels] == ["Axes"] * 3
    assert panels.figure is panels[0].get_figure(root=True)
    one = study.plot.pareto()
    assert one.get_xlabel()
    assert one._repr_png_().startswith(b"\x89PNG")
    assert study.plot.data("main_effects")["mean"].notna().all()
    assert "36 runs" in study.plot.caption("main_effects")
    with pytest.raises(InputError, match="no figure 'main'"):
        study.plot.data("main")


def test_a_figure_is_saved_by_its_name_or_from_its_axes(
    study: analysis.Study, tmp_path: Path
) -> None:
    begin = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    for suffix, first in begin.items():
        file = study.plot.save("pareto", tmp_path / "deep" / f"pareto{suffix}", width=3.5)
        assert file.read_bytes().startswith(first)
    assert len(list((tmp_path / "deep").iterdir())) == 3, "no other file beside them"
    study.plot.main_effects().figure.savefig(tmp_path / "own.png")
    assert (tmp_path / "own.png").stat().st_size > 5000
    with pytest.raises(InputError, match=r"'x.docx': a figure is saved as one of .png, .svg, .pdf"):
        study.plot.save("pareto", "x.docx")
    with pytest.raises(InputError, match="no figure 'main'"):
        study.plot.save("main", tmp_path / "x.png")


def test_dir_names_what_people_call() -> None:
    assert dir(analysis) == sorted(analysis.__all__)
    assert {"load", "from_frame", "Study"} <= set(dir(analysis))


def test_a_level_that_is_a_number_may_be_given_as_one(study: analysis.Study) -> None:
    told = study.contrast("bn: before - after", given={"depth": "16"})
    for depth in (16, 16.0, np.int64(16), [16]):
        assert study.contrast("bn: before - after", given={"depth": depth}) == told


def test_a_figure_of_one_panel_is_drawn_into_axes_of_ones_own(study: analysis.Study) -> None:
    figure = Figure(figsize=(12, 5), layout="constrained")
    names = ("forest", "pareto", "variance_shares", "cell_strip")
    grid = figure.subplots(2, 2).ravel()
    for axes, name in zip(grid, names, strict=True):
        assert getattr(study.plot, name)(ax=axes) is axes
        alone = getattr(study.plot, name)()
        assert axes.get_xlabel() == alone.get_xlabel() != ""
        assert len(axes.patches) == len(alone.patches)
        assert len(axes.lines) == len(alone.lines)
    assert figure.axes == list(grid), "nothing is added to the figure"
    assert not figure.legends
    assert [axes.get_legend() is not None for axes in grid] == [False, True, True, True]
    figure.canvas.draw()
    untouched = figure.add_subplot()
    with pytest.raises(InputError, match=r"main_effects has several panels .* forest"):
        study.plot.main_effects(ax=untouched)
    assert not untouched.lines


def test_tables_are_long_with_one_schema(study: analysis.Study) -> None:
    effects = study.estimates()
    tables = [effects.means, effects.main_effects, effects.differences, effects.simple_effects,
              effects.interaction_effects, effects.interaction_contrasts]  # fmt: skip
    for table in tables:
        assert list(table.columns) == list(COLUMNS)
        methods = table.groupby("method").size()
        assert methods.nunique() == 1, "every estimate by every method"
    assert set(effects.means["method"]) == {"pooled", "welch", "blocked", "joined", "hc3"}


def test_a_part_is_worked_out_when_asked_for_and_once(frame: pd.DataFrame) -> None:
    study = analysis.from_frame(frame, ["optimizer", "bn", "depth"], "acc", "seed")
    effects = study.estimates()
    study.effects()
    assert "means" in vars(effects)
    assert not {"differences", "shares", "type3", "simple_effects"} & set(vars(effects))
    assert study.estimates().means is effects.means
