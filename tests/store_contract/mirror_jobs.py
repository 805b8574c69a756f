"""What processes of a crowd do with Optuna, which is imported before they are forked."""

from __future__ import annotations

from runner.store import open_store
from runner.store.mirror import Mirror


def mirror(_index: int, url: str, name: str) -> int:
    """Every coordinator mirrors the same attempts."""
    with open_store(url) as store, Mirror(store, store.find_study(name)) as mirror:
        return mirror.sync()
