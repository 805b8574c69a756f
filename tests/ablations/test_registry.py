"""Look-up of levels by name, their parameters, and plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ablations import registry
from ablations.errors import InputError

ROOT = Path(__file__).parents[2]


def test_every_level_says_in_a_line_what_it_is_and_names_its_parameters():
    for factor in registry.FACTORS:
        for name in registry.names(factor):
            found = registry.find(factor, name)
            assert found.summary.endswith(".") or found.summary.endswith(").")
            assert registry.resolve(factor, name, {}) == found.defaults


def test_the_levels_that_must_exist_do():
    must = {
        "augmentation": ("none", "basic", "strong", "trivial_augment"),
        "scheduler": ("constant", "plateau", "cyclic", "cosine", "one_cycle", "step"),
        "init": ("default", "he", "xavier", "orthogonal", "naive"),
        "bn_placement": ("none", "before", "after"),
        "optimizer": ("adam", "adamw", "sgd", "sgd_momentum", "sgd_nesterov", "rmsprop"),
    }
    for factor, names in must.items():
        assert set(names) <= set(registry.names(factor))


@pytest.mark.parametrize(
    ("kind", "name", "given", "message"),
    [
        ("optimizer", "sgd_momentun", {}, "did you mean 'sgd_momentum'"),
        ("optimizer", "sgd_momentum", {"learning_rate": 1}, "no parameter 'learning_rate'"),
        ("optimizer", "adam", {"lr": "fast"}, "lr = 'fast'"),
        ("optimizer", "adam", {"lr": -0.1}, "greater than 0"),
        ("optimizer", "adam", {"lr": float("nan")}, "finite"),
        ("scheduler", "cyclic", {"cycles": 2.5}, "integer"),
        ("bn_placement", "none", {"eps": 1}, "it takes no parameters"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(kind, name, given, message):
    with pytest.raises(InputError, match=message):
        registry.resolve(kind, name, given)


def test_parameters_are_checked_without_loading_torch():
    script = (
        "import sys\n"
        "from ablations import registry\n"
        "for factor in registry.FACTORS:\n"
        "    for name in registry.names(factor):\n"
        "        registry.resolve(factor, name, {})\n"
        "registry.resolve('augmentation', 'strong', {'degrees': 30})\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "False False\n"


def test_a_plugin_may_name_torch_in_its_annotations_without_importing_it(tmp_path: Path):
    plugin = tmp_path / "lazy.py"
    plugin.write_text(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "from ablations.registry import level\n"
        "if TYPE_CHECKING:\n"
        "    import torch\n"
        "@level('init')\n"
        "def tiny(layer: torch.nn.Module, draw: torch.Generator, *, std: float = 1e-4) -> None:\n"
        "    '''Very small weights.'''\n"
    )
    registry.load_plugins(("lazy.py",), tmp_path)
    assert registry.resolve("init", "tiny", {"std": 0.5}) == {"std": 0.5}
    with pytest.raises(InputError, match="valid number"):
        registry.resolve("init", "tiny", {"std": "small"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no file"),
        ("def broken(:\n", "SyntaxError"),
        ("raise ValueError('half way')\n", "ValueError: half way"),
        ("from ablations.registry import level\n@level('optimiser')\ndef x(): ...\n", "optimizer"),
        (
            "from ablations.registry import level\n@level('optimizer')\ndef adam(p): ...\n",
            "registered twice",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, message: str):
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=message):
        registry.load_plugins(("mine.py",), tmp_path)


def test_a_missing_module_is_named():
    with pytest.raises(InputError, match="cannot import 'no_such_module_anywhere'"):
        registry.load_plugins(("no_such_module_anywhere",))
