"""What processes of a crowd do with Optuna, which is imported before they are forked."""

from __future__ import annotations

from runner.optuna_mirror.mirror import Mirror
from runner.store import open_store


def mirror(_index: int, url: str, name: str) -> int:
    """Every coordinator mirrors the same attempts."""
    with open_store(url) as store, Mirror(store, store.find_study(name)) as mirror:
        return mirror.sync()
