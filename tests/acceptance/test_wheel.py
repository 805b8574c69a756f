"""The built wheel alone, from a folder of somebody whose modules have the names of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.acceptance.installed import ROOT, SOURCES, ablate
from tests.runner.entry.foreign import NAMES, foreign

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
    version = ablate(program, here, "--version")
    assert version.stdout.startswith("ablation-grid-runner "), version.stderr
    planned = ablate(program, here, "plan", "five_factor", "--profile", "cpu", "--cells", "0")
    assert planned.returncode == 0, planned.stderr
    assert "216 cells" in planned.stdout
    dry = ablate(program, here, "grid", "five_factor", "--profile", "cpu", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    refused = ablate(program, here, "augment", "recipe", "--fold-over", "warmup", "--write")
    assert refused.returncode == 2
    assert "comes with the program: copy it" in refused.stderr


@pytest.mark.parametrize(("file", "study"), [("study.yaml", "somebodys"), ("tiny.yaml", "tiny")])
def test_it_trains_and_reports_among_clashing_names(program, here, file, study):
    done = ablate(program, here, "grid", file, "--devices", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 cells trained here" in done.stdout
    assert "of somebody" not in done.stdout + done.stderr
    again = ablate(program, here, "report", study)
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
