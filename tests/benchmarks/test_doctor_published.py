"""Published faults build, their corrected versions learn, and the tables count what rows say."""

from __future__ import annotations

from math import inf

import pytest
import torch

from runner.doctor.causes.kinds import KINDS
from runner.doctor.watching.batches import Batches
from runner.doctor.watching.task import task_of
from runner.doctor.watching.trial import run_trial
from tests.benchmarks.doctor.beside import lightning_checks, meanings, measure, plain, postmortem
from tests.benchmarks.doctor.beside.measure import PLAIN, TOOLS
from tests.benchmarks.doctor.beside.page import page as beside_page
from tests.benchmarks.doctor.published.case import TOOLS as PUBLISHED_TOOLS
from tests.benchmarks.doctor.published.case import VERSIONS
from tests.benchmarks.doctor.published.cases import CASES
from tests.benchmarks.doctor.published.page import page
from tests.benchmarks.doctor.rows import read

STEPS = 100
STAMP = {"commit": "abc", "machine": "a machine", "versions": {"torch": "2.6"}}
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.make)


@pytest.fixture(autouse=True)
def _one_thread():
    """As they are measured; tiny steps of two threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of(name):
    return next(case for case in CASES if case.make.endswith(name))


def trial_of(case, version, steps):
    made = case.made(version, 0)
    training = Batches(made.train_loader, "train_loader", made.device)
    held = Batches(made.val_loader, "val_loader", made.device).some()
    task = task_of(made, training.some(), held)
    planned = made.epochs * training.per_epoch
    return run_trial(made, task, training, held, min(steps or planned, planned), inf)


def test_every_case_names_its_source_and_kinds_of_the_list():
    assert len(CASES) >= 10
    assert len({case.make for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.source
        assert case.fault.endswith(".")
        assert case.url.startswith("https://")
        assert case.right
        assert set(case.right) <= set(KINDS)
        assert set(case.said) <= set(PUBLISHED_TOOLS)


@EACH
def test_both_versions_build_and_the_corrected_one_learns(case):
    assert case.made("buggy", 0).epochs
    trial = trial_of(case, "corrected", STEPS)
    assert not trial.broke
    assert trial.end < trial.beginning


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Using a target size")
@EACH
def test_the_fault_costs_what_the_training_is_for(case):
    """Over the whole planned training, a share of what lies above chance."""
    broken, corrected = (trial_of(case, version, None) for version in VERSIONS)
    assert corrected.score > 0.6
    assert broken.score < corrected.score - 0.3


def test_the_same_seed_makes_the_same_training():
    first, again = (of("circle_of_sigmoids").made("buggy", 3) for _ in range(2))
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert one.equal(other)


def diagnosis(case, version, causes, *, healthy=False):
    return STAMP | {
        "case": case.make, "version": version, "seed": 0, "budget": "60 s", "healthy": healthy,
        "causes": [[kind, 0.9] for kind in causes], "proven": True, "used": 0.1, "seconds": 9.0,
        "cpu": 8.0,
    }  # fmt: skip


def test_the_page_tells_right_wrong_and_what_was_not_run():
    kept, scaled = of("gradients_kept"), of("nothing_scaled")
    text = page(CASES, [
        diagnosis(kept, "buggy", ["wrong_init", "missing_zero_grad"]),
        diagnosis(kept, "corrected", [], healthy=True),
        diagnosis(scaled, "buggy", []),
        diagnosis(scaled, "corrected", ["wrong_init"]),
    ])  # fmt: skip
    lines = {line.partition("]")[0][3:]: line for line in text.splitlines() if line[:3] == "| ["}
    assert "named first in 0 of 2 diagnoses of broken versions, among the two named in 1" in text
    assert "Of 2 corrected versions 1 raised a false alarm and 0 got 'not known'" in text
    assert "| **right**, second | healthy |" in lines["gradients kept"]
    assert "| not known | wrong_init | optimizer" in lines["nothing scaled"]
    assert "| not run yet | not run yet | not published |" in lines["circle of sigmoids"]


def answer(tool, case, version, means, advises=(), said=("a finding",), cpu=2.0):
    return STAMP | {
        "tool": tool, "case": case.make, "version": version, "seed": 0, "means": list(means),
        "advises": list(advises), "said": list(said), "detected": bool(said), "failed": "",
        "cpu": cpu, "seconds": cpu,
    }  # fmt: skip


def test_tools_are_counted_on_the_trainings_that_all_were_asked_about():
    kept, scaled = of("gradients_kept"), of("nothing_scaled")
    rows = [
        answer(tool, kept, version, (), said=(), cpu=2.0)
        for tool in TOOLS
        for version in VERSIONS
        if tool != "torchmortem"
    ]
    rows += [
        answer("torchmortem", kept, "buggy", ["missing_zero_grad"], cpu=6.0),
        answer("torchmortem", kept, "corrected", [], ["wrong_init"],
               ["Dead units in 0 (critical)"], cpu=6.0),
        answer(PLAIN, scaled, "buggy", ["no_normalisation"]),
    ]  # fmt: skip
    text = beside_page(CASES, rows, [
        diagnosis(kept, "buggy", ["missing_zero_grad"]),
        diagnosis(kept, "corrected", []),
    ])  # fmt: skip
    assert "| doctor | 1 of 1 | 1 of 1 | 1 of 1 | 1 | 1 of 1 | 4 |" in text
    assert "| torchmortem | 1 of 1 | 1 of 1 | 1 of 1 | 1 | 1 of 1 | 3 |" in text
    assert "critical alone | 0 of 1 | 0 of 1 | 0 of 1 | 0 | 1 of 1 | 3 |" in text
    assert f"| {PLAIN} | 0 of 1 | 0 of 1 | 0 of 1 | 0 | 0 of 1 | 1 |" in text


def test_meanings_are_kinds_of_the_list():
    every = [*meanings.TORCHMORTEM.values(), *meanings.WARNINGS.values(), meanings.NOT_FINITE]
    assert {kind for one in every for kind in (*one.means, *one.advises)} <= set(KINDS)


def test_torch_itself_warns_of_shapes_that_broadcast():
    case = of("shapes_that_broadcast")
    broken = plain.ask(lambda: case.made("buggy", 0))
    assert len(broken.said) == 1  # once, whatever sizes the batches have
    assert set(broken.means) == set(case.right)
    assert not plain.ask(lambda: case.made("corrected", 0)).detected


def test_lightning_is_asked_with_the_loop_body_of_the_case():
    pytest.importorskip("lightning")
    case = of("gradients_kept")
    broken = lightning_checks.ask(lambda: case.made("buggy", 0))
    assert not broken.failed
    assert [one.split(":")[0] for one in broken.said] == ["overfit_batches"]
    corrected = lightning_checks.ask(lambda: case.made("corrected", 0))
    assert not corrected.failed
    assert not corrected.detected


def test_torchmortem_answers():
    pytest.importorskip("torchmortem")
    case = of("rate_of_a_tenth")
    broken = postmortem.ask(lambda: case.made("buggy", 0))
    assert not broken.failed
    assert broken.detected
    assert all(meanings.of_finding(one) is not meanings.NO_CAUSE for one in broken.said)


def test_a_stopped_measurement_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "TOOLS", {PLAIN: plain.ask})
    raw, case = tmp_path / "raw.jsonl", of("gradients_kept")
    measure.measure([case], 1, raw)
    first = read(raw)
    assert [(row["version"], row["detected"]) for row in first] == [
        ("buggy", False), ("corrected", False),
    ]  # fmt: skip
    assert first[0]["versions"].keys() == {"torch", "torchmortem", "lightning"}
    measure.measure([case], 1, raw)
    assert read(raw) == first
    measure.measure([case], 2, raw)
    assert [row["seed"] for row in read(raw)] == [0, 0, 1, 1]
