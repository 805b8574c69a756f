"""Look-up of levels by name, their parameters, and plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ablations import registry
from ablations.errors import InputError

ROOT = Path(__file__).parents[2]
LEVEL = (
    "from typing import Annotated\nfrom annotated_types import Lt\n"
    "from ablations.registry import dataset, level, model\n"
    "@level('optimizer')\ndef mine(parameters, *, lr: float = VALUE): ...\n"
)


def test_every_level_says_in_a_line_what_it_is_and_names_its_parameters():
    for factor in (*registry.FACTORS, *registry.OPTIONAL):
        for name in registry.names(factor):
            found = registry.find(factor, name)
            if not found.built_in:  # a plugin of another test
                continue
            assert found.summary.endswith(".") or found.summary.endswith(").")
            assert registry.resolve(factor, name, {}) == found.defaults


def test_the_levels_that_must_exist_do():
    must = {
        "augmentation": ("none", "basic", "strong", "trivial_augment"),
        "scheduler": ("constant", "plateau", "cyclic", "cosine", "one_cycle", "step"),
        "init": ("default", "he", "xavier", "orthogonal", "naive"),
        "bn_placement": ("none", "before", "after"),
        "optimizer": ("adam", "adamw", "sgd", "sgd_momentum", "sgd_nesterov", "rmsprop"),
        "loss": ("cross_entropy", "focal", "mean_squared_error", "binary_cross_entropy", "hinge"),
        "mixing": ("none", "mixup", "cutmix"),
        "clipping": ("none", "norm", "value"),
        "averaging": ("none", "ema", "swa"),
        "warmup": ("none", "linear"),
    }
    assert set(registry.FACTORS) | set(registry.OPTIONAL) == set(must)
    for factor, left_out in registry.OPTIONAL.items():
        assert left_out in must[factor]
    for factor, names in must.items():
        assert set(names) <= set(registry.names(factor))


@pytest.mark.parametrize(
    ("kind", "name", "given", "message"),
    [
        ("optimizer", "sgd_momentun", {}, "did you mean 'sgd_momentum'"),
        ("optimizer", "sgd_momentum", {"learning_rate": 1}, "no parameter 'learning_rate'"),
        ("optimizer", "adam", {"lr": "fast"}, "lr = 'fast'"),
        ("optimizer", "adam", {"lr": -0.1}, "lr = -0.1: expected above 0 and at most 1e"),
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
        "for factor in (*registry.FACTORS, *registry.OPTIONAL):\n"
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
    registry.load_plugins((str(tmp_path / "lazy.py"),))
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
        ("x = 1\n\nprint(y)\n", r"mine\.py:3: NameError: name 'y' is not defined"),
        ("import sys\nsys.exit(0)\n", r"mine\.py:2: SystemExit: it ends the program"),
        (LEVEL.replace("('optimizer')", ""), "@level stands without its factor"),
        (LEVEL.replace("'optimizer'", "'clippin'"), "did you mean 'clipping'"),
        (LEVEL.replace("'optimizer'", "'optimizer', hard_labels=True"), "is said of a loss, not"),
        (LEVEL.replace("level('optimizer')", "model"), r"write @model\(\)"),
        (LEVEL.replace("level('optimizer')", "dataset"), r"write @dataset\(\)"),
        (LEVEL.replace("VALUE", "float('nan')"), "the default lr = nan: expected a finite number"),
        (LEVEL.replace("VALUE", "print"), "the default lr = <built-in function print>: expected a"),
        (LEVEL.replace("VALUE", "'fast'"), "the default lr = 'fast': expected a valid number"),
        (LEVEL.replace("VALUE", "None"), "the default lr = None: expected a valid number"),
        (LEVEL.replace("float", "object()"), "the types of its parameters|cannot be of the type"),
        (
            "from __future__ import annotations\n" + LEVEL.replace("float", "Rate"),
            "mine.*the types of its parameters cannot be read .name 'Rate' is not defined",
        ),
        (LEVEL.replace("float", "Annotated[float, Lt(1)]"), "the default lr = 2: expected below 1"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, message: str):
    if text is not None:
        (tmp_path / "mine.py").write_text(text.replace("VALUE", "2"))
    before = registry.names("optimizer")
    with pytest.raises(InputError, match=message) as refused:
        registry.load_plugins((str(tmp_path / "mine.py"),))
    assert "\n" not in str(refused.value)
    assert registry.names("optimizer") == before, "nothing of it is left"


IMPOSSIBLE = [
    ("optimizer", "adam", "beta1", (-0.1, 1, 2)),
    ("optimizer", "adamw", "beta2", (-0.1, 1)),
    ("optimizer", "sgd", "lr", (0, -1, 1e31)),
    ("optimizer", "sgd", "weight_decay", (-1e-9,)),
    ("optimizer", "sgd_momentum", "momentum", (-1, 1, 7)),
    ("optimizer", "sgd_nesterov", "momentum", (0, 1)),
    ("optimizer", "rmsprop", "alpha", (1, 3)),
    ("scheduler", "one_cycle", "rise", (0, 2)),
    ("scheduler", "one_cycle", "start", (0, 1.5)),
    ("scheduler", "plateau", "factor", (0, 1, 1.5)),
    ("scheduler", "plateau", "patience", (-1,)),
    ("scheduler", "cyclic", "floor", (0, 2)),
    ("scheduler", "cyclic", "cycles", (0, 10**9)),
    ("scheduler", "cosine", "floor", (-0.1, 2)),
    ("scheduler", "step", "factor", (0, 2)),
    ("augmentation", "basic", "padding", (-1, 500)),
    ("augmentation", "strong", "hue", (0.9,)),
    ("augmentation", "strong", "erasing", (30,)),
    ("augmentation", "strong", "degrees", (181,)),
    ("augmentation", "strong", "contrast", (2,)),
    ("bn_placement", "before", "momentum", (0, 9)),
    ("bn_placement", "after", "eps", (0, 2)),
    ("init", "naive", "std", (0, 1e300)),
    ("init", "orthogonal", "gain", (-1,)),
]


@pytest.mark.parametrize(("kind", "name", "key", "values"), IMPOSSIBLE)
def test_a_value_that_torch_or_the_maths_refuses_is_refused_with_its_range(kind, name, key, values):
    for value in values:
        with pytest.raises(registry.ParameterError, match=f"{key} = .*: expected ") as refused:
            registry.resolve(kind, name, {key: value})
        assert refused.value.parameter == key


def test_a_default_of_another_type_becomes_the_type(tmp_path: Path):
    (tmp_path / "whole.py").write_text(LEVEL.replace("VALUE", "2").replace("mine", "whole"))
    registry.load_plugins((str(tmp_path / "whole.py"),))
    assert repr(registry.resolve("optimizer", "whole", {})) == "{'lr': 2.0}"


def test_the_digest_is_of_what_ran_whatever_an_older_compiled_copy_says(tmp_path: Path):
    digests, values = [], []
    for number, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "edited.py"
        file.write_text(LEVEL.replace("VALUE", str(number)).replace("mine", f"edited_{folder}"))
        registry.load_plugins((str(file),))
        digests.append(registry.code_digest("optimizer", f"edited_{folder}"))
        values.append(registry.resolve("optimizer", f"edited_{folder}", {})["lr"])
        assert not list(file.parent.glob("__pycache__/*"))
    assert digests[0] != digests[1]
    assert values == [0, 1]
    assert registry.code_digest("optimizer", "adam") is None
    assert registry.code_digest("model", "vgg") is None


def test_a_missing_module_is_named():
    with pytest.raises(InputError, match="cannot import 'no_such_module_anywhere'"):
        registry.load_plugins(("no_such_module_anywhere",))


@pytest.mark.parametrize(
    "decorator", ["level('optimizer', name=NAME)", "model(NAME)", "dataset(NAME)"]
)
@pytest.mark.parametrize("name", ["\x1b[31mred", "red\x07", "red\x9b", "\u202ered"])
def test_a_registered_name_with_a_control_character_is_refused(tmp_path, decorator, name):
    plugin = tmp_path / "names.py"
    plugin.write_text(
        "from ablations.registry import dataset, level, model\n"
        f"NAME = {name!r}\n@{decorator}\ndef mine(parameters): ...\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="has a control character in its name") as refused:
        registry.load_plugins([str(plugin)])
    assert str(plugin) in str(refused.value)
    assert not registry.has_control(str(refused.value))


# -- confined plugins --------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder that plugins are confined to and another, both with a package and a file."""
    for name in ("trusted", "other"):
        package = tmp_path / name / f"pack_{name}"
        package.mkdir(parents=True)
        for file in (package / "__init__.py", package / "part.py", tmp_path / name / "own.py"):
            file.write_text("import ablations\nablations.ran = True\n")
        monkeypatch.syspath_prepend(str(tmp_path / name))
    (tmp_path / "trusted" / "link.py").symlink_to(tmp_path / "other" / "own.py")
    monkeypatch.setenv(registry.CONFINED_TO, str(tmp_path / "trusted"))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("pack_")]:
        del sys.modules[name]


