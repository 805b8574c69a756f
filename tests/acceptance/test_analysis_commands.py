"""The analysis' commands on a finished study, as a person types them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from analysis.commands import run

ROOT = Path(__file__).parents[2]


def test_decided_says_which_differences_are(finished, capsys):
    assert run(["decided", "finished"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("decided, after 3 replicates.")
    assert any("bn_placement: before - none" in line for line in lines)
    differences = [line for line in lines if line.startswith("  ") and "±" in line]
    assert differences
    assert all(line.endswith("decided") or " open" in line for line in differences)


def test_claims_are_answered_in_words(finished, capsys):
    assert run(["claims", "finished"]) == 0
    out = capsys.readouterr().out
    assert "bn_placement: before > none" in out
    assert out.split()[0] in ("SUPPORTED", "REFUTED", "UNDECIDED", "NOT")


def test_power_reads_the_study(finished, capsys):
    assert run(["power", "finished"]) == 0
    assert "each term finds the difference under `found`" in capsys.readouterr().out


def test_a_study_that_is_not_there_is_one_sentence(finished, capsys):
    assert run(["effects", "finnished"]) == 2
    assert "finished" in capsys.readouterr().err


def test_an_unreachable_store_is_exit_code_4(monkeypatch, capsys):
    monkeypatch.setattr("runner.store.store.READ_PATIENCE", 0.1)
    monkeypatch.setattr("runner.store.open_store.__kwdefaults__", {
        "write_patience": 0.1, "read_patience": 0.1,
    })  # fmt: skip
    assert run(["effects", "x", "--storage", "postgresql://nobody:s3cret@127.0.0.1:1/x"]) == 4
    err = capsys.readouterr().err
    assert "127.0.0.1" in err
    assert "s3cret" not in err


def test_a_reader_that_leaves_early_causes_no_traceback(finished):
    done = subprocess.run(  # noqa: S602  a pipe is what is tested
        f"{sys.executable} -m analysis effects finished | head -n 1",
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "{"
    assert "Traceback" not in done.stderr
