"""A small valid file that tests change in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.spec import Spec, load_spec

SMALL = """\
name: small
factors:
  optimizer: [adam, sgd]
  scheduler: [constant, cosine]
fixed: {augmentation: none, init: he, bn_placement: before}
"""

PLUGIN = Path(__file__).with_name("plugin.py")

Load = Callable[..., Spec]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a text as a YAML file and load it."""

    def loader(
        text: str | bytes, *overrides: str, profile: str = "auto", cuda: bool = False
    ) -> Spec:
        file = tmp_path / "study.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_spec(file, profile, overrides, cuda_visible=cuda)

    return loader
