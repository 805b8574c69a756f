"""What a plugin brings is tried before the grid: one sentence with its line, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

import analysis
from analysis.report.words.caveats import did_nothing
from runner.commands import main
from runner.store import open_store

NETS = """
from ablations.registry import dataset, model


def body(first, outputs):
    from torch import nn

    return nn.Sequential(first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, outputs))


@model()
def pair(classes, block):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body(block(3, 8), classes)

        def forward(self, images):
            logits = self.body(images)
            return logits, logits.softmax(1)

    return Net()


@model()
def own_layers(classes, block, *, brought: bool = False):
    from torch import nn

    network = body(nn.Conv2d(3, 8, 3), classes)
    if brought:
        nn.init.constant_(network[0].weight, 0.123)
    return network


@model()
def grey(classes, block):
    from torch import nn

    return body(nn.Conv2d(1, 8, 3), classes)


@model()
def scaled(classes, block):
    import torch
    from torch import nn

    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.by = nn.Parameter(torch.ones(1))

        def forward(self, images):
            return images * self.by

    return nn.Sequential(Scale(), body(block(3, 8), classes))


@dataset()
def broken(root):
    return [1, 2, 3]
"""

FILE = """\
name: nets
plugins: [nets.py]
factors: {optimizer: [adam, sgd]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
replicates: 1
data: {name: digits, limit: 100}
train: {epochs: 1, batch_size: 30}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_cache: Path) -> Path:
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("ABLATIONS_FAKE_DEVICES", "cpu:1")
    (tmp_path / "nets.py").write_text(NETS)
    path = tmp_path / "nets.yaml"
    path.write_text(FILE)
    return path


def refused(capsys: pytest.CaptureFixture[str], verb: str, file: Path) -> str:
    capsys.readouterr()
    assert main([verb, str(file)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert not (file.parent / "ablations.db").exists()
    assert not (file.parent / "results").exists()
    return said.err


@pytest.mark.parametrize("verb", ["plan", "grid"])
def test_a_network_no_cell_could_train_is_refused_before_there_is_a_store(
    file: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    file.write_text(FILE + "model: {name: pair}\n")
    said = refused(capsys, verb, file)
    assert f"{file}:8: model.name: model 'pair' returns a tuple of 2" in said
    varied = FILE.replace("factors: {", "factors: {model.name: [own_layers, pair], ")
    file.write_text(varied)
    assert f"{file}:3: factors.model.name[1]: model 'pair' returns" in refused(capsys, verb, file)


@pytest.mark.parametrize("verb", ["plan", "grid"])
def test_a_placement_that_cannot_act_is_no_factor(
    file: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Half of such a grid would be the other half over again."""
    text = FILE.replace("factors: {", "factors: {bn_placement: [none, before], ")
    text = text.replace(", bn_placement: none}", "}")
    file.write_text(text + "model: {name: own_layers}\n")
    said = refused(capsys, verb, file)
    assert ":3: factors.bn_placement: changes nothing: model 'own_layers' makes its layers" in said


@pytest.mark.parametrize("verb", ["plan", "grid"])
def test_a_data_set_that_is_none_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    file.write_text(FILE.replace("name: digits, limit: 100", "name: broken"))
    file.write_text(file.read_text().replace("bn_placement: none", "bn_placement: none, init: he"))
    said = refused(capsys, verb, file)
    assert f"{file}:6: data.name: data set 'broken' returned list; expected" in said


def test_what_is_allowed_and_hardly_meant_is_a_note(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FILE.replace("bn_placement: none", "bn_placement: before, init: default")
    file.write_text(text + "model: {name: own_layers, parameters: {brought: true}}\n")
    assert main(["plan", str(file), "--cells", "0"]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: model 'own_layers' brings weights of its own, and init default draws them anew; "
        "'init: keep' keeps them",
        "note: bn_placement before changes nothing of model 'own_layers', which makes its layers "
        "without `block`",
    ]
    file.write_text(text.replace("init: default", "init: he") + "model: {name: scaled}\n")
    assert main(["plan", str(file), "--cells", "0"]) == 0
    assert (
        "note: init he leaves Scale of model 'scaled' with the weights that the model made\n"
    ) in capsys.readouterr().out
    file.write_text(FILE + "model: {name: own_layers, parameters: {brought: true}}\n")
    assert main(["plan", str(file), "--cells", "0"]) == 0
    assert "note:" not in capsys.readouterr().out


def test_a_parameter_that_no_batch_sees_is_a_note(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights from a file or not, of a network that draws them anew either way."""
    text = FILE.replace("factors: {", "factors: {model.parameters.brought: [true, false], ")
    kept = text + "model: {name: own_layers}\n"
    file.write_text(kept)
    assert main(["plan", str(file), "--cells", "0"]) == 0
    assert "note:" not in capsys.readouterr().out
    file.write_text(kept.replace("bn_placement: none", "bn_placement: none, init: he"))
    assert main(["plan", str(file), "--cells", "0"]) == 0
    assert (
        "note: model.parameters.brought seems to change nothing: true and false make networks with "
        "the same weights, and the same outputs and gradients on a batch"
    ) in capsys.readouterr().out


def test_a_network_for_grey_images_trains_and_the_study_keeps_what_it_is_made_of(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(FILE + "model: {name: grey}\n")
    for _ in range(2):  # the second time there is nothing to do, and nothing is forgotten
        assert main(["grid", str(file), "--no-report"]) == 0
        with open_store() as store:
            (study,) = store.studies()
            assert {run["state"] for run in store.runs(study)} == {"complete"}
            assert study.spec["networks"] == {
                "grey": {
                    "layers": {"Conv2d": 1, "Linear": 1},
                    "weights": [170, 170],
                    "calls_block": False,
                }
            }
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.long
def test_weights_that_init_draws_anew_are_named_by_the_runs_and_kept_ones_differ(
    file: Path,
) -> None:
    """A network with weights from a file, and the same without: one question, four runs."""
    text = FILE.replace("factors: {", "factors: {model.parameters.brought: [true, false], ")
    text += "model: {name: own_layers}\nseeds: shared\n"  # else no two runs are bit-identical
    nothing = (
        "Factor model.parameters.brought did nothing: both pairs of runs that differ in it alone "
        "are bit-identical"
    )
    for study, init, says in (("drawn", ", init: default", [nothing]), ("kept", "", [])):
        named = text.replace("name: nets", f"name: {study}")
        file.write_text(named.replace("bn_placement: none", f"bn_placement: none{init}"))
        assert main(["grid", str(file), "--no-report", "--quiet"]) == 0
        loaded = analysis.load(study)
        assert set(loaded.frame["state"]) == {"complete"}
        assert did_nothing(loaded) == says
