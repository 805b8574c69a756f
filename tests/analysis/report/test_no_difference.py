"""Where nothing differs the answer says so, and names no level as the best."""

from __future__ import annotations

import itertools

import pandas as pd

from analysis.loading import from_frame
from analysis.report.gallery.catalogue import BY_NAME
from analysis.report.page.page_sections import SECTIONS
from analysis.report.page.tables.effects_table import effects_table
from analysis.report.words.answer import answer
from analysis.study import Study


def study(**columns: object) -> Study:
    rows = [
        (a, b, seed) for a, b in itertools.product(("x", "y", "z"), ("p", "q")) for seed in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed"]).assign(**columns)
    return from_frame(frame, ["a", "b"], "acc", "seed")


def test_a_constant_outcome_has_no_best_level() -> None:
    constant = study(acc=0.1)
    found = answer(constant)
    assert "There is no difference in acc between any levels." in found.sentences
    assert not any("best" in text or "improves" in text for text in found.sentences)
    assert found.factors["best"].isna().all()
    assert set(found.factors["sure"]) == {"no difference"}
    for row in effects_table(constant, found):
        assert (row["levels"], row["difference"], row["interval"]) == ("all equal", "none", "")
    best = constant.document()["best"]
    assert best["n_cells"] is None
    assert {row["best"] for row in best["levels"]} == {None}


def test_all_runs_diverged_alike_is_said() -> None:
    lost = study(acc=0.1, status="diverged", converged=0.0, n_test=1000)
    found = answer(lost)
    assert "No run converged, so no factor decides that in this grid." in found.sentences
    assert found.factors["conv_best"].isna().all()
    assert set(found.factors["conv_sure"]) == {"no difference"}
    row = effects_table(lost, found)[0]
    assert row["convergence"] == "the same at every level"


def test_a_target_nobody_reached_is_a_sentence_and_no_empty_panels() -> None:
    times = {"epochs_to_target": None, "epochs_run": 3, "epochs_budget": 3}
    short = study(acc=0.5, status="stalled", **times)
    assert BY_NAME["time_to_target"].drawing(short) is None
    section = next(one for one in SECTIONS if one.key == "time")
    (said,) = section.content(short, None).texts
    assert said.startswith("No run reached the target within 3 epochs")


def test_where_all_converged_there_is_no_mosaic_of_one_colour() -> None:
    alike = study(acc=0.5, status="converged", converged=1.0, n_test=1000)
    assert BY_NAME["cell_mosaic"].drawing(alike) is None


def test_one_factor_may_differ_while_another_does_not() -> None:
    rows = [
        (a, b, seed, 0.5 + 0.25 * (a == "y") + 0.125 * (seed - 1))
        for a, b in itertools.product(("x", "y"), ("p", "q"))
        for seed in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed", "acc"])
    table = answer(from_frame(frame, ["a", "b"], "acc")).factors.set_index("factor")
    assert table.loc["a", "best"] == "y"
    assert pd.isna(table.loc["b", "best"])
    assert table.loc["b", "sure"] == "no difference"
