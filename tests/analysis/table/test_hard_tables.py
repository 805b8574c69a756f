"""Tables that are not as planned: nothing finished, declared levels that never ran, odd numbers."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis import from_frame
from analysis.commands import run
from analysis.document.document import SCHEMA_PATH
from analysis.table.reading import read_table
from analysis.table.tidy import tidy

SCHEMA = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def runs(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = list(itertools.product(["sgd", "adam"], "xyz", range(4)))
    frame = pd.DataFrame(rows, columns=["opt", "B", "seed"])
    return frame.assign(acc=rng.normal(0.6, 0.02, len(frame)), status="ok")


def diverged(frame: pd.DataFrame, which: pd.Series) -> pd.DataFrame:
    return frame.assign(
        acc=frame["acc"].mask(which), status=frame["status"].mask(which, "diverged")
    )


def test_a_diverged_run_without_accuracy_is_lost_to_accuracy_and_said_so() -> None:
    frame = diverged(runs(), (runs()["opt"] == "sgd") & (runs()["B"] != "x"))
    document = from_frame(frame, ["opt", "B"], "acc").document()
    lost = document["missing"]
    assert (lost["finished"], lost["lost"]) == (16, 8)
    by_level = {(row["factor"], row["level"]): row for row in lost["by_level"]}
    assert by_level["opt", "sgd"]["no_response"] == 8
    assert lost["at_random"] is False
    assert any("8 of 12 runs with opt = sgd were lost" in one for one in lost["warnings"])
    assert any("8 runs ended without acc:" in one for one in lost["warnings"])
    # They are convergence's data all the same; "ok" is a word for it.
    assert document["convergence"]["converged"] == 16
    assert document["convergence"]["runs"] == 24


def test_with_the_classes_known_a_diverged_run_guesses() -> None:
    frame = diverged(runs(), runs()["opt"] == "sgd").assign(classes=10)
    study = from_frame(frame, ["opt", "B"], "acc")
    assert study.frame.loc[study.frame["opt"] == "sgd", "acc"].unique().tolist() == [0.1]
    assert any("12 diverged runs without acc at chance" in n for n in study.table.notes)
    assert study.missing().lost == 0


def test_all_diverged_still_answers_convergence() -> None:
    for which in (np.ones(24, bool), runs()["opt"] == "sgd"):
        frame = diverged(runs(), pd.Series(which, index=runs().index))
        study = from_frame(frame, ["opt", "B"], "acc")
        document = study.document()
        jsonschema.validate(document, SCHEMA)
        assert document["convergence"]["runs"] == 24
        assert document["contrasts"] == []
        assert document["interval_rule"] is None
        assert "no effect can be estimated" in document["notes"][0]
        assert study.summary()[0].startswith("no effect can be estimated")
        with pytest.raises(InputError, match=r"no number|one level with"):
            study.effects()
    with pytest.raises(InputError, match="no number"):
        from_frame(runs().drop(columns="status").assign(acc=np.nan), ["opt", "B"], "acc")


def test_a_declared_level_that_never_ran_is_named() -> None:
    frame = runs().assign(opt=lambda d: pd.Categorical(d["opt"], ["sgd", "never", "adam"]))
    for study in (
        from_frame(frame, ["opt", "B"], "acc"),
        from_frame(runs(), ["opt", "B"], "acc", levels={"opt": ["sgd", "never", "adam"]}),
    ):
        assert study.factors["opt"] == ("sgd", "adam")
        document = study.document()
        first = document["not_estimable"][0]
        assert (first["term"], first["df"], first["missing_cells"]) == (
            "opt",
            2,
            [{"opt": "never"}],
        )
        assert "opt = never never ran" in first["reason"]
        assert any("'never' of opt never ran" in note for note in document["notes"])
        assert all(row["estimate"] is not None for row in document["contrasts"])


def test_space_around_a_level_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("A,y\nx ,1\nx,2\n y,3\ny,4\n", encoding="utf-8")
    assert read_table(path, ["A"], "y").factors == {"A": ("x", "y")}


def test_text_levels_keep_the_order_of_the_rows_also_of_lost_ones() -> None:
    frame = pd.DataFrame({"A": ["z", "a", "m", "a", "m"], "y": [np.nan, 1.0, 2.0, 3.0, 4.0]})
    assert tidy(frame, ["A"], "y").factors["A"] == ("z", "a", "m")


def test_one_number_written_in_several_ways_is_noted() -> None:
    frame = pd.DataFrame({"A": ["1", "1.0", "01", "2"], "y": [1.0, 2.0, 3.0, 4.0]})
    (note,) = tidy(frame, ["A"], "y").notes
    assert "levels '1', '1.0', '01' of A are one number" in note


def test_rounding_is_no_difference() -> None:
    frame = pd.DataFrame(
        {"A": list("aabb") * 2, "B": list("xyxy") * 2, "y": [0.1 + 0.2] + [0.3] * 7}
    )
    study = from_frame(frame, ["A", "B"], "y")
    assert "y is the same in every run: no effect can be tested" in study.table.notes
    assert study.estimates().fit.residual_ss == 0.0
    assert study.contrasts()["p"].isna().all()
    # Cells that agree up to rounding never varied, although others did.
    some = frame.assign(y=[0.1 + 0.2, 0.5, 0.6, 0.7, 0.3, 0.52, 0.61, 0.69])
    assert from_frame(some, ["A", "B"], "y").cells.variances[0, 0] == 0.0


@pytest.mark.parametrize("scale", [1e-300, 1e200])
def test_numbers_whose_squares_do_not_exist_are_refused_in_a_sentence(scale: float) -> None:
    frame = runs().assign(acc=lambda d: d["acc"] * scale)
    with pytest.raises(InputError, match="give it in another unit"):
        from_frame(frame, ["opt", "B"], "acc")
    near = runs().assign(acc=lambda d: d["acc"] * 1e-60)
    found = from_frame(near, ["opt", "B"], "acc").contrasts()
    wanted = from_frame(runs(), ["opt", "B"], "acc").contrasts()
    assert found["p"].to_numpy() == pytest.approx(wanted["p"].to_numpy(), rel=1e-9)


def test_the_confidence_reaches_the_effect_sizes() -> None:
    study = from_frame(runs(), ["opt", "B"], "acc")
    wide, narrow = (study.document(2, c)["anova"]["type3"][1] for c in (0.95, 0.5))
    assert wide["partial_eta2_high"] > narrow["partial_eta2_high"] > narrow["partial_eta2"]


def test_claims_and_direction_may_come_with_a_frame(tmp_path: Path, capsys: object) -> None:
    frame = runs().rename(columns={"acc": "loss"}).drop(columns="status")
    frame["loss"] += 0.1 * (frame["opt"] == "sgd")
    study = from_frame(frame, ["opt", "B"], "loss", claims=["opt: adam < sgd"])
    assert study.claims()["verdict"].tolist() == ["supported"]
    assert not study.best().higher
    assert from_frame(frame, ["opt", "B"], "loss", higher_is_better=True).best().higher
    path, out = tmp_path / "t.csv", tmp_path / "e.json"
    frame.rename(columns={"loss": "y"}).to_csv(path, index=False)
    code = run(
        ["effects", "--table", str(path), "--factors", "opt", "B", "--response", "y",
         "--lower-is-better", "--claim", "opt: adam < sgd", "--out", str(out)]
    )  # fmt: skip
    document = json.loads(out.read_text(encoding="utf-8"))
    assert code == 0
    assert document["claims"][0]["verdict"] == "supported"
    assert document["best"]["higher_is_better"] is False


def fraction(runs_per_cell: int, noise: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (a, b, c, a * b * c, 2.0 * a * b + noise * rng.normal())
        for a, b, c in itertools.product((-1, 1), repeat=3)
        for _ in range(runs_per_cell)
    ]
    return pd.DataFrame(rows, columns=[*"ABCD", "y"])


def test_a_replicated_fraction_estimates_sums_of_aliased_effects() -> None:
    document = from_frame(fraction(2), list("ABCD"), "y").document()
    jsonschema.validate(document, SCHEMA)
    rows = {row["alias"].split(" = ")[0]: row for row in document["aliased_effects"]}
    assert rows["A:B"]["alias"] == "A:B = C:D"
    assert rows["A:B"]["terms"] == ["A:B", "C:D"]
    assert rows["A:B"]["estimate"] == pytest.approx(4.0, abs=0.2)
    assert rows["A:B"]["p"] < 1e-3
    assert rows["A:C"]["p"] > 0.01
    assert rows["A"]["alias"] == "A = B:C:D"
    simple = document["simple_effects"][0]
    assert simple["aliases"] == ["B:C:D", "C:D"]
    assert document["marginal_means"]["welch"][0]["aliases"] == ["B:C:D"]
    assert document["interaction_contrasts"][0]["aliases"] == ["C:D"]
    # The same numbers from orthogonal columns by hand.
    frame = fraction(2)
    by_hand = (
        frame["y"][frame["A"] == frame["B"]].mean() - frame["y"][frame["A"] != frame["B"]].mean()
    )
    assert rows["A:B"]["estimate"] == pytest.approx(by_hand, rel=1e-12)


def test_aliases_are_not_transitive() -> None:
    rows = [(a, b, (a + b) % 3, (a + 2 * b) % 3) for a in range(3) for b in range(3)]
    nine = pd.DataFrame(rows, columns=list("ABCD")).astype(str).assign(y=np.arange(9.0) ** 1.5)
    aliases = from_frame(nine, list("ABCD"), "y").document(1)["aliases"]
    pairs = {
        name: [one for one in others if one.count(":") == 1] for name, others in aliases.items()
    }
    assert pairs["A"] == ["B:C", "B:D", "C:D"]
    assert pairs["B"] == ["A:C", "A:D", "C:D"]
    assert pairs["D"] == ["A:B", "A:C", "B:C"]
    assert {"C", "D"} <= set(aliases["A:B"])


def test_partial_aliases_have_their_correlation() -> None:
    frame = runs().assign(C=lambda d: ["u", "v"] * 12)
    lost = frame[~((frame["opt"] == "sgd") & (frame["B"] == "x") & (frame["C"] == "u"))]
    found = from_frame(lost, ["opt", "B", "C"], "acc").document()
    partial = found["partial_aliases"]
    assert partial["opt"]["B"] == partial["B"]["opt"]
    assert 0.1 <= partial["opt"]["B"] < 1
    assert found["aliases"] == {}
    assert found["aliased_effects"] is None


def test_an_effect_of_blocks_is_no_effect_of_factors() -> None:
    rng = np.random.default_rng(0)
    rows = list(itertools.product([-1, 1], repeat=4))
    frame = pd.DataFrame(rows, columns=list("ABCD"))
    frame["day"] = (frame.prod(axis=1) > 0).astype(int)
    frame["y"] = rng.normal(0, 0.2, 16) + 10 * frame["day"] + 3 * frame["A"]
    lenth = from_frame(frame, list("ABCD"), "y", "day").document(None)["lenth"]
    rows_by_name = {row["contrast"]: row for row in lenth["effects"]}
    assert lenth["m"] == 14
    assert rows_by_name["A"]["active_me"] is True
    whole = rows_by_name["A:B:C:D"]
    assert whole["aliases"] == ["day (block)"]
    assert whole["active_me"] is None
    assert whole["t"] is None
    assert lenth["pse"] < 0.5
