"""`tune:` through the command line: said, spent once, continued, and what it found is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import analysis
from ablations.errors import InputError
from analysis.document.document import SCHEMA_PATH, document
from analysis.report.page.tables.tuning_tables import tuning_told
from analysis.report.words.answer import answer
from runner.commands import main
from runner.commands.running.grid import register_design
from runner.commands.tuning.search import Engine, search
from runner.content.outcome import Outcome, Reason, Status
from runner.design import Design, design_of
from runner.spec import Spec, load_spec
from runner.store import Store, open_store
from runner.store.cells.studies import StudyInfo

# A level that is better and has a rate far from its own: as given it loses.
TRAIN = """
import math, random

BEST = {"sgd": 0.1, "adam": 0.001}

def fit(opt, width, lr, epochs=10, *, seed):
    with open("calls.txt", "a") as calls:
        calls.write(f"{opt} {epochs}\\n")
    if lr < LOWEST:
        raise RuntimeError("such a rate breaks it")
    off = math.log10(lr / BEST[opt])
    draw = random.Random(seed)
    score = 0.9 + 0.03 * (opt == "adam") - 0.05 * off**2
    return {"accuracy": score + draw.gauss(0, 0.003), "validation": score + draw.gauss(0, 0.003)}
"""
FILE = """
name: rates
trainer: train.py:fit
factors:
  opt: [sgd, adam]
  width: [1, 2]
fixed: {lr: 0.1}
replicates: 3
tune:
  parameters: {lr: {low: LOW, high: 1.0, log: true}}
  per: opt
  trials: TRIALS
  sampler: tpe
  set: {epochs: 2}
  response: validation
  compare: true
