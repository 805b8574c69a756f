"""The study that follows a screening: a file that runs as printed, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import analysis
from ablations.errors import InputError
from analysis.document.document import SCHEMA_PATH, document
from analysis.report.exports import write_follow_up
from analysis.report.words.answer import answer
from analysis.report.words.caveats import caveats
from analysis.screening.follow_up import follow_up, profiles_to_overrule
from analysis.study import Study
from runner.content.outcome import Outcome, Status
from runner.design import design_of
from runner.spec import load_spec
from runner.store import open_store

FILE = """\
name: many
trainer: mine.py:fit
factors:
  lr: [0.01, 0.1]
  depth: [11, 16]
  clip: [1.0, null]
  amp: [false, true]
  sizes: [[64, 32], [32]]
  word: ["yes", "no: never"]
  optimizer: [{as: sgd, set: {momentum: 0.9}}, {as: plain, set: {}}]
  opts: [{as: few, value: {a: 1}}, {as: more, value: {a: 2, b: [x]}}]
  init: [he, xavier]
replicates: REPLICATES
responses:
  loss: {better: lower}
design: DESIGN
claims: ["clip: 1 < null"]
profiles:
  small:
    factors: {init: [he, zero]}
"""


def stored(folder: Path, replicates: int = 1, design: str = "{kind: screen}", profile: str = "auto",
           seen: float = 1.0) -> Study:  # fmt: skip
    """A study of which lr, depth and their pair move the loss; some runs are not there yet."""
    (folder / "mine.py").write_text("def fit(seed, **choices): ...")
    file = folder / "many.yaml"
    file.write_text(FILE.replace("REPLICATES", str(replicates)).replace("DESIGN", design))
    spec = load_spec(file, cuda_visible=False, profile=profile)
    draw = np.random.default_rng(4)
    with open_store(f"sqlite:///{folder}/store.db", create=True) as store:
        study = store.register(
            name=spec.study, profile=spec.profile, spec=spec.to_dict(), replicates=replicates,
            factors={factor.name: factor.levels for factor in spec.factors},
            claims=[one.text for one in spec.claims],
        )  # fmt: skip
        cells = design_of(spec).cells
        store.plan(study, ((cell, n) for n, cell in enumerate(cells)))
        for _ in range(int(seen * len(cells))):
            lease = store.claim(study, "w", lease_seconds=60)
            assert lease is not None
            labels = lease.cell.labels
            high, deep = labels["lr"] == "0.1", labels["depth"] == "16"
            value = 5.0 - 1.0 * high - 0.8 * deep - 0.6 * (high == deep) + draw.normal(0, 0.1)
            outcome = Outcome(Status.FINISHED, responses={"loss": value}, seconds=1.0)
            store.finish(lease, outcome)
    return analysis.load(spec.study, f"sqlite:///{folder}/store.db")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return stored(tmp_path_factory.mktemp("many"))


def test_the_report_names_the_few_and_what_comes_next(study: Study) -> None:
    text = "\n".join(answer(study).sentences)
    assert "What improves loss: lr (0.1 over 0.01: " in text
    assert "Of 9 factors 2 matter: lr (better at 0.1) and depth (better at 16)." in text
    assert "signs that factors change each other's effect (lr with depth)" in text
    assert "Next: all 4 combinations of lr and depth, 3 times each (12 runs), every other" in text
    assert any("pairs of factors do not bias them" in one for one in caveats(study, None))


def test_effects_json_holds_the_screen_and_follows_its_schema(study: Study) -> None:
    found = document(study)
    jsonschema.validate(found, json.loads(SCHEMA_PATH.read_text("utf-8")))
    screen = found["screen"]
    verdicts = {row["factor"]: row["verdict"] for row in screen["factors"]}
    assert {name for name, verdict in verdicts.items() if verdict == "matters"} == {"lr", "depth"}
    assert screen["acting_together"] == [["lr", "depth"]]
    assert not screen["pairs_bias_main_effects"]
    assert screen["next"]["factors"] == ["lr", "depth"]
    shown = {row["factor"]: row["shown"] for row in found["contrasts"]}
    assert shown["lr"]["method"] == "lenth"
    assert shown["lr"]["low"] < shown["lr"]["estimate"] < shown["lr"]["high"]


def test_power_is_refused_where_the_noise_is_told_from_the_effects(study: Study) -> None:
    with pytest.raises(InputError, match="screens without replicates"):
        study.power()


def test_the_file_of_the_next_study_runs_as_it_is(study: Study) -> None:
    source = Path(study.info["spec"]["source"])
    folder = source.parent / "results" / "many"
    folder.mkdir(parents=True)
    written = write_follow_up(study, folder)
    assert written is not None
    path = folder / "follow_up.yaml"
    assert written.sentence.endswith(f"python -m runner grid {path}")
    spec = load_spec(path, cuda_visible=False)
    assert [factor.labels for factor in spec.factors] == [("0.01", "0.1"), ("11", "16")]
    before = load_spec(source, cuda_visible=False)
    levels = {factor.name: factor.levels for factor in before.factors}
    better = study.screened.better
    assert len(spec.fixed) == 7
    for held in spec.fixed:
        assert held == next(one for one in levels[held.factor] if one.label == better[held.factor])
    assert len(design_of(spec).cells) == 12
    write_follow_up(study.outcome("seconds"), folder)  # of an outcome that nothing moves
    assert not path.exists()


def test_what_a_profile_said_last_is_overruled_in_the_profile(tmp_path: Path) -> None:
    study = stored(tmp_path, profile="small")
    written = write_follow_up(study, tmp_path)
    assert written is not None
    assert written.sentence.endswith("follow_up.yaml --profile small")
    spec = load_spec(tmp_path / "follow_up.yaml", cuda_visible=False, profile="small")
    assert {"lr", "depth"} <= {factor.name for factor in spec.factors} == set(study.screened.next)
    assert "init" in {one.factor for one in spec.fixed}


def test_with_replicates_the_noise_is_theirs(tmp_path: Path) -> None:
    study = stored(tmp_path, replicates=2, design="{kind: screen, runs: 12}")
    assert study.screen is not None
    assert study.screen.is_replicated
    assert set(study.contrasts()["method"]) == {"welch"}
    assert {"lr", "depth"} <= set(study.screened.matter) - set(study.screened.rivals)
    assert study.screened.acting_together == (("lr", "depth"),)


def test_while_it_runs_nothing_is_said_to_come_next(tmp_path: Path) -> None:
    study = stored(tmp_path, seen=0.5)
    assert study.follow_up is None
    text = "\n".join(answer(study).sentences)
    assert "Next:" not in text


def test_levels_of_the_shipped_trainer_go_where_its_file_has_them(tmp_path: Path) -> None:
    file = tmp_path / "vgg.yaml"
    file.write_text(
        """\
