"""`status` says which of several studies of one name is which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from runner.commands import main
from runner.store import open_store
from runner.store.database.tables import studies
from tests.faults.harness import specification


@pytest.fixture
def here(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("runner.commands.running.session.train_study", lambda *_a, **_k: 0)
    return here


def planned(folder: Path, *settings: str, **changes: Any) -> str:
    with open_store(create=True) as store:
        before = store.study_names()
    file = specification(folder, plugins=[], **changes)
    given = [word for one in settings for word in ("--set", one)]
    assert main(["grid", str(file), "--quiet", "--no-report", *given]) == 0
    with open_store() as store:
        (name,) = set(store.study_names()) - set(before)
    return name


def facts(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert main(["status", *words, "--json"]) == 0
    return {one["study"]: one for one in json.loads(capsys.readouterr().out)["studies"]}


def test_a_study_without_namesakes_has_a_date_and_no_further_column(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = planned(here), planned(here, name="another")
    found = facts(capsys)
    assert [found[one]["unlike_namesakes"] for one in (name, other)] == [{}, {}]
    with open_store() as store:
        begun = store.load_study(name).created
    assert found[name]["begun"] == begun.isoformat()
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert f"{begun.astimezone():%Y-%m-%d %H:%M}" in out
    assert "differ" not in out


def test_the_keys_in_which_namesakes_differ_are_named_with_their_values(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = planned(here)
    second = planned(here, "train.epochs=5", "seeds=shared")
    factors = {"init": ["he", {"naive": {"std": 0.1}}], "bn_placement": ["none", "before"]}
    fixed = {"augmentation": "none", "scheduler": "constant", "optimizer": "sgd"}
    third = planned(here, factors=factors, fixed=fixed)
    found = {name: one["unlike_namesakes"] for name, one in facts(capsys).items()}
    differ = found[second]
    assert (differ["train.epochs"], differ["seeds"]) == ("5", "shared")
    assert (found[first]["train.epochs"], found[first]["seeds"]) == ("1", "own")
    assert (differ["factors.init"], found[third]["factors.init"]) == (
        "[he, xavier]",
        "[he, naive(std 0.1)]",
    )
    assert (differ["factors.bn_placement"], found[third]["fixed.bn_placement"]) == ("absent",) * 2
    alike = {"name", "study", "source", "profile", "train.batch_size", "fixed.scheduler"}
    assert not alike & set(differ)
    assert facts(capsys, second)[second]["unlike_namesakes"] == differ
    for words in ((), (second,)):
        assert main(["status", *words]) == 0
        (line,) = [one for one in capsys.readouterr().out.splitlines() if "train.epochs 5" in one]
        assert "seeds shared" in line


def test_a_damaged_study_hides_no_namesake(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [planned(here), planned(here, "train.epochs=5"), planned(here, "train.epochs=7")]
    with open_store() as store:
        broken = update(studies).where(studies.c.name == names[0]).values(levels={})
        store.database.write(lambda connection: connection.execute(broken))
    assert main(["status", "--json"]) == 4
    found = {one["study"]: one for one in json.loads(capsys.readouterr().out)["studies"]}
    assert found[names[0]] == {"study": names[0], "damaged": True}
    assert found[names[1]]["unlike_namesakes"] == {"train.epochs": "5"}
    assert main(["status"]) == 4
    out = capsys.readouterr().out
    assert f"{names[0]} " in out
    assert "damaged" in out
