"""Private parts of other packages: bounded above, so that no later release is installed untried."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.pool.cluster import _joblibs_backend
from tests.test_architecture import MODULES

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def private_imports(path: Path) -> set[str]:
    """Packages of which a file imports a module or a name that begins with an underscore."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[0] for name in names if "._" in name}
    return found - set(sys.stdlib_module_names) - {"__future__", "ablations", "runner", "analysis"}


def test_what_is_used_of_others_private_parts_is_bounded_above():
    used = set().union(*(private_imports(path) for path in MODULES.values()))
    assert {"optuna", "joblib"} <= used
    used |= {"optuna_dashboard"}
    needed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    bounds = {re.split(r"[<>=]", one)[0].replace("-", "_"): one for one in needed}
    unbounded = [package for package in used if "<" not in bounds.get(package, "")]
    assert not unbounded


def test_a_joblib_without_its_dask_backend_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib._dask", None)
    with pytest.raises(InputError, match=r"needs a joblib from 1[.]4 to below 2"):
        _joblibs_backend()
