"""A sweep that a tool kept gives what a table of its runs gives: effects, claims, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis import from_frame
from analysis.commands import run
from analysis.importers.tools import from_tool
from tests.analysis.importers.conftest import Kept
from tests.analysis.importers.sweeps import SOURCES, table

TOOLS = tuple(SOURCES)
CLAIM = "lr: 0.1 > 0.01 by 0.02"


def outcome(tool: str) -> str:
    """What the outcome is called by each tool."""
    return {"optuna": "value", "hydra": "test.accuracy"}.get(tool, "accuracy")


def numbers(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what it says of where it comes from."""
    return {k: v for k, v in document.items() if k not in ("notes", "study", "created", "name")}


def assert_alike(found: Any, given: Any, at: str = "document") -> None:
    """Equal but for the last digits, which the order of the rows decides."""
    if isinstance(given, dict):
        assert found.keys() == given.keys(), at
        for key in given:
            assert_alike(found[key], given[key], f"{at}.{key}")
    elif isinstance(given, list):
        assert len(found) == len(given), at
        for k, (one, other) in enumerate(zip(found, given, strict=True)):
            assert_alike(one, other, f"{at}[{k}]")
    elif isinstance(given, float):
        assert found == pytest.approx(given, rel=1e-7, abs=1e-13), at
    else:
        assert found == given, at


@pytest.mark.parametrize("tool", TOOLS)
def test_effects_are_those_of_a_table(tool: str, kept: Kept) -> None:
    study = from_tool(list(kept(tool)), {"name": "sweep", "higher_is_better": True})
    assert study.factors.keys() == {"lr", "optimizer"}
    assert study.replicate == "seed"
    assert study.response == outcome(tool)
    if tool != "optuna":  # whose sampler shuffles the grid; the others keep the order of the runs
        columns = ["lr", "optimizer", "seed"]
        assert study.frame[columns].astype(str).to_numpy().tolist() == (
            table()[columns].astype(str).to_numpy().tolist()
        )
    runs = table().rename(columns={"accuracy": outcome(tool)})
    same = from_frame(
        runs, list(study.factors), outcome(tool), "seed", "sweep",
        levels=study.factors, higher_is_better=True,
    )  # fmt: skip
    assert study.contrasts()["estimate"].abs().max() > 0.02
    assert_alike(numbers(study.document()), numbers(same.document()))


@pytest.mark.parametrize("verb", ["decided", "power", "claims", "effects"])
def test_every_verb_takes_it(
    verb: str,
    kept: Kept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--out", "e.json"] if verb == "effects" else []
    assert run([verb, "--from", *kept("optuna"), "--claim", CLAIM, *more]) == 0
    printed = capsys.readouterr().out
    assert f"SUPPORTED    {CLAIM}" in printed
    assert "replicate: seed" in printed


@pytest.mark.slow
def test_the_report_is_that_of_a_table(
    kept: Kept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And without --out it is in a folder called like the sweep."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("t.csv", index=False)
    assert run(["report", "--from", *kept("mlflow_files"), "--claim", CLAIM]) == 0
    assert "wrote results/sweep/report.html" in capsys.readouterr().out
    Path("results/sweep").rename("a")
    told = ["--factors", "lr", "optimizer", "--response", "accuracy", "--block", "seed"]
    assert run(["report", "--table", "t.csv", *told, "--out", "b", "--claim", CLAIM]) == 0
    findings = Path("a/findings.txt").read_text("utf-8")
    assert findings == Path("b/findings.txt").read_text("utf-8")
    assert "differences between levels" in findings or "every difference" in findings.lower()
    figures = [sorted(p.name for p in Path(one, "figures").iterdir()) for one in "ab"]
    assert figures[0] == figures[1] != []
    page = Path("a/report.html").read_text("utf-8")
    assert "Factors, told from the runs: lr and optimizer." in page


def test_two_sources_are_compared(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool, source = kept("optuna")
    other = tmp_path / "again.db"
    other.write_bytes(Path(source.removeprefix("sqlite:///")).read_bytes())
    assert run(["compare", "--from", tool, source, "--from", tool, str(other)]) == 0
    printed = capsys.readouterr().out
    assert f"{tool} {other}" in printed  # both are called "sweep"
    assert "lr: 0.1 - 0.01" in printed
    assert run(["compare", "--from", tool, source]) == 2
    assert "or runs with --from" in capsys.readouterr().err


def test_python_and_the_command_line_take_the_same_names() -> None:
    for tool in ("hydra", "mlflow", "optuna", "tensorboard", "wandb"):
        assert f"from_{tool}" in analysis.__all__
        assert callable(getattr(analysis, f"from_{tool}"))
