"""What each tool wrote, once for all tests that read it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import pytest

from tests.analysis.importers.sweeps import NEEDS, SOURCES, write
from tests.once import once

Kept = Callable[[str], tuple[str, str]]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Tool and source of the sweep that a tool kept: what stands behind `--from`."""

    def of(tool: str) -> tuple[str, str]:
        if tool in NEEDS and find_spec(NEEDS[tool]) is None:
            pytest.skip(f"{NEEDS[tool]} is not installed: pip install -e '.[test]'")
        folder = once(tmp_path_factory, f"kept-{tool}", partial(write, tool))
        word, source = SOURCES[tool]
        return word, source.format(folder)

    return of
