"""What a session says before it trains."""

from __future__ import annotations

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
