"""The built wheel alone, from a folder of somebody whose modules have the names of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.once import once
from tests.runner.entry.foreign import NAMES, foreign

ROOT = Path(__file__).parents[2]
SOURCES = ("_ablate.py", "ablations", "analysis", "runner")

SHIPPED = """
name: tiny
factors: {init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none, optimizer: adam}
data: {name: digits, limit: 100}
model: {depth: 11, width: 0.125}
train: {epochs: 1, batch_size: 50}
replicates: 2
"""

pytestmark = pytest.mark.long


def _built(folder: Path) -> None:
    """Build the wheel from a copy: building leaves folders behind."""
    copy = folder / "source"
    for name in (*SOURCES, "pyproject.toml", "README.md", "LICENSE"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)
    build = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), ".")
    subprocess.run([sys.executable, "-m", *build], cwd=copy, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (file,) = once(tmp_path_factory, "wheel", _built).glob("*.whl")
    return file


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """`ablate` of an environment that has the wheel, and the libraries of this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    # Only the libraries: what is installed there as editable is not, its .pth files are not read.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ("install", "-q", "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
    return environment / "bin" / "ablate"


def _ablate(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "ABLATIONS_", "COV"))
    }
    return subprocess.run(
        [program, *arguments], cwd=folder, env=clean, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = foreign(tmp_path_factory.mktemp("people") / "project", (*NAMES, "torch", "pandas"))
    (folder / "tiny.yaml").write_text(SHIPPED)
    return folder


def test_it_holds_every_file_that_is_not_for_the_repository_alone(wheel):
    held = set(ZipFile(wheel).namelist())
    wanted = {
        str(file.relative_to(ROOT))
        for name in SOURCES
        for file in [ROOT / name, *(ROOT / name).rglob("*")]
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert wanted - held == set()
    licences = {Path(name).name for name in held if "/licenses/" in name}
    assert licences == {"LICENSE", "LICENSE.plotly.txt"}


def test_it_answers_from_anywhere(program, here):
    version = _ablate(program, here, "--version")
    assert version.stdout.startswith("ablation-grid-runner "), version.stderr
    planned = _ablate(program, here, "plan", "five_factor", "--profile", "cpu", "--cells", "0")
    assert planned.returncode == 0, planned.stderr
    assert "216 cells" in planned.stdout
    dry = _ablate(program, here, "grid", "five_factor", "--profile", "cpu", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    refused = _ablate(program, here, "augment", "recipe", "--fold-over", "warmup", "--write")
    assert refused.returncode == 2
    assert "comes with the program: copy it" in refused.stderr


@pytest.mark.parametrize(("file", "study"), [("study.yaml", "somebodys"), ("tiny.yaml", "tiny")])
def test_it_trains_and_reports_among_clashing_names(program, here, file, study):
    done = _ablate(program, here, "grid", file, "--devices", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 cells trained here" in done.stdout
    assert "of somebody" not in done.stdout + done.stderr
    again = _ablate(program, here, "report", study)
    assert again.returncode == 0, again.stderr
    (page,) = here.glob(f"results/{study}-*/report.html")
    written = {one.name for one in page.parent.iterdir()}
    assert {"report.html", "figures", "effects.json", "effects.schema.json"} <= written


def test_nothing_is_left_behind_when_it_is_uninstalled(program, here):
    remove = ("uninstall", "-q", "-y", "ablation-grid-runner")
    python = program.with_name("python")
    before = {one.name for one in python.parent.iterdir()}
    assert "ablate" in before
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *remove], check=True)
    (site,) = program.parents[1].glob("lib/python*/site-packages")
    assert {one.name for one in site.iterdir()} <= {"libraries.pth", "__pycache__"}
    assert not program.exists()
