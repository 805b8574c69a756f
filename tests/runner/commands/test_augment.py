"""`augment FILE`: said first, written when asked to; old cells stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands import main
from runner.design import design_of
from runner.spec import load_spec
from runner.store import open_store
from runner.store.cells.studies import spec_versions

TRAIN = """
def fit(a, b, c, d, seed):
    return {"accuracy": 0.5 + 0.1 * (a == "on") + seed % 7 / 100}
"""
FILE = """\
# What matters?
name: grows
trainer: train.py:fit   # ours
factors:
  a: ["off", "on"]
  b: ["off", "on"]
  c: ["off", "on"]
  d: ["off", "on"]
replicates: 2
DESIGN
# The end.
responses: {accuracy: {better: higher}}
"""
REGULAR = "design: {kind: regular, resolution: 4}  # half"
BLOCK = "design:\n  kind: d_optimal  # a few\n  runs: 8\n  order: 1"


@pytest.fixture
def here(here: Path) -> Path:
    Path("train.py").write_text(TRAIN)
    write(REGULAR)
    return here


def write(design: str) -> None:
    Path("s.yaml").write_text(FILE.replace("DESIGN", design))


def cells() -> set[str]:
    spec = load_spec("s.yaml", "auto", [], cuda_visible=False)
    return {cell.id for cell in design_of(spec).cells}


def test_nothing_is_written_unless_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("s.yaml").read_bytes()
    assert main(["augment", "s.yaml", "--fold-over", "a"]) == 0
    said = capsys.readouterr().out
    assert "8 combinations beside the 8 of before, 2 replicates of each: 16 new cells" in said
    assert "told apart now: a:b from c:d; a:c from b:d; a:d from b:c" in said
    assert "becomes estimable: a:b, a:c, a:d, b:c, b:d, c:d" in said
    assert "then every main effect and every pair can be estimated" in said
    assert "nothing was written" in said
    assert Path("s.yaml").read_bytes() == before
    assert sorted(one.name for one in here.iterdir()) == ["s.yaml", "train.py"]


@pytest.mark.parametrize("design", [REGULAR, BLOCK])
@pytest.mark.parametrize("how", [["--fold-over", "b"], ["--runs", "12"], ["--full"]])
def test_the_file_keeps_all_but_its_design(here: Path, design: str, how: list[str]) -> None:
    write(design)
    before, text = cells(), Path("s.yaml").read_text()
    assert main(["augment", "s.yaml", *how, "--write"]) == 0
    after = Path("s.yaml").read_text()
    assert before < cells()
    head, tail = text.split("design:")[0], text[text.index("# The end.") :]
    assert after.startswith(head)
    assert after.endswith(tail)
    assert sorted(one.name for one in here.iterdir()) == ["s.yaml", "train.py"]


def test_a_design_grows_again(here: Path) -> None:
    write(BLOCK)
    assert main(["augment", "s.yaml", "--runs", "10", "--write"]) == 0
    ten = cells()
    assert main(["augment", "s.yaml", "--runs", "13", "--write"]) == 0
    assert ten < cells()
    assert len(cells()) == 26
    assert "by: [{runs: 10, order: 1}, {runs: 13}]" in Path("s.yaml").read_text()


@pytest.mark.slow
def test_the_grid_runs_the_new_cells_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid", "s.yaml", "--no-report", "--quiet"]) == 0
    with open_store() as store:
        (name,) = store.study_names()
        old = {row["cell"]: row for row in store.runs(store.load_study(name))}
    assert main(["augment", "s.yaml", "--fold-over", "d", "--write"]) == 0
    assert "what 16 cells of this study took" in capsys.readouterr().out
    assert main(["grid", "s.yaml", "--no-report"]) == 0
    assert (
        "32 cells = 16 combinations x 2 replicates: 16 done, 16 to run" in capsys.readouterr().out
    )
    with open_store() as store:
        assert store.study_names() == [name]
        info = store.load_study(name)
        new = {row["cell"]: row for row in store.runs(info)}
        versions = store.database.read(lambda connection: spec_versions(connection, name))
    assert len(versions) == 2
    assert info.spec["design"]["kind"] == "augmented"
    for cell, row in old.items():
        kept = {key for key in row if key != "run_order"}
        assert {key: new[cell][key] for key in kept} == {key: row[key] for key in kept}


@pytest.mark.parametrize(
    ("design", "how", "problem"),
    [
        ("", ["--full"], "all 16 combinations are run already"),
        (REGULAR, [], "expected --fold-over, --runs N or --full"),
        (REGULAR, ["--fold-over", "e"], "--fold-over e: 'e' is no factor of this file"),
        (REGULAR, ["--fold-over"], "gives no combination that is not run already"),
        (REGULAR, ["--runs", "8"], "expected a whole number from 9 to 15"),
        (REGULAR, ["--runs", "16"], "expected a whole number from 9 to 15"),
        (REGULAR, ["--runs", "many"], "expected a whole number from 9 to 15"),
        ("design: {kind: custom, file: runs.csv}", ["--full"], "add rows there"),
        (
            "design: {kind: one_at_a_time}\nprofiles: {cpu: {design: {kind: regular}}}",
            ["--full"],
            "resolution",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], design: str, how: list[str], problem: str
) -> None:
    Path("runs.csv").write_text("a,b,c,d\noff,off,off,off\non,on,on,on\n")
    write(design)
    before = Path("s.yaml").read_bytes()
    assert main(["augment", "s.yaml", *how, "--write"]) == 2
    error = capsys.readouterr().err.strip()
    assert problem in error
    assert len(error.splitlines()) == 1
    assert Path("s.yaml").read_bytes() == before


def test_a_screening_design_grows_by_its_own_key(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    factors = "".join(f"  {name}: [0, 1]\n" for name in "abcdefgh")
    Path("few.yaml").write_text(
        "name: few\ntrainer: train.py:fit\nresponses: {y: {better: higher}}\n"
        f"factors:\n{factors}design: {{kind: screen, runs: 12}}\n"
    )
    Path("train.py").write_text("def fit(a, b, c, d, e, f, g, h):\n    return a\n")
    assert main(["augment", "few.yaml", "--fold-over", "all"]) == 2
    assert "'runs: 24' runs more" in capsys.readouterr().err
    assert main(["augment", "few.yaml", "--full"]) == 0


def test_waves_do_not_grow(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("s.yaml").read_text()
    Path("s.yaml").write_text(
        text.replace("replicates: 2", "replicates: {min: 2, max: 4, until: mains}")
    )
    assert main(["augment", "s.yaml", "--full"]) == 2
    assert "takes a plain number" in capsys.readouterr().err


def test_a_design_of_a_profile_is_changed_there(here: Path) -> None:
    write(f"design: {{kind: full}}\nprofiles:\n  cpu:\n    {REGULAR}")
    before = cells()
    assert main(["augment", "s.yaml", "--runs", "11", "--write"]) == 0
    assert before < cells()
    assert "design: {kind: full}\n" in Path("s.yaml").read_text()


def test_a_design_that_settings_made_is_not_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("")
    setting = ["--set", "design={kind: regular, resolution: 4}"]
    assert main(["augment", "s.yaml", "--full", "--write", *setting]) == 2
    assert "write it there by hand" in capsys.readouterr().err
