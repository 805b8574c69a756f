"""What `init` writes is loaded and planned as it is, or the plan says what to fill in."""

from __future__ import annotations

import importlib.util
import json

import pytest
from ruamel.yaml import YAML

from runner.commands import main

ARGPARSE = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1, help="step size")
parser.add_argument("--weight-decay", type=float, default=0.0)
parser.add_argument("--loss", choices=["focal", "cross_entropy"], default="cross_entropy")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--random-state", type=int, default=0)
parser.add_argument("--output-dir", default="out")
parser.add_argument("--resume")
parser.add_argument("--layers", type=int, nargs="+", default=[1, 2])
parser.add_argument("-wd", type=float, default=0.1)
parser.add_argument("width", type=int, nargs="?", default=8)
parser.add_argument("--sizes", type=int, nargs="+", choices=[1, 2], default=[1])
REQUIRED
args = parser.parse_args()
open("ran", "w").close()
with open(args.output_dir + "/metrics.jsonl", "w") as file:
    print(json.dumps({"accuracy": args.lr}), file=file)
save(args.output_dir + "/last.pt")
"""
CLICK = """
import json
import click

@click.command()
@click.option("--lr", default=0.1)
@click.option("--norm", type=click.Choice(["batch", "group"]), default="batch")
@click.option("--seed", type=int)
def main(lr, norm, seed):
    print(json.dumps({"rmse": lr}))

main()
"""
TYPER = """
import json
from enum import Enum
import typer

class Norm(str, Enum):
    batch = "batch"
    group = "group"

def main(lr: float = 0.1, norm: Norm = Norm.batch, seed: int = 0):
    print(json.dumps({"rmse": lr}))

typer.run(main)
"""
HYDRA = """
import json
from dataclasses import dataclass, field
import hydra
from hydra.core.config_store import ConfigStore

@dataclass
class Optim:
    lr: float = 0.1

@dataclass
class Config:
    optim: Optim = field(default_factory=Optim)
    norm: str = "batch"
    seed: int = 0

ConfigStore.instance().store(name="config", node=Config)

@hydra.main(version_base=None, config_name="config")
def main(config):
    if config.norm == "group":
        pass
    print(json.dumps({"rmse": config.optim.lr}))

