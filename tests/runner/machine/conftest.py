"""Every test of this folder starts from a machine that nobody configured."""

from __future__ import annotations

import pytest

from runner.machine.slots import FAKE


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FAKE, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
