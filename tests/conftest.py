"""Fixtures every test may use; fixtures of one area live beside its tests."""

import pytest

from ablations import registry

pytest_plugins = ("tests.postgres",)


@pytest.fixture(autouse=True)
def own_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test or a plugin of its registers is forgotten after it: no test follows another."""
    registry.names("optimizer")  # the built-in levels are loaded by now
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.setattr(registry, "_plugins", dict(registry._plugins))
