"""Where a command runs in a test: a folder of its own with store, results and two processors."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; files override it, to write what their commands are given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("ABLATIONS_FAKE_DEVICES", "cpu:2")
    return tmp_path