@pytest.mark.parametrize("plugin", ["trusted/own.py", "pack_trusted", "pack_trusted.part"])
def test_a_plugin_in_the_folder_runs(folders, monkeypatch, plugin):
    monkeypatch.setattr("ablations.ran", False, raising=False)
    registry.load_plugins((str(folders / plugin) if plugin.endswith(".py") else plugin,))
    assert sys.modules["ablations"].ran


@pytest.mark.parametrize(
    "plugin",
    [
        *("other/own.py", "trusted/../other/own.py", "trusted/link.py"),
        *("pack_other", "pack_other.part", "this", "sys", "pack_trusted.missing", "trusted/own"),
    ],
)
def test_no_plugin_from_elsewhere_runs_not_even_after_one_that_may(folders, monkeypatch, plugin):
    monkeypatch.setattr("ablations.ran", False, raising=False)
    named = str(folders / plugin) if plugin.endswith(".py") else plugin
    with pytest.raises(InputError, match=r"plugins are confined to .*trusted: .* is not run"):
        registry.load_plugins((str(folders / "trusted" / "own.py"), named))
    assert not sys.modules["ablations"].ran
    assert "this" not in sys.modules


def test_a_confinement_to_no_folder_lets_no_plugin_run(folders, monkeypatch):
    monkeypatch.setenv(registry.CONFINED_TO, str(folders / "trusted" / "own.py"))
    with pytest.raises(InputError, match="which is no folder"):
        registry.load_plugins((str(folders / "trusted" / "own.py"),))
    registry.load_plugins(())
