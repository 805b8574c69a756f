"""One command for both programs, from a folder whose modules have the names of ours."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import _ablate
from analysis.commands import VERBS as ANSWERS
from runner.commands import VERBS
from runner.entry import ablate as entry
from runner.spec.reading.files.shipped import specification_file
from tests.runner.entry.foreign import ROOT, ablate, called, foreign


def test_no_verb_is_in_both_programs_and_ablate_has_them_all(capsys):
    assert not set(VERBS) & set(ANSWERS)
    assert set(entry.ANSWERS) == set(ANSWERS)
    assert entry.run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {verb} " in said for verb in (*VERBS, *ANSWERS))
    assert "python -m" not in said


def test_a_verb_nobody_has_is_answered_with_the_nearest_of_either(capsys):
    assert entry.run(["claim"]) == 2
    assert "did you mean 'claims'?" in capsys.readouterr().err
    assert entry.run(["gird"]) == 2
    assert "did you mean 'grid'?" in capsys.readouterr().err


def test_the_start_needs_the_standard_library_alone():
    """It runs before anything has been made sure of."""
    tree = ast.parse((ROOT / "_ablate.py").read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in top
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }
    assert names <= sys.stdlib_module_names


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign(tmp_path_factory.mktemp("people") / "project")


def test_a_grid_runs_and_is_answered_where_the_names_are_taken(folder):
    done = ablate(folder, "grid", "study.yaml", "--devices", "cpu", "--no-report")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 cells trained here" in done.stdout
    assert "of somebody" not in done.stdout + done.stderr
    asked = ablate(folder, "status", "somebodys")
    assert asked.returncode == 0, asked.stderr
    assert "ablate decided somebodys" in asked.stdout
    answered = ablate(folder, "effects", "somebodys")
    assert answered.returncode == 0, answered.stderr


def test_names_that_pythonpath_puts_first_are_not_ours_either(tmp_path):
    here = foreign(tmp_path / "project", ("analysis", "ablations", "runner"))
    done = ablate(here, "grid", "study.yaml", "--devices", "cpu", "--no-report", path=(here,))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 cells trained here" in done.stdout


@pytest.mark.parametrize("words", [["runner", "plan", "study.yaml"], ["analysis", "--version"]])
def test_python_m_searches_the_working_directory_last(tmp_path, words):
    others = tuple(name for name in ("analysis", "ablations", "runner") if name != words[0])
    here = foreign(tmp_path / "project", (*others, "rich", "pydantic"))
    done = called(here, ["-m", *words])
    assert done.returncode == 0, done.stdout + done.stderr


def test_shipped_files_are_found_by_name_from_anywhere(folder, monkeypatch, capsys):
    done = ablate(folder, "plan", "five_factor", "--profile", "cpu", "--cells", "0")
    assert done.returncode == 0, done.stderr
    assert "216 cells" in done.stdout
    monkeypatch.chdir(folder)
    shipped = ROOT / "ablations" / "five_factor.yaml"
    for name in ("five_factor", "five_factor.yaml", "ablations/five_factor.yaml"):
        assert specification_file(name) == shipped
    for name in ("five_factr", "other/five_factor.yaml", "five_factor.yml", "/five_factor"):
        assert specification_file(name) == Path(name)
    assert entry.run(["plan", "five_factr"]) == 2
    assert "there is no file five_factr; . holds study.yaml" in capsys.readouterr().err


def test_a_file_of_the_persons_own_comes_before_a_shipped_one(tmp_path):
    here = foreign(tmp_path / "project", ())
    (here / "study.yaml").rename(here / "five_factor.yaml")
    done = ablate(here, "plan", "five_factor.yaml", "--cells", "0")
    assert done.returncode == 0, done.stderr
    assert "study somebodys" in done.stdout


def test_a_module_of_theirs_called_analysis_is_theirs_in_their_cells(tmp_path):
    here = foreign(tmp_path / "project", ("analysis",))
    (here / "analysis" / "__init__.py").write_text("NOTHING = 0\n")
    file = here / "train" / "my_train.py"
    file.write_text(file.read_text().replace("import helper", "import analysis as helper"))
    done = ablate(here, "grid", "study.yaml", "--devices", "cpu", "--no-report")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_module_of_theirs_called_runner_is_said_to_be_taken(tmp_path):
    here = foreign(tmp_path / "project", ())
    (here / "runner.py").write_text("def fit(lr, *, seed):\n    return lr\n")
    file = here / "train" / "my_train.py"
    file.write_text("from runner import fit\n")
    done = ablate(here, "plan", "study.yaml")
    assert done.returncode == 2
    assert "'runner' is a package of this program, give the module of yours" in done.stderr
    study = (here / "study.yaml").read_text()
    (here / "study.yaml").write_text(study.replace("train/my_train.py:fit", "runner:fit"))
    done = ablate(here, "plan", "study.yaml")
    assert done.returncode == 2
    assert "name a file, such as 'runner.py:fit'" in done.stderr
    (here / "study.yaml").write_text(study.replace("train/my_train.py:fit", "runner.py:fit"))
    assert ablate(here, "plan", "study.yaml").returncode == 0


def _distribution(folder: Path, name: str, package: str) -> None:
    (folder / package).mkdir(parents=True, exist_ok=True)
    (folder / package / "__init__.py").touch()
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"{package}/__init__.py,,\n")


def test_another_distribution_with_a_name_of_ours_is_said(tmp_path):
    _distribution(tmp_path / "site", "somebodys_analysis", "analysis")
    here = foreign(tmp_path / "project", ())
    done = ablate(here, "plan", "study.yaml", path=(tmp_path / "site",))
    assert done.returncode == 0, done.stderr
    assert "note: the distribution somebodys_analysis has a package 'analysis' too" in done.stderr


def test_another_distribution_among_our_files_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_ablate, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    _distribution(tmp_path, "ablation_grid_runner", "runner")
    assert _ablate.clash() == ("", False)
    _distribution(tmp_path, "Runner", "runner")
    with pytest.raises(SystemExit) as ended:
        _ablate.begin()
    assert ended.value.code == 2
    assert "the distribution Runner has put a package 'runner'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["-m", "runner"], ["-m", "analysis"]])
def test_each_program_says_its_version(words, tmp_path):
    done = called(tmp_path, [*words, "--version"])
    assert done.stdout.startswith("ablation-grid-runner ")
    assert done.stdout == ablate(tmp_path, "--version").stdout
