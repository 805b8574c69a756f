"""What works where torch is not installed, and where the system is another."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ablations.errors import OF_TRAIN, PARQUET, TRAIN, InputError
from runner.program import needs
from tests.runner.entry.foreign import ROOT, ablate, called, foreign

BLOCKED = """import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""
"""A sitecustomize.py, which every Python that is started with it on its path runs first."""


BESIDE = ("pyarrow", "plotly")
"""Which the base does without as well."""


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blocked")
    file = folder / "sitecustomize.py"
    file.write_text(BLOCKED.format(names=(*OF_TRAIN, *BESIDE)))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, without_torch: Path) -> Path:
    """Somebody's study, trained without torch."""
    here = foreign(tmp_path_factory.mktemp("people") / "project", ())
    done = ablate(here, "grid", "study.yaml", "--no-report", path=(without_torch,))
    assert done.returncode == 0, done.stdout + done.stderr
    return here


def test_it_is_answered_without_torch(trained, without_torch):
    verbs = [
        ["plan", "five_factor", "--cells", "0"],
        ["status", "somebodys"],
        ["decided", "somebodys"],
        ["effects", "somebodys"],
        ["export", "somebodys", "--to", "csv"],
        ["dashboard", "--help"],
    ]
    answered = _in_one_process(trained, "", verbs, (without_torch,))
    assert set(answered.values()) == {0}, answered


def test_parquet_is_refused_with_what_brings_it(trained, without_torch):
    done = ablate(trained, "export", "somebodys", "--to", "parquet", path=(without_torch,))
    assert done.returncode == 2
    assert done.stderr.endswith("pyarrow, which is not installed: " + PARQUET + "\n")


@pytest.mark.long
def test_the_report_lists_the_files_that_it_has(trained, without_torch, tmp_path):
    words = ("report", "somebodys", "--out", str(tmp_path))
    done = ablate(trained, *words, path=(without_torch,))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "outcomes.csv" in page
    assert "parquet" not in page.split('<ul class="files">')[1].split("</ul>")[0]
    assert not list(tmp_path.glob("*.parquet"))


def _in_one_process(
    folder: Path, before: str, verbs: list[list[str]], path: tuple[Path, ...] = ()
) -> dict[str, int]:
    """The exit code of each call, all of them by one interpreter."""
    code = before + RUN.format(verbs=verbs)
    done = called(folder, ["-c", code], path)
    assert done.returncode == 0, done.stderr
    answered: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return answered


@pytest.mark.parametrize(
    "words", [["grid", "five_factor"], ["tune-device", "five_factor"], ["doctor", "a.py:make"]]
)
def test_what_needs_torch_says_so_before_anything_is_written(words, without_torch, tmp_path):
    done = ablate(tmp_path, *words, path=(without_torch,))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "needs torch" in line
    assert line.endswith(f"not installed: {TRAIN}")
    assert not (tmp_path / "results").exists()


def test_a_plugin_that_imports_torch_is_said_what_brings_it(without_torch, tmp_path):
    here = foreign(tmp_path / "project", ())
    (here / "plugin.py").write_text("import torch\n")
    study = "name: a\nextends: five_factor\nplugins: [plugin.py]\n"
    (here / "study.yaml").write_text(study)
    done = ablate(here, "plan", "study.yaml", path=(without_torch,))
    assert done.returncode == 2
    assert done.stderr.endswith(f"No module named 'torch'; {TRAIN} brings it\n")


RUN = """
import json
from runner.entry.ablate import run
codes = {{}}
for words in {verbs!r}:
    try:
        codes[" ".join(words)] = run(words)
    except SystemExit as ended:
        codes[" ".join(words)] = ended.code
print(json.dumps(codes))
"""

OF_WINDOWS = """
import sys
# What is not ours meets its own system: it is imported before.
import asyncio, concurrent.futures, multiprocessing.connection, multiprocessing.context
import multiprocessing.spawn, multiprocessing.popen_spawn_posix, multiprocessing.resource_tracker
import subprocess, tempfile, socketserver, wsgiref.simple_server, platform, uuid, ctypes
import filelock, jinja2, joblib, matplotlib.backends.backend_agg, matplotlib.backends.backend_pdf
import matplotlib.backends.backend_svg, numba, numpy, optuna, pandas, psutil, pyarrow
import pydantic, rich.console, rich.live, rich.table, ruamel.yaml, scipy.stats, seaborn
import sqlalchemy, sqlalchemy.dialects.sqlite, platformdirs, optuna_dashboard, pynvml
import optuna.storages, rich.progress, pyarrow.parquet, pydoe, platformdirs.unix
import os, signal

GONE = ("resource", "fcntl", "termios", "pwd", "grp")
for name in GONE:
    sys.modules[name] = None
for name in ("fork", "killpg", "setsid", "sched_getaffinity", "getuid", "pidfd_open", "getpgrp"):
    if hasattr(os, name):
        delattr(os, name)
del signal.SIGKILL, signal.SIGHUP
sys.platform = "win32"
"""


def test_windows_answers_and_says_that_it_trains_nothing(trained):
    """Every module of the analysis is imported besides, those that are asked for late too."""
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in sorted((ROOT / "analysis").rglob("*.py"))
        if file.name not in ("__init__.py", "__main__.py")
    ]
    imported = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
    answers = [
        ["plan", "five_factor", "--cells", "0", "--devices", "cpu"],
        ["plan", "study.yaml", "--cells", "0"],
        ["status", "somebodys"],
        ["show", "--help"],
        ["decided", "somebodys"],
        ["effects", "somebodys"],
        ["dashboard", "--help"],
    ]
    trains = [["grid", "study.yaml"], ["work", "somebodys"]]
    answered = _in_one_process(trained, OF_WINDOWS + imported, answers + trains)
    wanted = {" ".join(words): 0 for words in answers} | {" ".join(words): 2 for words in trains}
    assert answered == wanted


def test_windows_is_named_where_nothing_can_be_trained(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(InputError, match="Windows cannot start"):
        needs.need_processes()


def test_a_library_is_looked_for_without_importing_it(monkeypatch):
    assert needs.has("wave")
    assert not needs.has("no_library_of_this_name")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not needs.has("torch")
