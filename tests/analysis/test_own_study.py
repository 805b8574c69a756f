"""A study of a function of one's own, from its store to its answers."""

import re
from pathlib import Path

import numpy as np
import pytest

import analysis
from analysis.report import write_report
from runner.content.outcome import Outcome, Point, Reason, Status
from runner.design import design_of
from runner.spec import load_spec
from runner.store import open_store

FILE = """\
name: own
trainer: mine.py:fit
factors: {{loss: [ce, focal], size: [1, 2], kind: [a, b]}}
replicates: 3
responses:
  perplexity: {{better: lower, low: 1, {more}}}
  acc: {{unit: share}}
claims: ["loss: focal < ce", "loss: focal > ce on acc"{claim}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


def stored(
    folder: Path, name: str, more: str, claim: str = "", diverged: bool = False, design: str = ""
) -> str:
    """A study whose focal loss takes five off the perplexity; the address of its store."""
    folder = folder / name
    folder.mkdir()
    (folder / "mine.py").write_text("def fit(loss, size, kind, seed): ...")
    file = folder / "study.yaml"
    file.write_text(FILE.format(more=more, claim=claim) + design)
    spec = load_spec(file, cuda_visible=False)
    url = f"sqlite:///{folder}/store.db"
    draw = np.random.default_rng(1)
    with open_store(url, create=True) as store:
        study = store.register(
            name=spec.study, profile="default", spec=spec.to_dict(), replicates=3,
            factors={factor.name: factor.levels for factor in spec.factors},
            claims=[one.text for one in spec.claims],
        )  # fmt: skip
        store.plan(study, ((cell, n) for n, cell in enumerate(design_of(spec).cells)))
        while (lease := store.claim(study, "w", lease_seconds=60)) is not None:
            labels = lease.cell.labels
            value = 20.0 + 5 * (labels["loss"] == "ce") + draw.normal(0, 0.5)
            points = tuple(Point(step, {"perplexity": value + 3 - step}) for step in range(4))
            better = labels["loss"] == "focal"
            given = {"perplexity": value, "acc": 0.5 + 0.1 * better + draw.normal(0, 0.01)}
            outcome = Outcome(Status.FINISHED, responses=given, points=points, seconds=1.0)
            if diverged and labels == {"loss": "ce", "size": "2", "kind": "b"}:
                outcome = Outcome(Status.DIVERGED, responses={"acc": 0.1}, seconds=1.0)
            broken = labels == {"loss": "focal", "size": "1", "kind": "a"}
            if diverged and broken and lease.cell.replicate == 2:
                store.fail(lease, Reason.BUG, "broken")
                continue
            store.finish(lease, outcome)
    return url


@pytest.fixture(scope="module")
def plain(folder: Path) -> str:
    return stored(folder, "plain", "unit: ppl")


def test_the_first_response_is_looked_at_with_its_direction_and_limits(plain):
    study = analysis.load("own", plain)
    assert (study.response, study.measure.better, study.measure.low) == ("perplexity", "lower", 1)
    contrast = study.contrasts().set_index("factor").loc["loss"]
    assert contrast["estimate"] == pytest.approx(5.0, abs=0.6)
    assert list(study.claims()["verdict"]) == ["supported", "supported"]
    assert "converged" not in study.frame
    assert set(study.frame["status"]) == {"finished"}


def test_any_response_can_be_looked_at(plain):
    study = analysis.load("own", plain).outcome("acc")
    assert study.measure.share
    contrast = study.contrasts().set_index("factor").loc["loss"]
    assert abs(contrast["estimate"]) == pytest.approx(0.1, abs=0.02)


def test_its_report_says_what_is_so_in_its_words(plain, folder):
    page = write_report("own", folder / "report", storage=plain)
    text = page.read_text("utf-8")
    assert "function mine.py:fit" in text
    found = (folder / "report" / "findings.txt").read_text("utf-8")
    assert "improves perplexity: loss (focal" in found
    for strange in ("test accuracy", "images", "network", "epochs with batches"):
        assert strange not in (folder / "report" / "paper" / "methods.txt").read_text("utf-8")
    assert (folder / "report" / "figures" / "learning_curves.svg").exists()


def test_with_a_target_convergence_and_time_are_analysed(folder):
    url = stored(folder, "target", "target: 22", ', "loss: focal > ce on convergence"')
    study = analysis.load("own", url)
    assert set(study.frame["status"]) == {"reached", "short"}
    assert study.goal.target is not None
    assert study.goal.target.words == "perplexity 22"
    rates = study.convergence().rates.set_index(["factor", "level"])["converged"]
    assert (rates["loss", "focal"], rates["loss", "ce"]) == (12, 0)
    times = study.time_to_target().means.set_index(["factor", "level"])["mean"]
    assert times["loss", "focal"] < times["loss", "ce"]
    assert list(study.claims()["verdict"]) == ["supported"] * 3


@pytest.mark.parametrize(("more", "value"), [("worst: 100", 100.0), ("chance: 50", 50.0)])
def test_a_run_that_diverged_counts_as_the_worst_or_as_guessing(folder, more, value):
    study = analysis.load("own", stored(folder, more.replace(": ", ""), more, diverged=True))
    diverged = study.frame[study.frame["status"] == "diverged"]
    assert list(diverged["perplexity"]) == [value] * 3
    failed = study.frame[study.frame["status"] == "failed"]
    assert failed["perplexity"].isna().all()


def test_else_it_is_missing_and_that_is_said(folder):
    study = analysis.load("own", stored(folder, "missing", "unit: ppl", diverged=True))
    assert study.frame["perplexity"].isna().sum() == 4
    assert any("4 of 24 runs have no" in note for note in study.table.notes)


ASSUMED = "assuming that two or more factors do not interact"
ALLOWED = "allowing for interactions of two or more factors"


@pytest.mark.parametrize(
    ("name", "design", "combinations", "rests", "said"),
    [
        ("one_at_a_time", "kind: one_at_a_time", 4, "", ASSUMED),
        ("leave_one_out", "kind: leave_one_out", 4, "", ASSUMED),
        ("mains", "kind: d_optimal, runs: 6, order: 1", 6, " and its misfit", ALLOWED),
    ],
)
def test_a_design_for_main_effects_is_told_with_what_is_assumed(
    folder, name, design, combinations, rests, said
):
    url = stored(folder, name, "unit: ppl", design=f"design: {{{design}}}\n")
    study = analysis.load("own", url)
    assert len(study.frame) == 3 * combinations
    contrast = study.contrasts().set_index("factor").loc["loss"]
    assert contrast["estimate"] == pytest.approx(5.0, abs=1.0)
    assert contrast["rests_on"] == f"model of order 1{rests}"
    write_report("own", folder / f"report-{name}", storage=url)
    found = (folder / f"report-{name}" / "findings.txt").read_text("utf-8")
    assert "improves perplexity: loss (focal" in found
    assert said in found
    assert re.search(r"any of 3 pairs of factors +cannot be tested", found)
