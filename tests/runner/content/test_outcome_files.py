from __future__ import annotations

import errno
import json
import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from runner.content.outcome import Status
from runner.content.outcome_files import (
    OutcomeFile,
    forget_outcome,
    outcome_files,
    outcome_path,
    read_outcome,
    write_outcome,
)
from runner.program.files import aside_of
from tests.store_contract.grids import outcome

CELL, TOKEN = "0123456789abcdef", "f" * 32


def test_an_outcome_comes_back_as_written(tmp_path: Path) -> None:
    told = replace(outcome(), notes=("ünï", 'quote "'), test_loss=float("inf"))
    path = write_outcome(tmp_path, CELL, TOKEN, told)
    assert read_outcome(tmp_path, CELL, TOKEN) == told
    assert list(outcome_files(tmp_path)) == [OutcomeFile(path, CELL, TOKEN, told)]
    assert list(tmp_path.iterdir()) == [path]
    forget_outcome(tmp_path, CELL, TOKEN)
    forget_outcome(tmp_path, CELL, TOKEN)
    assert read_outcome(tmp_path, CELL, TOKEN) is None


def test_a_file_of_version_1_is_read_in_the_words_of_now(tmp_path: Path) -> None:
    path = write_outcome(tmp_path, CELL, TOKEN, outcome())
    text = path.read_text("utf-8")
    path.write_text(text.replace('"status": "learned"', '"status": "converged"'), "utf-8")
    assert "converged" in path.read_text("utf-8")
    assert read_outcome(tmp_path, CELL, TOKEN) == outcome()


def test_writing_again_replaces_the_whole_file(tmp_path: Path) -> None:
    write_outcome(tmp_path, CELL, TOKEN, outcome(0.5))
    write_outcome(tmp_path, CELL, TOKEN, outcome(0.75))
    found = read_outcome(tmp_path, CELL, TOKEN)
    assert found is not None
    assert found.test_accuracy == 0.75


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_that_looks_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os if at == "fsync" else Path, at, full)
    with pytest.raises(OSError, match="No space left"):
        write_outcome(tmp_path, CELL, TOKEN, outcome())
    assert list(tmp_path.iterdir()) == []


def test_every_beginning_of_a_file_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_outcome(tmp_path, CELL, TOKEN, outcome(epochs=1))
    whole = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        for length in range(0, len(whole), 7):
            path.write_bytes(whole[:length])
            assert read_outcome(tmp_path, CELL, TOKEN) is None
            assert list(outcome_files(tmp_path)) == []
    assert f"ignored {path}" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"cell": 1, "token": 2, "outcome": {}}',
        '{"cell": "a", "token": "b"}',
        '{"cell": "a", "token": "b", "outcome": {"status": "excellent"}}',
        "\x00\x01\x02",
        "[" * 100_000,
    ],
)
def test_other_content_is_ignored(tmp_path: Path, text: str) -> None:
    outcome_path(tmp_path, CELL, TOKEN).write_text(text)
    assert read_outcome(tmp_path, CELL, TOKEN) is None
    assert list(outcome_files(tmp_path)) == []


def test_an_outcome_of_another_attempt_is_not_taken(tmp_path: Path) -> None:
    path = write_outcome(tmp_path, CELL, TOKEN, outcome())
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"token": "0" * 32}))
    assert read_outcome(tmp_path, CELL, TOKEN) is None
    path.write_text(json.dumps(raw | {"cell": "0" * 16}))
    assert read_outcome(tmp_path, CELL, TOKEN) is None
    assert list(outcome_files(tmp_path)) == []


def test_files_half_written_by_a_killed_process_are_not_seen(tmp_path: Path) -> None:
    aside_of(outcome_path(tmp_path, CELL, TOKEN)).write_text("{")
    assert list(outcome_files(tmp_path)) == []


def test_a_failed_outcome_is_an_outcome_too(tmp_path: Path) -> None:
    write_outcome(tmp_path, CELL, TOKEN, outcome(status=Status.FAILED))
    (found,) = outcome_files(tmp_path)
    assert found.outcome.status is Status.FAILED
