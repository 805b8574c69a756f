"""Whatever reads an outcome agrees on what it is: its unit, its direction, its words."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import analysis
from ablations.errors import InputError
from analysis.commands import run
from analysis.report.gallery.catalogue import BY_NAME
from analysis.report.page.tables.effects_table import effects_table
from analysis.report.words.answer import answer
from analysis.report.words.papers.tables import markdown_table
from analysis.study import Study
from runner.content.response import ACCURACY, EPOCHS, RESPONSES, response_of

FACTORS = {"opt": ("adam", "sgd"), "b": ("p", "q")}


def runs(**columns: float) -> pd.DataFrame:
    """Four runs a cell; each column has this much more with adam, and a little noise."""
    rng = np.random.default_rng(0)
    rows = []
    for opt, b, seed in itertools.product(*FACTORS.values(), range(4)):
        row: dict[str, object] = {"opt": opt, "b": b, "seed": seed}
        for name, effect in columns.items():
            row[name] = 0.8 + effect * (opt == "adam") + 0.01 * rng.normal()
        rows.append(row)
    return pd.DataFrame(rows)


def study(response: str, *claims: str, **columns: float) -> Study:
    frame = runs(**columns)
    return analysis.from_frame(frame, list(FACTORS), response, "seed", claims=claims)


def test_a_claim_is_judged_on_its_own_outcome_whichever_is_looked_at() -> None:
    looked = study("test_accuracy", "opt: adam > sgd by 5", test_accuracy=0.1, seconds=-20.0)
    for one in (looked, looked.outcome("seconds"), looked.outcome("seconds").outcome("seconds")):
        (claim,) = one.document()["claims"]
        assert (claim["outcome"], claim["verdict"]) == ("accuracy", "supported")
        assert claim["estimate"] == pytest.approx(0.1, abs=0.02)
        assert "points better than sgd" in claim["sentence"]


def test_a_margin_is_in_the_unit_that_the_outcome_is_shown_in() -> None:
    loss = study("val_loss", "opt: adam < sgd by 0.5", "opt: adam < sgd by 0.1", val_loss=-0.24)
    far, near = loss.document()["claims"]
    assert (far["outcome"], far["margin"], far["verdict"]) == ("val_loss", 0.5, "refuted")
    assert near["verdict"] == "supported"
    assert far["sentence"].startswith(
        "Refuted: opt = adam is 0.228 lower (better) than sgd (95% interval −0.2"
    )
    assert "point" not in far["sentence"] + near["sentence"]
    share = study("test_accuracy", "opt: adam > sgd by 5", test_accuracy=0.1).claims()
    assert share["margin"].iloc[0] == pytest.approx(0.05)


def test_margins_of_an_accuracy_in_percent_are_points() -> None:
    """By 2 points of 92.8 %: the true difference is 0.85 points."""
    frame = runs(acc=0)
    frame["acc"] = 92 + 0.85 * (frame["opt"] == "adam") + 10 * (frame["acc"] - 0.8)
    for text, verdict in (("by 0.2", "supported"), ("by 2", "refuted"), ("by 2 pp", "refuted")):
        claims = [f"opt: adam > sgd {text}", f"opt: adam > sgd on accuracy {text}"]
        found = analysis.from_frame(frame, list(FACTORS), "acc", "seed", claims=claims).claims()
        assert found["verdict"].tolist() == [verdict] * 2, text
        assert " points higher (better) than sgd" in found["sentence"].iloc[0]


def test_margins_of_a_share_between_0_and_1_are_its_own_or_said_to_be_points() -> None:
    one = study("acc", acc=0.1)
    for text in ("by 0.05", "by 5pp", "by 5 points", "by 5%"):
        claim = one.claims(f"opt: adam > sgd {text}").iloc[0]
        assert (claim["verdict"], claim["margin"]) == ("supported", 0.05)
    with pytest.raises(InputError, match=r"'5' is not between 0 and 1 .*two points are 0.02"):
        one.claims("opt: adam > sgd by 5")


def test_an_error_in_the_units_of_the_target_is_lower_and_better() -> None:
    """RMSE of a regression: 34.8 better is no 3,479 points worse, and a margin of 50 is 50."""
    rmse = study("rmse", rmse=-34.8)
    met, missed = rmse.claims(["opt: adam < sgd by 20", "opt: adam < sgd by 50"]).to_dict("records")
    assert (met["verdict"], missed["verdict"]) == ("supported", "refuted")
    assert "is 34.8 lower (better) than sgd" in met["sentence"]
    assert missed["sentence"].endswith("so it is not lower by 50.")
    assert rmse.best().levels.set_index("level")["best"]["adam"]


def test_a_list_of_claims_is_answered_whatever_was_planned() -> None:
    one = study("acc", "opt: adam > sgd", acc=0.1)
    assert len(one.claims()) == 1
    assert one.claims(["opt: adam < sgd", "b: p > q"])["claim"].tolist()[0] == "opt: adam < sgd"
    assert one.claims("opt: adam > sgd", confidence=0.9)["verdict"].tolist() == ["supported"]


def test_what_is_no_claim_is_said_so() -> None:
    one = study("acc", acc=0.1)
    for wrong in (0.9, [0.9]):
        with pytest.raises(InputError, match="claims are texts such as"):
            one.claims(wrong)  # type: ignore[arg-type]


def test_numbers_are_levels() -> None:
    frame = runs(acc=0.1).rename(columns={"b": "lr"})
    frame["lr"] = frame["lr"].map({"p": "1e-3", "q": "0.1"})
    one = analysis.from_frame(frame, ["opt", "lr"], "acc", "seed")
    told = one.contrast("opt: adam - sgd", given={"lr": "1e-3"})
    assert one.contrast("opt: adam - sgd", given={"lr": 0.001}) == told
    assert one.contrast("opt: adam - sgd", given={"lr": [0.1]}) != told
    assert one.claims("opt: adam > sgd | lr = 0.001")["estimate"].iloc[0] == told.estimate
    with pytest.raises(InputError, match=r"no level '0.3'"):
        one.contrast("opt: adam - sgd", given={"lr": 0.3})


def test_a_table_on_the_command_line_takes_margins_in_its_own_unit(
    tmp_path: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{tmp_path}/loss.csv"
    runs(val_loss=-0.24).to_csv(path, index=False)
    command = ["effects", "--table", path, "--factors", "opt", "b", "--response", "val_loss"]
    command += ["--block", "seed", "--lower-is-better", "--claim", "opt: adam < sgd by 0.5"]
    assert run(command) == 0
    assert '"verdict": "refuted"' in capsys.readouterr().out


def test_where_lower_is_better_every_display_calls_the_lower_level_the_better() -> None:
    """Adam has the lower loss: the answer, its table, the best set and the strip agree."""
    loss = study("val_loss", val_loss=-0.24)
    found = answer(loss)
    lead = next(text for text in found.sentences if text.startswith("What improves val_loss"))
    assert "opt (adam over sgd: −0.2" in lead
    assert effects_table(loss, found)[0]["levels"] == "adam over sgd"
    best = loss.best().levels.set_index("level")["best"]
    assert best["adam"]
    assert not best["sgd"]
    strip = BY_NAME["cell_strip"]
    drawn = strip.draw(loss)
    assert drawn is not None
    ranked = strip.table(loss, drawn.data)
    assert ranked is not None
    assert ranked.columns["opt, b"].iloc[0].startswith("adam")
    table = markdown_table(loss)
    assert "worse" not in table
    assert "| val_loss |" in table
    assert "; lower val_loss is better." in table


def test_a_direction_that_was_declared_overrules_the_name() -> None:
    frame = runs(score=-0.24)
    named = analysis.from_frame(frame, list(FACTORS), "score", "seed")
    declared = analysis.from_frame(frame, list(FACTORS), "score", "seed", higher_is_better=False)
    assert named.measure.higher_is_better
    assert not declared.measure.higher_is_better
    leads = [answer(one).sentences[1] for one in (named, declared)]
    assert "(sgd over adam: +0.2" in leads[0]
    assert "(adam over sgd: −0.2" in leads[1]


def test_a_record_of_ours_is_for_values_that_fit_it() -> None:
    assert response_of("test_accuracy", [0.1, 0.93]) is ACCURACY
    percent = response_of("test_accuracy", [10.0, 93.2])
    assert (percent.scale, percent.unit, percent.better) == (1.0, "%", "higher")
    assert response_of("restricted_epochs", [3.0, 12.0]) is EPOCHS
    assert response_of("val_perplexity").better == "lower"


def test_records_have_keys_and_columns_of_their_own() -> None:
    assert len({one.key for one in RESPONSES}) == len(RESPONSES)
    assert len({one.column for one in RESPONSES}) == len(RESPONSES)


def test_a_claim_on_levels_that_do_not_differ_calls_none_the_less() -> None:
    """All runs converged: not "converges 0.00 points less often"."""
    frame = runs(acc=0.1).assign(converged=1)
    one = analysis.from_frame(frame, list(FACTORS), "acc", "seed")
    claim = one.claims("opt: adam > sgd on convergence").iloc[0]
    assert "opt = adam and with sgd converged equally often" in claim["sentence"]
    assert "0.00 points" not in claim["sentence"]


def test_a_difference_below_what_is_shown_is_not_shown_as_nothing() -> None:
    tiny = study("test_accuracy", "opt: adam = sgd by 5", test_accuracy=0.0)
    frame = tiny.frame.assign(test_accuracy=lambda d: 0.8 + 1e-5 * (d["opt"] == "adam"))
    frame["test_accuracy"] += 1e-6 * frame["seed"].astype(float)
    one = analysis.from_frame(frame, list(FACTORS), "test_accuracy", "seed")
    claim = one.claims("opt: adam = sgd by 5").iloc[0]
    assert "less than 0.01 points better than sgd" in claim["sentence"]


def test_a_tiny_difference_of_no_unit_is_said_as_it_is() -> None:
    """It was read back from text with a typographic minus, and the claim ended in a traceback."""
    tiny = study("mine", "opt: adam > sgd", mine=0.0)
    frame = tiny.frame.assign(mine=lambda d: 0.8 + 2.5e-5 * (d["opt"] == "adam"))
    frame["mine"] += 1e-6 * frame["seed"].astype(float)
    one = analysis.from_frame(frame, list(FACTORS), "mine", "seed")
    assert "2.5e\N{MINUS SIGN}05" in one.claims("opt: adam > sgd").iloc[0]["sentence"]
