"""Fixtures of the runner's tests: images, and a cache that is not the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.content.protocol import DataSpec
from runner.data import Images, load


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for decoded images that all tests of a session share."""
    folder = tmp_path_factory.mktemp("image-cache")
    before = os.environ.get("ABLATIONS_CACHE")
    os.environ["ABLATIONS_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["ABLATIONS_CACHE"]
    else:
        os.environ["ABLATIONS_CACHE"] = before


@pytest.fixture(scope="session")
def few_digits(image_cache: Path) -> Images:
    """90 training, 10 validation and 359 test images of digits."""
    return load(DataSpec(limit=100))
