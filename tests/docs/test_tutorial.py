"""The tutorial, as somebody follows it: its files written, its commands run, its verdicts found."""

from __future__ import annotations

import json

import pytest

from runner.entry.ablate import run
from tests.docs.pages import ROOT, follow


@pytest.mark.slow
def test_the_tutorial_runs_and_finds_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    monkeypatch.delenv("ABLATIONS_RESULTS", raising=False)
    follow(ROOT / "docs" / "tutorial.md", tmp_path)
    said = capsys.readouterr().out
    assert "24 cells trained here" in said
    assert "16 cells trained here" in said
    assert "momentum × init" in said
    (report,) = tmp_path.glob("results/spirals-default-*/report.html")
    assert report.stat().st_size > 100_000
    assert run(["claims", "spirals", "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    verdicts = {claim["claim"]: claim["verdict"] for claim in claims}
    assert list(verdicts.values()) == ["supported", "supported", "undecided"]
    momentum = claims[1]
    assert momentum["estimate"] == pytest.approx(0.4, abs=0.1)