responses: {accuracy: {better: higher}, validation: {better: higher}}
claims: ["opt: adam > sgd"]
"""


@pytest.fixture
def here(here: Path) -> Path:
    write()
    return here


def write(trials: int = 8, low: str = "1.0e-5", lowest: float = 0.0) -> None:
    Path("train.py").write_text(TRAIN.replace("LOWEST", str(lowest)))
    Path("rates.yaml").write_text(FILE.replace("TRIALS", str(trials)).replace("LOW", low))


def studies() -> dict[str, int]:
    """Every study with its complete cells; the tuned ones by their group."""
    with open_store() as store:
        return {name: store.status(name).complete for name in store.study_names()}


def calls() -> int:
    return len(Path("calls.txt").read_text().splitlines())


@pytest.mark.slow
def test_a_misset_rate_reverses_an_effect_and_tuning_removes_that(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "rates.yaml"]) == 0
    plan = " ".join(capsys.readouterr().out.split())
    assert "lr per opt: 2 groups x 8 trials = 16 runs (40% of all runs)" in plan
    assert "opt=adam: lr 1e-05 to 1 at width=1; first lr = 0.1 (as given)" in plan
    assert "12 cells more" in plan
    assert [one.name for one in here.iterdir() if one.suffix == ".db"] == []
    assert main(["grid", "rates.yaml", "--no-report"]) == 0
    assert "tuned opt=adam: lr = " in capsys.readouterr().out
    before = studies()
    assert sorted(before.values()) == [8, 8, 12, 12]
    study = analysis.load("rates")  # the study, not those of its trials
    said = " ".join(answer(study).sentences)
    assert "Tuning turns a verdict round: opt, sgd against adam" in said
    assert "Tuning cost 16 runs" in said
    assert study.claims()["verdict"].tolist() == ["supported"]
    texts, tables = tuning_told(study)
    assert [len(one["rows"]) for one in tables] == [2, 2]
    assert sum("within one noise deviation" in text for text in texts) == 2
    whole = document(study)
    jsonschema.validate(whole, json.loads(SCHEMA_PATH.read_text("utf-8")))
    found = whole["tuning"]
    values = {g["levels"]["opt"]: g["parameters"][0]["value"] for g in found["groups"]}
    assert 0.02 < values["sgd"] < 0.5
    assert 0.0002 < values["adam"] < 0.005
    assert [one["change"] for one in found["effects"] if one["factor"] == "opt"] == ["reversed"]
    assert {call.split()[1] for call in Path("calls.txt").read_text().splitlines()} == {"2", "10"}
    # Trials have seeds of their own, and cells are what they ran with.
    with open_store() as store:
        contents = {
            name: [store.content(name, run["cell"]) for run in store.runs(name)] for name in before
        }
    grid = next(name for name in before if "/" not in name)
    assert {one.train.seed for one in contents[grid]} == {0}
    for name in before:
        if "/tune/" in name:
            assert 0 not in {one.train.seed for one in contents[name]}
    ran = {(one.arguments["opt"], one.arguments["lr"]) for one in contents[grid]}
    assert ran == set(values.items())
    # Given again nothing is trained.
    count = calls()
    assert main(["grid", "rates.yaml", "--quiet", "--no-report"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert calls() == count
    assert main(["status", f"{grid}/tune/opt=sgd"]) == 0
    assert "8 cells" in capsys.readouterr().out


class Trained:
    """A store and an engine that trains in this process: what a run leaves, without its processes.

    Rates below `lowest` fail; the run is killed before the wave of number `stop`.
    """

    def __init__(self, store: Store, lowest: float = 0.0, stop: int = 99) -> None:
        self.store, self.lowest, self.stop = store, lowest, stop
        self.waves: list[int] = []
        self.said: list[str] = []

    def search(self) -> tuple[Spec, int]:
        spec = load_spec("rates.yaml", cuda_visible=False)
        engine = Engine(self.store, self._register, self._train, 2, self.said.append)
        return search(spec, design_of(spec), engine)

    def _register(self, part: Spec, cells: Design, about: dict[str, Any]) -> StudyInfo:
        study, _ = register_design(self.store, part, cells, "cpu", {"tuning": about})
        return study

    def _train(self, study: StudyInfo, part: Spec, cells: Design) -> int:
        if len(self.waves) == self.stop:
            return 130
        self.waves.append(self.store.open_cells(study))
        while (lease := self.store.claim(study, "test", lease_seconds=60)) is not None:
            rate = lease.cell.arguments["lr"]
            if rate < self.lowest:
                self.store.fail(lease, Reason.BUG, "such a rate breaks it")
            else:
                score = 1 - abs(rate - 0.01)
                numbers = {"accuracy": score, "validation": score}
                self.store.finish(lease, Outcome(Status.FINISHED, responses=numbers))
        return 0


def test_a_killed_tuning_goes_on_where_it_stopped(here: Path) -> None:
    with open_store(create=True) as store:
        run = Trained(store, stop=2)
        assert run.search()[1] == 130
        planned = sum(len(store.runs(name)) for name in store.study_names())
        assert planned < 16
        run.stop = 99
        tuned, code = run.search()
        assert code == 0
        assert sum(run.waves) == 16  # none of them twice
        assert run.search()[0] == tuned
        assert sum(run.waves) == 16
        assert {dict(one.group)["opt"] for one in tuned.found} == {"sgd", "adam"}


def test_more_trials_continue_and_another_range_begins_anew(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(trials=4)
    with open_store(create=True) as store:
        run = Trained(store)
        run.search()
        first = set(store.study_names())
        write(trials=5)
        assert main(["plan", "rates.yaml", "--cells", "0"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "8 of them done or planned already" in said
        assert "which cells the grid has is known once tuning has ended" in said
        run.search()
        assert main(["plan", "rates.yaml", "--cells", "0"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "tuned opt=sgd: lr = " in said
        assert sum(run.waves) == 10
        assert set(store.study_names()) == first
        write(trials=4, low="1.0e-4")
        tuned, _ = run.search()
        assert sum(run.waves) == 18
        assert not first & {one.study for one in tuned.found}


def test_trials_that_fail_are_passed_over_and_a_group_of_them_ends_the_run(here: Path) -> None:
    with open_store(create=True) as store:
        run = Trained(store, lowest=0.005)
        tuned, code = run.search()
        assert code == 0
        assert all(one.values["lr"] >= 0.005 for one in tuned.found)
        assert "of them failed" in run.said[0]
        write(trials=3, low="1.0e-4")
        run.lowest = 2.0
        with pytest.raises(InputError) as error:
            run.search()
        assert "none of its 3 trials ended with a validation" in str(error.value)
        assert "runner status" in str(error.value)


@pytest.mark.slow
def test_a_command_is_tuned_as_well(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("train_command.py").write_text(
        "import argparse, json, math\n"
        "p = argparse.ArgumentParser()\n"
        "p.add_argument('--opt'); p.add_argument('--lr', type=float, required=True)\n"
        "p.add_argument('--seed', type=int); a = p.parse_args()\n"
        "off = math.log10(a.lr / {'sgd': 0.1, 'adam': 0.001}[a.opt])\n"
        "print(json.dumps({'loss': off**2 + a.seed % 100 / 1e4}))\n"
    )
    Path("command.yaml").write_text(
        "name: command\n"
        'trainer: {command: "python train_command.py {args} --seed {seed}"}\n'
        "factors: {opt: [sgd, adam]}\n"
        "replicates: 2\n"
        "tune: {parameters: {lr: {low: 1.0e-4, high: 1}}, per: opt, trials: 5}\n"
        "responses: {loss: {better: lower}}\n"
    )
    assert main(["grid", "command.yaml", "--no-report"]) == 0
    said = capsys.readouterr().out
    assert "tuned opt=sgd: lr = " in said
    with open_store() as store:
        name = next(one for one in store.study_names() if "/" not in one)
        found = store.load_study(name).spec["found"]
    assert found[0]["values"]["lr"] > found[1]["values"]["lr"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("per: opt", "per: optt"), "no factor 'optt' is varied; did you mean 'opt'?"),
        (("{lr: {low", "{opt: {low"), "'opt' is a factor"),
        (("high: 1.0", "high: 1.0e-9"), "'low' must lie below 'high'"),
        (("1.0e-5", "0"), "begins above 0"),
        (("set: {epochs", "set: {epoch"), "did you mean 'epochs'?"),
        (("response: validation", "response: validatoin"), "did you mean 'validation'?"),
        (("{lr: {low", "{seed: {low"), "the run gives it to each cell"),
        (("set: {epochs: 2}", "at: {width: 3}"), "'width' has no level '3'"),
        (("set: {epochs: 2}", "at: {opt: sgd}"), "stands under 'per'"),
    ],
)
def test_what_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], problem: str
) -> None:
    text = Path("rates.yaml").read_text()
    assert change[0] in text
    Path("rates.yaml").write_text(text.replace(*change))
    assert main(["grid", "rates.yaml"]) == 2
    error = capsys.readouterr().err
    assert "tune" in error
    assert problem in error
    assert len(error.strip().splitlines()) == 1
    left = {one.name for one in here.iterdir()} - {"__pycache__"}
    assert left == {"rates.yaml", "train.py"}
