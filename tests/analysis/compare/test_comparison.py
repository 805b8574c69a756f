"""Two studies side by side: one estimand, the difference of effects, and what is shared."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.commands import compare as verb
from analysis.compare.comparison import compare
from analysis.loading import from_frame
from analysis.study import Study

LEVELS = {"bn": ("before", "after"), "optimizer": ("sgd", "adam", "adamw")}


def study(
    name: str, bn: float, pair: float = 0.0, levels: dict | None = None, seed: int = 0
) -> Study:
    rng = np.random.default_rng(seed)
    levels = levels or LEVELS
    rows = []
    for cell in product(*levels.values()):
        at = dict(zip(levels, cell, strict=True))
        mean = 0.7 + bn * (at.get("bn") == "after")
        mean += pair * (at.get("bn") == "after") * (at.get("optimizer") == "adam")
        rows += [(*cell, str(k), mean + rng.normal(0, 0.005)) for k in range(4)]
    frame = pd.DataFrame(rows, columns=[*levels, "replicate", "acc"])
    for factor, labels in levels.items():
        frame[factor] = pd.Categorical(frame[factor], categories=list(labels), ordered=True)
    return from_frame(frame, list(levels), "acc", name=name)


def test_the_difference_of_effects_is_the_difference_and_its_error_adds() -> None:
    got = compare([study("cifar10", 0.02), study("cifar100", 0.07, seed=1)])
    effects = got.effects.set_index(["effect", "study"])
    name = "bn: after - before"
    one, two = (effects.loc[(name, s)] for s in ("cifar10", "cifar100"))
    row = got.differences.set_index("effect").loc[name]
    assert (row["study"], row["reference"]) == ("cifar100", "cifar10")
    assert row["estimate"] == pytest.approx(two["estimate"] - one["estimate"])
    assert row["se"] == pytest.approx(np.hypot(one["se"], two["se"]))
    assert min(one["df"], two["df"]) <= row["df"] <= one["df"] + two["df"]
    assert row["low"] < 0.05 < row["high"]
    assert row["p_holm"] < 0.001


def test_an_interaction_is_a_difference_of_differences() -> None:
    got = compare([study("a", 0.0, pair=0.06), study("b", 0.0, seed=1)])
    effects = got.effects.set_index(["effect", "study"])["estimate"]
    name = "(bn: after - before) x (optimizer: adam - sgd)"
    assert effects[(name, "a")] == pytest.approx(0.06, abs=0.02)
    assert got.differences.set_index("effect").loc[name, "p_holm"] < 0.05


def _told(name: str, lr: float, epochs: int, **about: Any) -> Study:
    info = {
        "data": {"name": "digits", "root": f"/data/{name}"},
        "train": {"epochs": epochs},
        "levels": {"optimizer": {"adam": {"parameters": {"lr": lr}}}},
    }
    return replace(study(name, 0.02, **about), info=info)


def test_what_differs_between_the_studies_is_said() -> None:
    notes = compare([_told("a", 0.001, 6), _told("b", 0.01, 30, seed=1)]).notes
    assert notes[0] == ("a and b differ in train.epochs (6, 30), optimizer adam lr (0.001, 0.01).")
    assert "cannot be told" in notes[1]
    same = compare([_told("a", 0.001, 6), _told("b", 0.001, 6, seed=1)]).notes
    assert same == ()
    one = compare([_told("a", 0.001, 6), _told("b", 0.001, 30, seed=1)]).notes
    assert one == ("a and b differ in train.epochs (6, 30).",)


def test_an_unfinished_study_is_warned_of() -> None:
    left = study("b", 0.02, seed=1)
    frame = left.frame.copy()
    frame.loc[frame.index[:2], "acc"] = np.nan
    part = from_frame(frame, list(LEVELS), "acc", name="b")
    (note,) = compare([study("a", 0.02), part]).notes
    assert note.startswith("b is not complete: 22 of 24 runs have an outcome")


def test_effects_are_told_in_points_with_their_intervals() -> None:
    pair = [
        from_frame(
            one.frame.rename(columns={"acc": "test_accuracy"}),
            list(LEVELS),
            "test_accuracy",
            name=one.name,
        )
        for one in (study("a", 0.02), study("b", 0.07, seed=1))
    ]
    found = compare(pair)
    row = found.effects.iloc[0]
    text = verb.comparison_text(found)
    low, high = 100 * row["low"], 100 * row["high"]
    assert f"{100 * row['estimate']:+.2f} [{low:+.2f}, {high:+.2f}]" in text
    assert "Effects by study with 95% intervals, points" in text
    other = found.differences.iloc[0]
    assert f"{100 * other['estimate']:+.2f} [" in text


def test_only_shared_levels_enter_so_that_the_estimand_is_one() -> None:
    more = {"bn": LEVELS["bn"], "optimizer": (*LEVELS["optimizer"], "lion")}
    left = {"bn": LEVELS["bn"], "optimizer": ("sgd", "adam")}
    got = compare([study("more", 0.02, pair=0.06, levels=more), study("less", 0.0, levels=left)])
    effects = got.effects.set_index(["effect", "study"])["estimate"]
    assert effects[("bn: after - before", "more")] == pytest.approx(0.02 + 0.03, abs=0.01)
    assert not any("lion" in effect for effect in got.effects["effect"])
    assert any("lion" in note for note in got.notes)


def test_a_factor_of_one_study_is_averaged_over_and_named() -> None:
    depth = {**LEVELS, "depth": ("11", "16")}
    got = compare([study("deep", 0.02, levels=depth), study("flat", 0.02)])
    assert any("deep also varies depth" in note for note in got.notes)
    assert set(got.effects["term"]) == {"bn", "optimizer", "bn:optimizer"}


def test_shared_runs_are_named() -> None:
    one, two = study("one", 0.02), study("two", 0.02)
    for each in (one, two):
        each.frame["cell"] = [f"c{i}" for i in range(len(each.frame))]
    assert any("share 24 runs" in note for note in compare([one, two]).notes)


def test_a_study_with_a_hole_has_nan_and_the_other_its_number() -> None:
    hole = study("hole", 0.02)
    gone = (hole.frame["bn"] == "after") & (hole.frame["optimizer"] == "adam")
    frame = hole.frame.assign(acc=hole.frame["acc"].where(~gone))
    got = compare([from_frame(frame, list(LEVELS), "acc", name="hole"), study("whole", 0.02)])
    effects = got.effects.set_index(["effect", "study"])["estimate"]
    assert np.isnan(effects[("bn: after - before", "hole")])
    assert np.isfinite(effects[("bn: after - before", "whole")])
    assert np.isnan(got.differences["estimate"].iloc[0])
    assert got.to_dict()["differences"][0]["estimate"] is None


def test_a_hole_that_pairs_of_factors_can_fill_is_filled_and_said() -> None:
    levels = {**LEVELS, "depth": ("11", "16")}
    hole = study("hole", 0.02, levels=levels)
    gone = (hole.frame[list(levels)] == [names[-1] for names in levels.values()]).all(axis=1)
    frame = hole.frame.assign(acc=hole.frame["acc"].where(~gone))
    whole = study("whole", 0.02, levels=levels)
    got = compare([from_frame(frame, list(levels), "acc", name="hole"), whole])
    rows = got.effects.set_index(["effect", "study"])
    assert rows.loc[("bn: after - before", "hole"), "rests_on"] == "model of order 2 and its misfit"
    assert rows.loc[("bn: after - before", "whole"), "rests_on"] == "cell means"
    low, high = rows.loc[("bn: after - before", "hole"), ["low", "high"]]
    assert low < rows.loc[("bn: after - before", "whole"), "estimate"] < high
    assert any(
        "of hole are estimated allowing for interactions of three or more" in one
        for one in got.notes
    )


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        (lambda: [study("a", 0)], "two studies or more"),
        (lambda: [study("a", 0), study("a", 0)], "named twice"),
        (lambda: [study("a", 0), study("b", 0, levels={"x": ("0", "1")})], "share no factor"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(studies: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(studies())  # type: ignore[operator]


def test_the_command_prints_and_writes(
    tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"a": study("a", 0.02), "b": study("b", 0.05, seed=1)}
    monkeypatch.setattr("analysis.loading.load", lambda name, storage: made[name])
    options = argparse.Namespace(studies=["a", "b"], storage=None, out=None, json=False)
    assert verb.run(options) == 0
    assert "bn: after - before" in capsys.readouterr().out
    options.out = tmp_path / "both.csv"
    assert verb.run(options) == 0
    assert set(pd.read_csv(options.out)["kind"]) == {"effect", "difference"}
    options.out = tmp_path / "missing" / "both.csv"
    with pytest.raises(InputError, match="cannot write"):
        verb.run(options)
    assert "Note:" not in verb.comparison_text(compare(list(made.values())))


CLAIMS = ["bn: after > before", "optimizer: adam > sgd", "bn: before > after by 1"]


def _claiming(name: str, bn: float, claims: list[str] = CLAIMS, **about: Any) -> Study:
    return replace(study(name, bn, **about), planned_claims=tuple(claims))


def test_which_verdicts_hold_is_said_first() -> None:
    got = compare([_claiming("a", 0.05), _claiming("b", 0.06, seed=1)])
    again = got.claims.drop_duplicates("claim").set_index("claim")["again"].to_dict()
    assert again == {CLAIMS[0]: "holds", CLAIMS[1]: "open", CLAIMS[2]: "holds"}
    text = verb.comparison_text(got)
    assert text.startswith(
        "Of 3 claims that both plan, 2 get the same verdict from both (1 supported and 1 refuted); "
        "none is reversed and 1 is open in both."
    )
    assert "supported +0.0" in text.split("Effects by study")[0]
    assert [row["verdict"] for row in got.to_dict()["claims"]][:2] == ["supported", "supported"]


def test_a_verdict_that_turns_round_or_is_reached_once_is_told_from_one_that_holds() -> None:
    studies = [_claiming("a", 0.05), _claiming("b", -0.05, seed=1), _claiming("c", 0.0, seed=2)]
    first = compare(studies[:2]).claims.iloc[0]
    assert (first["verdict"], first["again"]) == ("supported", "reversed")
    assert compare([studies[0], studies[2]]).claims.iloc[0]["again"] == "decided in part"
    assert "1 is reversed" in verb.comparison_text(compare(studies))


def test_claims_of_one_study_alone_are_no_claims_of_both() -> None:
    got = compare([_claiming("a", 0.05, CLAIMS[:1]), _claiming("b", 0.05, CLAIMS[1:], seed=1)])
    assert got.claims.empty
    assert verb.comparison_text(got).startswith("Effects by study")
