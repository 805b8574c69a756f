"""What a session says before it trains, and when a signal ends it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from runner.commands import main
from runner.machine import cpu
from tests.faults.harness import specification


@pytest.mark.slow
def test_emulated_bf16_is_said_once_and_nothing_where_it_is_native(tmp_path, monkeypatch, capsys):
    file = specification(
        tmp_path,
        train={"precision": "bf16"},
        factors={"init": ["he", "xavier"]},
        fixed={
            **{"augmentation": "none", "scheduler": "constant", "bn_placement": "before"},
            "optimizer": "adam",
        },
        replicates=1,
    )
    said = []
    for native in (True, False):
        monkeypatch.setattr(cpu, "emulates_bf16", lambda native=native: not native)
        storage = f"sqlite:///{tmp_path}/{native}.db"
        words = ["--storage", storage, "--results", str(tmp_path / str(native)), "--no-report"]
        assert main(["grid", str(file), "--devices", "cpu", "--quiet", *words]) == 0
        said.append(capsys.readouterr().err.count("this CPU has no bf16 instructions"))
    assert said == [0, 1]


TRAIN = """
import os, time

def fit(lr, opt, seed):
    os.kill(PROCESS, SIGNAL)
    time.sleep(600)
"""
FILE = """
name: stopped
trainer: train.py:fit
factors: {lr: [0.1, 0.01], opt: [adam, sgd]}
replicates: 3
responses: {accuracy: {better: higher}}
"""


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGTERM, "SIGTERM (143)"), (signal.SIGINT, "Ctrl-C (SIGINT, 130)")],
)
def test_a_signal_is_told_as_what_it_was(here, capsys, number, said):
    process = str(os.getpid())
    text = TRAIN.replace("PROCESS", process).replace("SIGNAL", str(int(number)))
    Path("train.py").write_text(text)
    Path("stopped.yaml").write_text(FILE)
    words = ["--no-report", "--quiet", "--slots-per-device", "1"]
    assert main(["grid", "stopped.yaml", *words]) == 128 + number
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"stopped by {said} after 0 cells; the same command continues"
