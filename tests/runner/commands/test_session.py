"""What a session says before it trains."""

from __future__ import annotations

import pytest

from runner.commands import main
from runner.commands.running.session import precisions
from runner.machine import cpu
from runner.spec import load_spec
from tests.faults.harness import specification


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"fp32"}),
        ({"train": {"precision": "bf16"}}, {"bf16"}),
        ({"factors": {"train.precision": ["fp32", "bf16"]}}, {"fp32", "bf16"}),
    ],
)
def test_precisions_are_the_protocols_or_the_factors(tmp_path, changes, expected):
    fixed = {
        **{"augmentation": "none", "scheduler": "constant", "bn_placement": "before"},
        **{"init": "he", "optimizer": "adam"},
    }
    changes = {"factors": {"init": ["he", "xavier"]}, **changes}
    fixed = {name: level for name, level in fixed.items() if name not in changes["factors"]}
    file = specification(tmp_path, fixed=fixed, **changes)
    assert precisions(load_spec(file, cuda_visible=False)) == expected


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
