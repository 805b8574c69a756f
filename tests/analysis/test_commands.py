"""`python -m analysis`: what a person types, and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.commands import parser, run
from analysis.loading import load
from runner.content.outcome import Reason, Status
from runner.store import open_store
from tests.store_contract.grids import design, outcome, register

TABLE = "A,B,seed,y\n" + "".join(
    f"{a},{b},{s},{i + 0.3 * (j == k)}\n"
    for i, a in enumerate("xy")
    for j, b in enumerate("pq")
    for k, s in enumerate("012")
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_effects_of_a_table(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["effects", "--table", str(table), "--factors", "A", "B", "--response", "y"]
    assert run(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["n_runs"] == 12
    assert printed["order"] == 2
    out = table.with_name("deep") / "effects.json"
    assert run([*arguments, "--block", "seed", "--order", "full", "--out", str(out)]) == 0
    written = json.loads(out.read_text("utf-8"))
    assert (written["order"], written["block"]) == ("full", "seed")
    assert f"wrote {out}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["effects"], "name a study, or a table with --table"),
        (["effects", "--table", "{t}"], "--table needs --factors"),
        (["effects", "--table", "{t}", "--factors", "A"], "--table needs --response"),
        (["effects", "--table", "no.csv", "--factors", "A", "--response", "y"], "does not exist"),
        (["effects", "--table", "{t}", "--factors", "A", "--response", "z"], "no column 'z'"),
        (["effects", "s", "--table", "{t}", "--factors", "A", "--response", "y"], "not both"),
        (
            ["effects", "--table", "{t}", "--factors", "A", "--response", "y", "--out", "{t}/x"],
            "cannot write",
        ),
        (["power"], "name a study, or a design"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_two(
    table: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([a.replace("{t}", str(table)) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("order", ["0", "-1", "two", ""])
def test_an_order_that_is_none_is_refused(table: Path, order: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(["effects", "--table", str(table), "--factors", "A", "--order", order])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit):
        run(["effects", "--table", str(table), "--factors", "A", "--confidence", "95"])


def test_confidence_widens_intervals(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    widths = []
    for confidence in ("0.8", "0.99"):
        run(["effects", "--table", str(table), "--factors", "A", "B", "--response", "y",
             "--confidence", confidence])  # fmt: skip
        row = json.loads(capsys.readouterr().out)["contrasts"][0]
        widths.append(row["high"] - row["low"])
    assert widths[0] < widths[1]


def test_help_is_there_for_every_verb_and_waits_for_no_library() -> None:
    actions = parser()._subparsers
    assert actions is not None
    code = (
        "import sys\nfrom analysis.commands import run\n"
        "try:\n    run(['effects', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "print('heavy', sorted({'pandas', 'scipy', 'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "examples:" in done.stdout
    assert "--block" in done.stdout
    assert done.stdout.rstrip().endswith("heavy []")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished study of 2 x 5 cells and two replicates, one cell diverged, one failed."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
    with open_store(url, create=True) as store:
        study = register(store, optimizers=("adam", "sgd"), replicates=2)
        store.plan(study, design(("adam", "sgd"), replicates=2))
        for number in range(20):
            claim = store.claim(study, worker="w", lease_seconds=60.0)
            assert claim is not None
            label = claim.cell.level("optimizer").label
            if number == 19:
                store.fail(claim, Reason.BUG, "boom", retry=False)
                continue
            bad = number == 3
            accuracy = 0.1 if bad else 0.6 + 0.1 * (label == "adam") + 0.001 * number
            status = Status.DIVERGED if bad else Status.LEARNED
            store.finish(claim, outcome(accuracy, status))
    return url


def test_a_study_of_the_store_is_analysed(
    storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "effects.json"
    assert run(["effects", "grid", "--storage", storage, "--out", str(out)]) == 0
    document = json.loads(out.read_text("utf-8"))
    assert document["study"].startswith("grid-cpu")
    assert document["n_planned"] == 20
    assert document["n_runs"] == 19
    assert document["convergence"]["runs"] == 19
    assert document["convergence"]["converged"] == 18
    assert document["time_to_target"]["runs"] >= 18
    assert document["given_converged"]["runs"] == 18
    assert (document["missing"]["lost"], document["missing"]["waiting"]) == (1, 0)
    assert document["claims"][0]["claim"] == "optimizer: adam > sgd"
    study = load("grid", storage)
    assert study.frame["status"].value_counts()["diverged"] == 1
    assert study.claims()["verdict"].iloc[0] in ("supported", "undecided")
    assert len(study.convergence().rates) == 7
    assert study.given_converged().runs == 18
    assert study.missing().planned == 20
    assert study.time_to_target().budget == 3
    assert len(study.power()) == 3
    assert study.curve_rows is not None
    assert len(study.curve_rows) == 19 * 3


@pytest.mark.parametrize("name", ["converged", "learned", "epochs", "given_converged", "seconds"])
def test_other_outcomes_of_a_study(
    storage: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["effects", "grid", "--storage", storage, "--outcome", name]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_runs"] == (18 if name == "given_converged" else 19)


def test_an_unknown_study_or_outcome_is_said_so(
    storage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["effects", "grit", "--storage", storage]) == 2
    assert "grit" in capsys.readouterr().err
    assert run(["effects", "grid", "--storage", storage, "--outcome", "speed"]) == 2
    assert "no outcome 'speed'" in capsys.readouterr().err


def test_claims_are_answered_in_words(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["claims", "grid", "--storage", storage]) == 0
    printed = capsys.readouterr().out
    assert printed.split()[0] in ("SUPPORTED", "UNDECIDED")
    assert "optimizer: adam > sgd" in printed


@pytest.fixture(scope="module")
def two_studies(storage: str) -> str:
    """A second study in the same store."""
    with open_store(storage) as store:
        other = register(store, "other-cpu-d4e5f6", ("adam", "sgd"))
        store.plan(other, design(("adam", "sgd"), epochs=4))
        while (claim := store.claim(other, worker="w", lease_seconds=60.0)) is not None:
            store.finish(claim, outcome(0.5))
    return storage


def test_two_studies_are_compared(two_studies: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "grid", "other", "--storage", two_studies]) == 0
    assert "optimizer" in capsys.readouterr().out


def test_power_of_a_stated_design(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["power", "--levels", "3", "2", "--sigma", "0.39", "--replicates", "3"]) == 0
    assert "80% power" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["effects"], ["claims"], ["decided"], ["power"], ["compare", "other"]],
    ids=" ".join,
)
def test_a_verb_that_answers_in_words_draws_nothing(arguments: list[str], two_studies: str) -> None:
    code = (
        "import sys\nfrom analysis.commands import run\ncode = run(sys.argv[1:])\n"
        "print(code, sorted({'torch', 'matplotlib', 'seaborn'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, *arguments, "grid", "--storage", two_studies]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.rstrip().endswith("0 []"), done.stdout + done.stderr
