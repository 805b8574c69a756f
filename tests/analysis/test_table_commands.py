"""Every verb of `python -m analysis` answers a table as it answers a study, in words."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.commands import run
from tests.analysis.table.test_forms import DAYS

VERBS = ("effects", "report", "claims", "decided", "power")


def losses() -> pd.DataFrame:
    """A validation loss that 0.1 makes 0.25 lower, the same with either warm-up; percent beside."""
    rng = np.random.default_rng(0)
    rows = []
    for lr, warmup, seed in itertools.product(("0.1", "0.01"), ("none", "linear"), range(4)):
        rows.append((lr, warmup, seed, 1.5 - 0.25 * (lr == "0.1") + 0.02 * rng.normal()))
    frame = pd.DataFrame(rows, columns=["lr", "warmup", "seed", "val_loss"])
    return frame.assign(acc=[f"{90 - 10 * loss:.2f}%" for loss in frame["val_loss"]])


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "losses.csv"
    losses().to_csv(path, index=False, sep=";")
    return path


def command(verb: str, table: Path, *more: str, response: str = "val_loss") -> list[str]:
    out = {"effects": ["--out", "e.json"], "report": ["--out", "page"]}.get(verb, [])
    return [verb, "--table", str(table), "--factors", "lr", "warmup", "--response", response,
            "--block", "seed", *out, *more]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_answers_a_table_and_its_claims(
    verb: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = ["--claim", "lr: 0.1 < 0.01 by 0.1", "--claim", "lr: 1e-1 < 0.01 by 0.5"]
    assert run(command(verb, table, *claims)) == 0
    printed = capsys.readouterr().out
    assert "SUPPORTED    lr: 0.1 < 0.01 by 0.1" in printed
    assert "lr = 0.1 is 0.225 lower (better) than 0.01" in printed
    assert "REFUTED      lr: 1e-1 < 0.01 by 0.5" in printed
    assert "points" not in printed


@pytest.mark.parametrize("verb", ["effects", "report"])
def test_the_answer_is_in_words_and_names_the_lower_loss_the_better(
    verb: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(verb, table)) == 0
    printed = capsys.readouterr().out
    opening = printed.splitlines()
    assert opening.index("") <= 3, "no more lines than a hurried reader takes in"
    assert opening[0].startswith("What improves val_loss: lr (0.1 over 0.01: −0.2")


def test_percent_on_the_command_line_has_points(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command("claims", table, "--claim", "lr: 0.1 > 0.01 by 2", response="acc")) == 0
    printed = capsys.readouterr().out
    assert "SUPPORTED" in printed
    assert "points higher (better) than 0.01" in printed
    assert run(command("decided", table, response="acc")) == 0
    assert " points  decided" in capsys.readouterr().out


def test_a_direction_that_was_said_is_kept(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    losses().rename(columns={"val_loss": "y"}).to_csv(table, index=False)
    more = ("--lower-is-better", "--claim", "lr: 0.1 < 0.01")
    assert run(command("effects", table, *more, response="y")) == 0
    printed = capsys.readouterr().out
    assert "What improves y: lr (0.1 over 0.01: −0.2" in printed
    assert "lower (better) than 0.01" in printed
    assert json.loads(Path("e.json").read_text("utf-8"))["best"]["higher_is_better"] is False
    assert "is taken as better" not in printed
    assert run(command("effects", table, response="y")) == 0
    assert "What changes y: lr (0.01 over 0.1: +0.2" in (printed := capsys.readouterr().out)
    assert "Note: more y is taken as better; --lower-is-better says" in printed
    losses().to_csv(table, index=False)
    assert run(command("effects", table, "--higher-is-better")) == 0
    assert "improves val_loss: lr (0.01 over 0.1: +0.2" in capsys.readouterr().out


def test_what_reading_did_is_said(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = losses()
    wide = frame.pivot(index=["lr", "warmup"], columns="seed", values="val_loss")
    wide.add_prefix("run").reset_index().to_csv(table, index=False)
    options = ["--table", str(table), "--factors", "lr", "warmup", "--wide", "run*"]
    assert run(["decided", *options, "--response", "val_loss"]) == 0
    assert "Note: 4 columns (run0 to run3) are the runs of val_loss." in capsys.readouterr().out
    means = frame.groupby(["lr", "warmup"])["val_loss"].agg(["mean", "std"]).reset_index()
    means.to_csv(table, index=False)
    options = ["--table", str(table), "--factors", "lr", "warmup", "--response", "mean"]
    assert run(["power", *options, "--n", "4"]) == 0
    assert "16 runs were made up from means" in capsys.readouterr().out
    assert run(["power", *options, "--nested", "lr"]) == 2
    assert "expected 'Run:Day'" in capsys.readouterr().err


def test_a_nested_table_prints_the_test_of_its_analysis_of_variance(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = [d for d in range(1, 11) for _ in range(4)]
    pd.DataFrame({"Day": day, "Run": [1, 2] * 20, "y": DAYS}).to_csv(table, index=False)
    options = ["--table", str(table), "--factors", "Day", "--response", "y", "--nested", "Run:Day"]
    assert run(["effects", *options, "--out", "e.json"]) == 0
    assert "Day: F(9, 10) = 22.51, p = 1.71e-05 (nested" in capsys.readouterr().out


def test_two_tables_are_compared(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = table.with_name("june.csv")
    losses().assign(val_loss=lambda d: d["val_loss"] * 2).to_csv(other, index=False)
    arguments = ["compare", "--table", str(table), "--table", str(other), "--factors", "lr",
                 "warmup", "--response", "val_loss", "--block", "seed"]  # fmt: skip
    assert run(arguments) == 0
    printed = capsys.readouterr().out
    assert "losses" in printed
    assert "june" in printed
    assert "lr: 0.1 - 0.01" in printed
    text = other.read_text("utf-8").replace("0.1,", "1e-1,")
    other.write_text(text, encoding="utf-8")
    assert run(arguments) == 0  # one number is one level, also across tables
    assert "lr: 0.1 - 0.01" in capsys.readouterr().out
    losses().assign(val_loss=[f"{x:.2%}" for x in losses()["val_loss"]]).to_csv(other)
    assert run(arguments) == 2
    assert "losses not, june in percent; give it in one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report"], "name a study, or a table with --table"),
        (["decided", "five", "--table", "{t}"], "not both"),
        (["claims", "--table", "{t}", "--response", "val_loss"], "--table needs --factors"),
        (["claims", "five", "--block", "seed"], "--block says something of a table"),
        (["report", "five", "--wide", "seed*"], "--wide says something of a table"),
        (["decided", "five", "--claim", "a: b > c"], "--claim goes with --table"),
        (["compare", "a", "b", "--block", "seed"], "--block says something of a table"),
        (["compare", "--table", "{t}"], "takes two studies or more, or tables"),
        (
            ["report", "--table", "{t}", "--factors", "lr", "--response", "val_loss",
             "--claim", "lr: 0.1 > 0.2"], "'lr' has no level '0.2'",
        ),
        (
            ["claims", "--table", "{t}", "--factors", "lr", "--response", "val_loss"],
            "study 'losses' has no claims: write them with --claim",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_a_sentence(
    table: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([one.replace("{t}", str(table)) for one in arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_no_p_is_printed_as_nothing(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Differences of a million deviations have a p that no float holds."""
    rng = np.random.default_rng(0)
    rows = list(itertools.product("ab", "xy", range(200)))
    frame = pd.DataFrame(rows, columns=["A", "B", "seed"])
    frame["y"] = 1e4 * (frame["A"] == "a") + rng.normal(size=len(frame))
    frame.to_csv(table, index=False)
    options = ["--table", str(table), "--factors", "A", "B", "--response", "y", "--out", "e.json"]
    assert run(["effects", *options]) == 0
    printed = capsys.readouterr().out
    assert "p < 1e-300 (Holm < 1e-300; welch)" in printed
    assert "p = 0 " not in printed


def test_power_of_a_fraction_says_what_more_replicates_do_not_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fifteen of sixteen combinations, two of them far off what mains and pairs say."""
    rng = np.random.default_rng(0)
    cells = list(itertools.product("ab", "cd", "ef", "gh"))[:-1]
    for apart, said in ((3.0, True), (0.0, False)):
        rows = [
            (*cell, apart * (cell[:3] == ("a", "c", "e")) + rng.normal())
            for cell in cells
            for _ in range(3)
        ]
        file = tmp_path / "runs.csv"
        pd.DataFrame(rows, columns=[*"ABCD", "y"]).to_csv(file, index=False)
        asked = ["power", "--table", str(file), "--factors", *"ABCD", "--response", "y"]
        assert run(asked) == 0
        assert ("more combinations do" in " ".join(capsys.readouterr().out.split())) == said
