"""The base stays as small as it was measured (decision 106): what it pulls in is a list."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.runner.entry.foreign import ROOT

MEASURED = {
    "alembic", "annotated-types", "bottle", "cloudpickle", "colorlog", "contourpy", "cycler",
    "filelock", "fonttools", "jinja2", "joblib", "kiwisolver", "mako", "markdown-it-py",
    "markupsafe", "matplotlib", "mdurl", "numpy", "nvidia-ml-py", "optuna", "optuna-dashboard",
    "packaging", "pandas", "pillow", "platformdirs", "psutil", "pydantic", "pydantic-core", "pydoe",
    "pygments", "pyparsing", "python-dateutil", "pyyaml", "rich", "ruamel-yaml", "scipy", "seaborn",
    "six",
    "sqlalchemy", "tqdm", "typing-extensions", "typing-inspection", "tzdata",
    "greenlet", "pytz", "ruamel-yaml-clib",  # of other versions, 3 MB together
    "colorama",  # Windows
}  # fmt: skip
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _pulled_in(wanted: list[str]) -> set[str]:
    """Distributions that these requirements install here, by what is installed."""
    found: set[str] = set()
    while wanted:
        one = Requirement(wanted.pop())
        name = canonicalize_name(one.name)
        extras = ("", *one.extras)
        if name in found or not any(
            one.marker is None or one.marker.evaluate({"extra": extra}) for extra in extras
        ):
            continue
        found.add(name)
        try:
            wanted += requires(name) or []
        except PackageNotFoundError:
            pytest.fail(f"{name} is a dependency and not installed")
    return found


def test_the_base_pulls_in_what_was_measured_and_no_more() -> None:
    assert _pulled_in(list(PROJECT["dependencies"])) <= MEASURED


def test_what_is_large_and_seldom_needed_is_an_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    named = {name: {Requirement(one).name for one in given} for name, given in extras.items()}
    assert "pyarrow" in named["parquet"]
    assert {"torch", "torchvision", "numba", "scikit-learn"} <= named["train"]
    assert not {"pyarrow", "torch", "plotly", "scikit-learn"} & MEASURED
