"""`--json`: every verb that prints facts prints them in one documented shape."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from runner.entry.ablate import run
from runner.program.answers import SCHEMA, print_answer
from tests.acceptance.conftest import Finished

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "answers.md").read_text()
OF_A_STUDY = {"study", "outcome", "runs", "factors", "notes"}


def _named(verb: str) -> set[str]:
    (row,) = re.findall(rf"^\| `{verb}` \| (.*) \|$", DOCUMENTED, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


def _asked(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert run([*words, "--json"]) == code
    out = capsys.readouterr().out
    (line,) = out.splitlines()
    answer: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    assert list(answer)[:2] == ["schema", "verb"]
    assert answer.pop("schema") == SCHEMA
    assert answer.pop("verb") == words[0]
    return answer


def test_plan(finished: Finished, capsys):
    facts = _asked(capsys, "plan", str(finished.file), "--cells", "2")
    assert set(facts) == _named("plan")
    assert facts["cells_planned"] == facts["done"]["complete"] == 12
    assert facts["left"]["cells"] == facts["left"]["seconds"] == 0
    assert facts["levels"]["init"] == {"he": 6, "naive": 6}
    assert len(facts["cells"]) == 2
    assert set(facts["cells"][0]["levels"]) == {"init", "bn_placement"}


def test_status(finished: Finished, capsys):
    (every,) = _asked(capsys, "status")["studies"]
    answer = _asked(capsys, "status", "finished")
    (one,) = answer["studies"]
    assert set(answer) | set(one) == _named("status")
    assert every.items() <= one.items()
    assert one["states"]["complete"] == one["cells"] == 12
    assert sum(one["outcomes"].values()) == 12
    assert one["failures"] == one["running"] == []


def test_show(finished: Finished, capsys):
    cell = _asked(capsys, "plan", str(finished.file))["cells"][0]
    answer = _asked(capsys, "show", cell["cell"])
    (shown,) = answer["cells"]
    assert _named("show") <= set(answer) | set(shown)
    assert shown["levels"] == cell["levels"]
    assert shown["epochs_run"] == len(shown["curves"]["train_loss"])
    assert 0 <= shown["test_accuracy"] <= 1
    assert shown["attempts"][0]["state"] == "complete"


def test_diff(finished: Finished, capsys):
    words = [f"init={init},bn_placement=none" for init in ("he", "naive")]
    answer = _asked(capsys, "diff", "finished", *words)
    each = [one for name in ("cells", "differs", "outcomes", "curves") for one in answer[name][:1]]
    assert set(answer).union(*each) == _named("diff")
    assert [len(one["runs"]) for one in answer["cells"]] == [3, 3]
    assert answer["differs"][0] == {"kind": "factor", "name": "init", "values": ["he", "naive"]}
    accuracy = answer["outcomes"][0]
    assert accuracy["outcome"] == "test_accuracy"
    one, two = accuracy["means"]
    assert accuracy["difference"] == pytest.approx(two - one)


@pytest.mark.parametrize("verb", ["decided", "claims", "power"])
def test_answers_about_a_study_begin_alike(finished: Finished, capsys, verb):
    facts = _asked(capsys, verb, "finished")
    assert set(facts) == _named(verb) | OF_A_STUDY
    assert facts["study"] == finished.name
    assert facts["runs"] == 12
    if verb == "decided":
        assert {row["factor"] for row in facts["differences"]} == {"init", "bn_placement"}
    if verb == "claims":
        assert facts["claims"][0]["claim"] == "bn_placement: before > none"
        others = _asked(capsys, verb, "finished", "--claim", "init: he > naive")
        assert (facts["planned"], others["planned"]) == (True, False)
        assert [row["claim"] for row in others["claims"]] == ["init: he > naive"]
    if verb == "power":
        assert {"term", "detectable"} <= set(facts["rows"][0])


def test_power_of_a_design_that_is_only_stated_and_of_a_simulated_outcome(finished, capsys):
    design = ("--levels", "2", "2", "--sigma", "0.1", "--replicates", "3")
    stated = _asked(capsys, "power", *design)
    assert stated["study"] is None
    assert set(stated) == _named("power") | {"study"}
    assert [row["term"] for row in stated["rows"]][:2] == ["A", "B"]


def test_effects_are_the_document(finished: Finished, capsys):
    facts = _asked(capsys, "effects", "finished")
    assert set(facts) == {"study", "document"}
    written = json.loads((finished.results / finished.name / "effects.json").read_text())
    assert facts["document"].keys() == written.keys()


def test_compare(tmp_path, capsys):
    table = "a,seed,y\n" + "".join(
        f"{level},{seed},{seed / 10 + bonus}\n"
        for level, bonus in (("x", 0), ("z", 1))
        for seed in range(4)
    )
    files = [tmp_path / "may.csv", tmp_path / "june.csv"]
    for file in files:
        file.write_text(table)
    words = [word for file in files for word in ("--table", str(file))]
    how = ("--factors", "a", "--response", "y", "--block", "seed")
    facts = _asked(capsys, "compare", *words, *how)
    assert set(facts) == _named("compare")
    assert facts["studies"] == ["may", "june"]
    assert facts["differences"][0]["estimate"] == pytest.approx(0)


def test_a_mistake_is_a_sentence_as_ever(finished: Finished, capsys):
    assert run(["status", "nobody", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")


def test_what_is_not_finite_is_null(capsys):
    print_answer("plan", {"a": float("nan"), "b": [float("inf")], "c": {1: (2,)}})
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"schema": SCHEMA, "verb": "plan", "a": None, "b": [None], "c": {"1": [2]}}
