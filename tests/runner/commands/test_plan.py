"""What a plan says before anything runs, and what is refused before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from runner.commands import main
from runner.store import open_store
from tests.faults.harness import specification


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("ABLATIONS_FAKE_DEVICES", "cpu:2")


def say(capsys, *arguments: object, code: int = 0) -> str:
    capsys.readouterr()
    assert main([str(one) for one in arguments]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def test_other_designs_are_priced_beside_the_plan(tmp_path, capsys):
    file = specification(tmp_path)
    assert "decides" not in say(capsys, "plan", file, "--cells", "0")
    out = say(capsys, "plan", file, "--cells", "0", "--designs")
    rows = json.loads(say(capsys, "plan", file, "--json", "--designs"))["designs"]
    assert rows[0]["design"] == "as in the file"
    assert len({(row["cells"], row["cells_at_most"], row["combinations"]) for row in rows}) > 3
    for row in rows:
        assert row["design"] in out
        assert row["keys"] in out
    by = {row["design"]: row for row in rows}
    (three,) = (row for name, row in by.items() if name.endswith("3 times") and row["pair"])
    (five,) = (row for name, row in by.items() if name.endswith("5 times"))
    assert five["main"] < three["main"] < three["pair"]
    assert five["seconds"] > three["seconds"]
    fixed = {"augmentation": "none", "scheduler": "constant", "bn_placement": "before"}
    alone = specification(
        tmp_path, factors={"optimizer": ["adam", "sgd"]}, fixed={**fixed, "init": "he"}
    )
    assert "designs are not compared" in say(capsys, "plan", alone, "--designs")


@pytest.mark.parametrize(
    ("settings", "network"),
    [
        ((), "VGG-11 of 0.03125 times the usual width on digits (embedded"),
        (("model.width=1",), "VGG-11 on digits"),
        (("model.width=1", "factors.model.depth=[11, 16]"), "VGG-11 and VGG-16 on digits"),
        (
            ("factors.model.depth=[11, 13, 16]", "factors.model.width=[0.5, 1]"),
            "VGG-11, VGG-13 and VGG-16 of 0.5 and 1 times the usual width on",
        ),
        (("model.width=1", "factors.data.name=[digits, svhn]"), "VGG-11 on digits and svhn\n"),
    ],
)
def test_the_headline_says_what_is_varied_not_a_default(tmp_path, capsys, settings, network):
    given = [word for setting in settings for word in ("--set", setting)]
    out = say(capsys, "plan", specification(tmp_path), "--cells", "0", *given)
    assert f": {network}" in out.partition("study")[0]


def test_a_piped_table_is_not_cut_off(tmp_path, capsys):
    names = [f"a_rather_long_name_of_a_level_{number}" for number in range(8)]
    levels = [{"as": name, "sgd": {"lr": 0.1 + number}} for number, name in enumerate(names)]
    file = specification(tmp_path, factors={"init": ["he", "naive"], "optimizer": levels})
    out = say(capsys, "plan", file, "--cells", "100")
    assert out.count("…") == 0
    assert all(f"{name} (4)" in out for name in names)
    assert len([line for line in out.splitlines() if "a_rather_long_name" in line]) == 1 + 32


def test_one_excluded_combination_is_one(tmp_path, capsys):
    excluded = {"init": "he", "optimizer": "adam"}
    out = say(capsys, "plan", specification(tmp_path, exclude=[excluded]))
    assert "(1 combination excluded)" in out


def test_a_claim_on_what_is_excluded_is_warned_about(tmp_path, capsys):
    claims = [
        "optimizer: adam > sgd | init = he",
        "optimizer: adam > sgd",
        "init: he > xavier | optimizer = sgd",
    ]
    excluded = {"init": "he", "optimizer": "adam"}
    file = specification(tmp_path, exclude=[excluded], claims=claims, replicates=3)
    out = say(capsys, "plan", file)
    notes = [line for line in out.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: claim 'optimizer: adam > sgd | init = he': no cell with optimizer = adam is run "
        "where its conditions hold: it gets no answer",
        "note: claim 'optimizer: adam > sgd': 'exclude' or 'only' leaves 1 combination without "
        "the one to compare with",
    ]


@pytest.mark.parametrize(
    ("replicates", "optimizers", "warned"), [(2, 4, True), (2, 5, False), (3, 4, False)]
)
def test_two_replicates_of_a_small_grid_are_warned_of_before_they_are_spent(
    tmp_path, capsys, monkeypatch, replicates, optimizers, warned
):
    monkeypatch.setattr("runner.commands.running.session.train_study", lambda *_a, **_k: 0)
    levels = ["adam", "adamw", "sgd", "sgd_momentum", "rmsprop"][:optimizers]
    factors = {"init": ["he", "xavier"], "optimizer": levels}
    file = specification(tmp_path, plugins=[], replicates=replicates, factors=factors)
    assert main(["grid", str(file), "--quiet", "--no-report"]) == 0
    grid = capsys.readouterr().err
    plan = say(capsys, "plan", file, "--cells", "0")
    notes = json.loads(say(capsys, "plan", file, "--json"))["notes"]
    said = (
        "two replicates of 8 combinations cannot tell a difference of means from runs that fail "
        "by chance, so none is called one; a third replicate could "
        "(--set replicates=3: 8 further cells)"
    )
    assert (f"note: {said}\n" in grid, f"note: {said}\n" in plan, said in notes) == (warned,) * 3


def test_a_dry_run_lists_as_many_cells_as_asked_for(tmp_path, capsys):
    file = specification(tmp_path)
    for verb in (("plan", file), ("grid", file, "--dry-run")):
        assert "and 5 more" in say(capsys, *verb, "--cells", "3")
    with pytest.raises(SystemExit) as ended:
        main(["plan", str(file), "--cells", "-210"])
    assert ended.value.code == 2
    assert "at least 0" in capsys.readouterr().err


def test_the_plan_says_whether_seeds_are_shared(tmp_path, capsys):
    file = specification(tmp_path)
    assert "seeds: own, so that every run is independent" in say(capsys, "plan", file)
    shared = say(capsys, "plan", file, "--set", "seeds=shared")
    assert "seeds: shared, so that all cells of a replicate draw the same numbers" in shared
    assert "'both': expected 'own' or 'shared'" in say(
        capsys, "plan", file, "--set", "seeds=both", code=2
    )


def test_all_facts_of_a_design_are_told_on_wish(capsys):
    shipped = "ablations/screening.yaml"
    some = say(capsys, "plan", shipped, "--cells", "0")
    every = say(capsys, "plan", shipped, "--cells", "0", "--all")
    assert "more (--all lists them)" in some
    assert "--all" not in every
    assert "generalized resolution 4" in every
    assert "word lengths" in every
    full = say(capsys, "plan", "ablations/five_factor.yaml", "--cells", "0", "--all")
    assert "estimable: augmentation, scheduler" in full


@pytest.mark.parametrize(
    ("settings", "options", "says"),
    [
        ({"devices": "banana"}, (), "faults.yaml:{line}: run.devices: banana: expected 'cpu'"),
        ({"devices": "cuda:7"}, (), "faults.yaml:{line}: run.devices: cuda:7: no CUDA device"),
        ({"slots_per_device": 60}, (), "faults.yaml:{line}: run.slots_per_device: 60: this"),
        ({"devices": "cpu"}, ("--devices", "banana"), "error: --devices banana: expected"),
        ({}, ("--slots-per-device", "60"), "error: --slots-per-device 60: this process"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "grid"])
def test_places_that_are_not_there_are_said_of_whoever_named_them(
    tmp_path, capsys, verb, settings, options, says
):
    file = specification(tmp_path, run=settings)
    err = say(capsys, verb, file, *options, code=2)
    lines = file.read_text().splitlines()
    line = next((n for n, one in enumerate(lines, 1) if one.strip().startswith("slots_p")), None)
    line = next((n for n, one in enumerate(lines, 1) if one.strip().startswith("devices")), line)
    assert says.replace("{line}", str(line)) in err
    assert not (tmp_path / "ablations.db").exists()
    assert not (tmp_path / "results").exists()


def test_a_folder_with_a_bad_image_is_refused_before_there_is_a_store(tmp_path, capsys):
    photos = tmp_path / "photos"
    for split in ("train", "test"):
        for number, label in enumerate(("red", "blue")):
            (photos / split / label).mkdir(parents=True)
            for copy in range(12):
                image = Image.new("RGB", (32, 32), (200 * number, copy, 0))
                image.save(photos / split / label / f"{copy}.png")
    (photos / "train" / "red" / "3.png").write_text("not an image")
    file = specification(tmp_path, data={"name": "image_folder", "root": "photos", "limit": None})
    err = say(capsys, "grid", file, "--no-report", code=2)
    assert "data.root: cannot read the image" in err
    assert err.startswith(f"error: {file}:"), "with its place in the file"
    assert not (tmp_path / "ablations.db").exists()
    assert not (tmp_path / "results").exists()


def test_what_lies_in_an_image_folder_is_said_and_kept_for_the_report(tmp_path, capsys):
    photos = tmp_path / "photos"
    for split in ("train", "test"):
        for label in ("red", "blue"):
            (photos / split / label).mkdir(parents=True)
            for copy in range(15):
                shade = (200 if label == "red" else 0, copy, 0)
                Image.new("RGB", (60, 50), shade).save(photos / split / label / f"{copy}.bmp")
    (photos / "train" / ".ipynb_checkpoints").mkdir()
    data = {"name": "image_folder", "root": "photos", "limit": None, "size": 40}
    file = specification(
        tmp_path, data=data, train={"batch_size": 9}, replicates=1, factors={"init": ["he", "keep"]}
    )
    file.write_text(file.read_text().replace("fixed:", "fixed:\n  optimizer: adam"))
    said = (
        "2 classes with 30 training and 30 test images: blue 15 and 15, red 15 and 15\n"
        "formats: 60 bmp; images all of 60x50 are resized to 40x40 (60 shrunk, 60 squeezed into "
        "squares); data.size keeps larger ones\n"
        "skipped: 1 hidden folder (.ipynb_checkpoints)\n"
    )
    assert said in say(capsys, "plan", file)
    assert said in say(capsys, "grid", file, "--no-report")
    with open_store() as store:
        (study,) = store.studies()
        assert {run["state"] for run in store.runs(study)} == {"complete"}
        assert study.spec["images"]["images"]["train"] == {"blue": 15, "red": 15}
    from analysis import load
    from analysis.report.words.papers.methods import methods

    text = methods(load(study.name))
    assert "The images: 2 classes with 30 training and 30 test images" in text
    assert "skipped: 1 hidden folder (.ipynb_checkpoints)." in text


def leave(capsys, tmp_path: Path, *verb: object, **changes: object) -> str:
    assert main([*map(str, verb), str(specification(tmp_path, **changes)), "--cells", "0"]) == 0
    said = capsys.readouterr()
    return said.out + said.err


def test_cells_that_leave_the_design_are_counted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("runner.commands.running.session.train_study", lambda *_args, **_named: 0)
    assert "the design:" not in leave(capsys, tmp_path, "grid", "--no-report")
    for verb in (("plan",), ("grid", "--dry-run"), ("grid", "--no-report")):
        said = leave(capsys, tmp_path, *verb, replicates=1)
        assert "4 cells of the study leave the design" in said
    fewer = {"init": ["he", "xavier"], "optimizer": ["adam", "adamw"]}
    assert "2 cells of the study leave" in leave(
        capsys, tmp_path, "plan", replicates=1, factors=fewer
    )
    with open_store() as store:
        (study,) = store.studies()
        assert store.status(study).planned == 4
