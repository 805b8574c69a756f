"""What the shell is offered, asked as a shell asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.entry.ablate import every_verb
from runner.store import Store, open_store
from tests.runner.entry.foreign import ROOT
from tests.store_contract.grids import planned

START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import _ablate; sys.exit(_ablate.main())"


def offered(here: Path, line: str, **environment: str) -> list[str]:
    """What `ablate` offers at the end of the line."""
    answer = here / "answer"
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=here,
        env={
            **{key: value for key, value in os.environ.items() if "ABLATIONS" not in key},
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == done.stderr == ""
    return [one.rstrip() for one in answer.read_text().split("\n") if one]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "results").mkdir()
    with open_store(f"{tmp_path}/results/ablations.db", create=True) as opened:
        planned(opened)
        return opened


def test_verbs_of_both_programs(tmp_path):
    assert set(every_verb()) <= set(offered(tmp_path, "ablate "))
    assert offered(tmp_path, "ablate gr") == ["grid"]
    assert offered(tmp_path, "ablate dec") == ["decided"]


@pytest.mark.parametrize("verb", ["grid", "report"])
def test_options_of_the_verb(tmp_path, verb):
    found = offered(tmp_path, f"ablate {verb} --sto")
    assert found == ["--storage"]


@pytest.mark.parametrize("verb", ["status", "decided", "compare"])
def test_studies_of_the_store_that_is_meant(tmp_path, store, verb):
    (name,) = store.study_names()
    assert offered(tmp_path, f"ablate {verb} gri") == [name]
    moved = tmp_path / "moved"
    (tmp_path / "results").rename(moved)
    assert offered(tmp_path, f"ablate {verb} gri") == [], "there is no store, and no sentence"
    assert offered(tmp_path, f"ablate {verb} --results {moved} gri") == [name]


def test_cells_by_their_beginning(tmp_path, store):
    cells = {row["cell"] for row in store.runs("grid-cpu-a1b2c3")}
    assert set(offered(tmp_path, "ablate show ")) >= {cell[:8] for cell in cells}
    one = min(cells)
    assert one[:8] in offered(tmp_path, f"ablate show {one[:3]}")
    assert offered(tmp_path, f"ablate show {one[:12]}") == [one[:12]]


def test_two_cells_of_the_study_that_was_named(tmp_path, store):
    (name,) = store.study_names()
    one = min(row["cell"] for row in store.runs(name))
    assert one[:8] in offered(tmp_path, f"ablate diff {name} {one[:3]}")
    assert offered(tmp_path, f"ablate diff {name} {one[:8]} optimizer=ad") == ["optimizer=adam"]
    assert offered(tmp_path, f"ablate diff nobody {one[:3]}") == []


def test_keys_of_set(tmp_path):
    found = offered(tmp_path, "ablate grid five_factor --set ")
    assert {"train.epochs=", "run.keep_weights=", "factors.init=", "replicates="} <= set(found)
    assert offered(tmp_path, "ablate grid five_factor --set train.ep") == ["train.epochs="]


def test_files_that_are_here_and_those_that_come_with_the_program(tmp_path):
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "mine.csv").touch()
    assert offered(tmp_path, "ablate plan mi") == ["mine.yaml"]
    assert offered(tmp_path, "ablate plan five") == ["five_factor"]