name: vgg
factors:
  augmentation: [none, strong]
  scheduler: [constant, cosine]
  init: [he, naive]
  bn_placement: [before, after]
  optimizer: [adam, {as: hot, sgd_momentum: {lr: 0.5}}]
  clipping: [none, norm]
  train.label_smoothing: [0, 0.1]
  model.depth: [11, 13]
replicates: 1
data: {name: digits}
model: {width: 0.125}
train: {epochs: 1}
design: {kind: screen}
"""
    )
    spec = load_spec(file, cuda_visible=False)
    better = {factor.name: factor.labels[1] for factor in spec.factors}
    found = follow_up(spec.to_dict(), ["scheduler", "init"], better)
    assert found is not None
    (tmp_path / "next.yaml").write_text(found.text("vgg.yaml"))
    following = load_spec(tmp_path / "next.yaml", cuda_visible=False)
    assert [factor.name for factor in following.factors] == ["scheduler", "init"]
    assert following.train.label_smoothing == 0.1
    assert following.model.depth == 13
    held = {one.factor: one for one in following.fixed}
    assert held["optimizer"].label == "hot"
    assert held["optimizer"].parameters["lr"] == 0.5
    assert held["clipping"].label == "norm"
    assert len(design_of(following).cells) == 12


@pytest.mark.parametrize(("count", "combinations"), [(4, 16), (5, 16), (6, 32), (8, 64)])
def test_of_more_than_four_factors_a_fraction_is_enough(
    study: Study, tmp_path: Path, count: int, combinations: int
) -> None:
    names, source = list(study.factors)[:count], Path(study.info["spec"]["source"])
    found = follow_up(study.info["spec"], names, study.screened.better)
    assert found is not None
    assert (found.combinations, found.replicates) == (combinations, 2)
    (tmp_path / "next.yaml").write_text(found.text(str(source), profiles_to_overrule(source)))
    spec = load_spec(tmp_path / "next.yaml", cuda_visible=False)
    assert design_of(spec).combinations == combinations
    assert f"{combinations} of {2**count} combinations" in found.what or count == 4