main()
"""
FUNCTION = '''
from typing import Literal

def fit(lr: float = 0.1, loss: Literal["mse", "mae"] = "mse", epochs=3, *, seed, device):
    """Train.

    Args:
        lr: step size.
    """
    return {"val_loss": lr}

def unseeded(lr=0.1, depth=2):
    return lr

def needs(data, lr=0.1, *, seed):
    return lr
'''


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_FAKE_DEVICES", "cpu:2")
    monkeypatch.chdir(tmp_path)


def say(capsys, *arguments: object, code: int = 0) -> str:
    capsys.readouterr()
    assert main([str(one) for one in arguments]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def written(tmp_path, name: str) -> dict:
    return YAML(typ="safe").load((tmp_path / name).read_text())


def test_a_script_with_argparse_is_wired_and_planned(tmp_path, capsys):
    (tmp_path / "train.py").write_text(ARGPARSE.replace("REQUIRED", ""))
    out = say(capsys, "init", "train.py")
    assert out.splitlines()[-1] == "next: python -m runner plan train.yaml"
    assert written(tmp_path, "train.yaml") == {
        "name": "train",
        "trainer": {
            "command": "python train.py {args} --random-state {seed} --output-dir {folder}",
            "metrics": "{folder}/metrics.jsonl",
            "resume": "--resume {folder}/last.pt",
        },
        "factors": {"lr": [0.1, 0.01], "loss": ["cross_entropy", "focal"]},
        "fixed": {"weight_decay": 0.0, "epochs": 3},
        "replicates": 3,
        "responses": {"accuracy": {"better": "higher"}},
    }
    assert "12 cells = 4 combinations x 3 replicates" in say(capsys, "plan", "train.yaml")
    assert not (tmp_path / "ran").exists(), "the script went on after --help"


def test_the_plan_says_what_is_to_be_filled_in(tmp_path, capsys):
    more = 'parser.add_argument("--data", required=True)'
    (tmp_path / "train.py").write_text(ARGPARSE.replace("REQUIRED", more))
    assert "in 'command' put a value in the place of {FILL_IN_data}" in say(
        capsys, "init", "train.py"
    )
    said = say(capsys, "plan", "train.yaml", code=2)
    assert "nobody fills {FILL_IN_data}" in said
    text = (tmp_path / "train.yaml").read_text().replace('"python', "'python").replace(
        "{FILL_IN_data}", "digits", 1).replace('{folder}"\n', "{folder}'\n", 1)  # fmt: skip
    (tmp_path / "train.yaml").write_text(text)
    say(capsys, "plan", "train.yaml")


def test_a_rate_that_must_be_given_is_tried_at_usual_ones(tmp_path, capsys):
    more = 'parser.add_argument("--learning-rate", type=float, required=True)'
    (tmp_path / "train.py").write_text(ARGPARSE.replace("REQUIRED", more))
    say(capsys, "init", "train.py")
    text = (tmp_path / "train.yaml").read_text()
    assert "learning_rate: [0.1, 0.01]" in text
    assert "guessed by its name: it has no default" in text
    say(capsys, "plan", "train.yaml")


@pytest.mark.parametrize(
    ("library", "source", "lr"),
    [("click", CLICK, "lr"), ("typer", TYPER, "lr"), ("hydra", HYDRA, "optim.lr")],
)
def test_click_typer_and_hydra_are_read(tmp_path, capsys, library, source, lr):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install -e '.[test]'")
    (tmp_path / "train.py").write_text(source)
    say(capsys, "init", "train.py", "--output", "studies/first.yaml")
    found = written(tmp_path, "studies/first.yaml")
    assert found["factors"] == {lr: [0.1, 0.01], "norm": ["batch", "group"]}
    assert found["responses"] == {"rmse": {"better": "lower"}}
    assert "{seed}" in found["trainer"]["command"]
    assert "12 cells" in say(capsys, "plan", "studies/first.yaml")


def test_a_function_is_read_by_its_signature(tmp_path, capsys):
    (tmp_path / "my_train.py").write_text(FUNCTION)
    say(capsys, "init", "my_train.py:fit")
    assert written(tmp_path, "my_train.yaml") == {
        "name": "my_train",
        "trainer": "my_train.py:fit",
        "factors": {"lr": [0.1, 0.01], "loss": ["mse", "mae"]},
        "fixed": {"epochs": 3},
        "replicates": 3,
        "responses": {"val_loss": {"better": "lower"}},
    }
    assert "step size" in (tmp_path / "my_train.yaml").read_text()
    assert "12 cells" in say(capsys, "plan", "my_train.yaml")
    (tmp_path / "studies").mkdir()
    say(capsys, "init", "my_train.py:unseeded", "--output", "studies/first.yaml")
    found = written(tmp_path, "studies/first.yaml")
    assert (found["trainer"], found["replicates"]) == ("../my_train.py:unseeded", 1)
    say(capsys, "plan", "studies/first.yaml")
    assert "fill in data" in say(capsys, "init", "my_train.py:needs", "--force")
    assert "needs 'data', which nothing gives it" in say(capsys, "plan", "my_train.yaml", code=2)


def test_nothing_is_written_over(tmp_path, capsys):
    (tmp_path / "my_train.py").write_text(FUNCTION)
    (tmp_path / "my_train.yaml").write_text("mine")
    assert "is there already" in say(capsys, "init", "my_train.py:fit", code=2)
    assert (tmp_path / "my_train.yaml").read_text() == "mine"
    say(capsys, "init", "my_train.py:fit", "--force")
    (tmp_path / "study.yaml").write_text("mine")
    assert "study.yaml is there already" in say(capsys, "init", "--example", "command", ".", code=2)
    assert not (tmp_path / "train.py").exists()


@pytest.mark.parametrize(
    ("what", "source", "said"),
    [
        ("gone.py", None, "there is no file gone.py"),
        ("train.py", "open('ran', 'w')", "is not seen to read options"),
        ("train.py:fitt", FUNCTION, "did you mean 'fit'?"),
        ("train.py:fit", "import no_such_library", "No module named 'no_such_library'"),
        ("train.py:a-b", FUNCTION, "expected FILE.py:FUNCTION"),
        ("train.sh", "", "only Python scripts"),
        (
            "train.py",
            "import argparse\np = argparse.ArgumentParser()\np.add_subparsers().add_parser('a')\n"
            "p.parse_args()",
            "has sub-commands",
        ),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, capsys, what, source, said):
    if source is not None:
        (tmp_path / what.partition(":")[0]).write_text(source)
    assert said in say(capsys, "init", what, code=2)
    assert not list(tmp_path.glob("*.yaml"))
    assert not (tmp_path / "ran").exists()


def test_quotes_newlines_and_words_of_yaml_in_defaults_stay_what_they_are(tmp_path, capsys):
    choices = ["no", "a: b", "it's", 'say "x"', "1"]
    (tmp_path / "train.py").write_text(
        "import argparse\nparser = argparse.ArgumentParser()\n"
        f"parser.add_argument('--kind', choices={choices!r}, default='1', help='a # b\\n: c')\n"
        "parser.add_argument('--seed')\nparser.parse_args()\n"
    )
    say(capsys, "init", "train.py")
    found = written(tmp_path, "train.yaml")
    assert sorted(found["factors"]["kind"]) == sorted(choices), json.dumps(found)
