"""A command of one's own: the words it is run with."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runner.content.cell import Cell
from runner.content.level import Level
from runner.content.own.trainer import Trainer
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.trainers.command import ended_within
from runner.trainers.command_line import args_of, command_words, overrides_of, shell_line
from runner.trainers.place import Place


def cell_of(call: str, levels: dict[str, object], **about: object) -> Cell:
    return Cell(
        levels=tuple(Level(name, str(v), str(v), {"value": v}) for name, v in levels.items()),
        held=(),
        replicate=0,
        data=DataSpec(),
        model=ModelSpec(),
        train=TrainSpec(),
        trainer=Trainer("command", call, about.pop("folder", "/app"), responses=("acc",), **about),
    )


def words_of(call: str, levels: dict[str, object], folder: Path = Path("/r/cell"), **about: object):
    cell = cell_of(call, levels, **about)
    assert cell.trainer is not None
    return command_words(cell.trainer, cell, Place("cpu", folder, Path("/log"), 1, 60.0)), cell


def test_arguments_become_options():
    words, cell = words_of(
        "sh run.sh {args} --seed {seed} --out={folder}", {"lr": 0.1, "loss": "ce"}
    )
    assert words == [
        *("sh", "run.sh", "--lr", "0.1", "--loss", "ce", "--seed", str(cell.seed)),
        "--out=/r/cell",
    ]


def test_what_the_command_names_itself_is_not_written_twice():
    words, _ = words_of("sh run.sh {data} {args}", {"lr": 0.1, "data": "x"})
    assert words == ["sh", "run.sh", "x", "--lr", "0.1"]


def test_overrides_are_in_hydras_grammar():
    levels = {"lr": 5e-4, "model.depth": 3, "sizes": [1, 2], "amp": True, "note": "a b", "x": None}
    assert overrides_of(levels) == [
        *("lr=0.0005", "model.depth=3", "sizes=[1,2]", "amp=true", "note='a b'", "x=null"),
    ]


@pytest.mark.parametrize(
    ("value", "style", "words"),
    [
        (True, None, ["--amp"]),
        (False, None, []),
        (True, "--amp/--no-amp", ["--amp"]),
        (False, "--amp/--no-amp", ["--no-amp"]),
        (False, "--amp=", ["--amp", "false"]),
        (None, None, []),
        ([1, 2], None, ["--amp", "1", "2"]),
        ({"a": 1}, None, ["--amp", '{"a": 1}']),
        (0.1, "--amp-rate=", ["--amp-rate", "0.1"]),
    ],
)
def test_a_value_is_written_as_the_script_takes_it(value, style, words):
    assert args_of({"amp": value}, {} if style is None else {"amp": style}) == words


def test_no_value_is_ever_a_shells_business():
    words, _ = words_of("sh run.sh {note}", {"note": "$(touch x); rm -rf / `id`"})
    assert words == ["sh", "run.sh", "$(touch x); rm -rf / `id`"]


def test_python_is_the_one_that_runs_the_grid():
    words, _ = words_of("python train.py {lr}", {"lr": 0.1})
    assert words[0] == sys.executable


def test_it_resumes_once_the_file_is_there(tmp_path):
    resume = "--resume {folder}/last.pt"
    words, _ = words_of("sh x {lr}", {"lr": 1}, tmp_path, resume=resume)
    assert words == ["sh", "x", "1"]
    (tmp_path / "last.pt").touch()
    words, _ = words_of("sh x {lr}", {"lr": 1}, tmp_path, resume=resume)
    assert words == ["sh", "x", "1", "--resume", f"{tmp_path}/last.pt"]


def test_the_line_for_a_shell_is_the_same_words():
    _, cell = words_of("sh run.sh {note}", {"note": "it's"})
    text = shell_line(cell, Path("/r/cell"))
    assert shlex.split(text) == [
        *("cd", "/app", "&&", "OMP_NUM_THREADS=1", "sh", "run.sh", "it's"),
    ]


def test_the_end_of_a_command_is_noticed_when_it_comes_and_not_before():
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert not ended_within(process, 0.01)
    process.stdin.close()
    assert ended_within(process, 60.0)
    assert process.returncode == 0


TRAIN = """
import sys
from pathlib import Path
from runner.content.cell import Cell
from runner.trainers.command import train
from runner.trainers.place import Place

folder = Path(sys.argv[1])
place = Place("cpu", folder / "cell", folder / "log", 1, float(sys.argv[2]))
outcome = train(Cell.from_json(sys.stdin.read()), place, print)
print(outcome.status.value, outcome.reason.value)
"""


def test_a_command_that_takes_too_long_ran_out_of_time(tmp_path):
    """It was called a bug: the signal that ended it was taken for one from outside."""
    cell = cell_of("sleep 60", {"lr": 0.1}, folder=str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path), "0.3"],
        **{"input": cell.to_json(), "text": True, "stdout": subprocess.PIPE},
        start_new_session=True,  # its process group is ended with the command
    )
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "timeout timeout"
