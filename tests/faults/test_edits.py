"""Fault matrix, rows I3, I4 and X3: edited files, strange paths, strange command lines."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.harness import ROOT, Bench, finish, specification, wait_until

pytestmark = pytest.mark.fault

FIXED = {"augmentation": "none", "scheduler": "constant", "bn_placement": "before"}


def test_i3_a_new_level_or_replicate_runs_only_the_new_cells(bench, tmp_path):
    code, output = bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    assert code == 0, output
    before = {a["cell"] for a in bench.attempts()}
    wider = {"init": ["he", "xavier", "orthogonal"], "optimizer": ["adam", "sgd"]}
    file = specification(tmp_path, factors=wider, replicates=2)
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(12)
    attempts = bench.attempts()
    assert len(attempts) == 12
    assert before < {a["cell"] for a in attempts}


@pytest.mark.long
def test_i3_reordering_a_file_is_the_same_study(bench, tmp_path):
    bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    turned = {"optimizer": ["sgd", "adam"], "init": ["xavier", "he"]}
    file = specification(tmp_path, factors=turned, replicates=1)
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    assert "nothing to do" in output
    bench.assert_exact(4)


@pytest.mark.long
def test_i3_another_protocol_is_another_study_beside_it(bench, tmp_path):
    bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    file = specification(tmp_path, replicates=1, train={"epochs": 2})
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    store = bench.store()
    first, second = store.studies()
    assert first.name != second.name
    assert [store.status(s).complete for s in (first, second)] == [4, 4]


def test_i3_a_design_is_not_cut_in_silence_while_a_grid_trains_it(bench, tmp_path):
    """Refused; where it is wanted all the same, the grid that loses cells says how many."""
    go = tmp_path / "go"
    waits = {"waits": {"until": str(go), "announce": str(tmp_path)}}
    file = specification(
        tmp_path, factors={"init": ["he", waits]}, replicates=3, fixed={**FIXED, "optimizer": "sgd"}
    )
    first = bench.grid(file, "--slots-per-device", 1)
    wait_until(lambda: [p for p in tmp_path.iterdir() if p.name.isdigit()])
    smaller = (file, "--set", "replicates=1", "--slots-per-device", 1)
    code, output = finish(bench.grid(*smaller))
    assert code == 2, output
    assert "this design leaves out 4 cells of the study, which" in output
    assert "--shrink" in output
    assert len(bench.runs()) == 6, "nothing was changed"
    second = bench.grid(*smaller, "--shrink")
    wait_until(lambda: len(bench.runs()) == 2)
    go.touch()
    (code, output), (other, _) = finish(first), finish(second)
    assert (code, other) == (5, 0), output
    assert "4 of the 6 cells of this design were taken out by another command" in output
    bench.assert_exact(2)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with space", id="space", marks=pytest.mark.long),
        pytest.param("quo'te\"s", id="quotes", marks=pytest.mark.long),
        pytest.param("new\nline", id="newline", marks=pytest.mark.long),
        pytest.param("ünïcödé 表", id="unicode", marks=pytest.mark.long),
        pytest.param("percent%20 #hash ?query", id="url"),
        pytest.param("n" * 200, id="long", marks=pytest.mark.long),
    ],
)
def test_i4_any_folder_name_works(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    bench = Bench(folder, f"sqlite:///{folder}/ablations.db")
    try:
        file = specification(folder, replicates=1)
        code, output = bench.run("grid", file, "--no-report")
        assert code == 0, output
        bench.assert_exact(4)
        assert (folder / "ablations.db").is_file()
    finally:
        bench.close()


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        **options,
    )


def test_x3_no_arguments_say_how_to_call(tmp_path):
    done = run()
    assert done.returncode == 2
    assert "usage" in done.stderr
    assert "Traceback" not in done.stderr


def test_x3_a_wrong_verb_is_answered_with_the_nearest(tmp_path):
    done = run("gird", "x.yaml")
    assert done.returncode == 2
    assert "did you mean 'grid'?" in done.stderr


@pytest.mark.parametrize(
    "verb",
    [
        "init",
        "grid",
        "plan",
        "status",
        "show",
        "diff",
        "retry",
        "work",
        "export",
        "dashboard",
        "schema",
    ],
)
def test_x3_help_of_every_verb_has_examples(verb):
    done = run(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout
    assert f"python -m runner {verb}" in done.stdout


def test_x3_a_reader_that_leaves_early_causes_no_traceback():
    done = subprocess.run(  # noqa: S602  a pipe is what is tested
        f"{sys.executable} -m runner plan ablations/five_factor.yaml --cells 500 | head -n 1",
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.long
def test_x3_a_grid_whose_reader_leaves_or_whose_output_is_closed_loses_nothing(bench, tmp_path):
    """Standard output closed from the start, also with the input; then a reader that left."""
    file = specification(tmp_path, replicates=1)
    for redirection in ("| head -n 1", ">&- 2>&-", "<&- >&-"):
        command = f'"{sys.executable}" -m runner grid "{file}" --no-report {redirection}'
        code, output = finish(bench.program("-c", command, prefix=("/bin/sh",)))
        assert code == 0, output
        assert "Traceback" not in output
        assert "BrokenPipe" not in output
        bench.assert_no_orphans()
    bench.assert_exact(4)
    assert len(bench.attempts()) == 4


def test_x3_a_terminal_that_is_not_utf_8_ends_no_grid_and_no_cell(bench, tmp_path):
    """The run prints a middle dot after its first cell; the plugin prints one in each cell."""
    plugin = tmp_path / "prints.py"
    plugin.write_text(
        "from ablations.registry import level\n"
        "@level('init')\n"
        "def says(layer, draw):\n"
        "    print('·')\n"
    )
    file = specification(
        tmp_path,
        plugins=[str(plugin)],
        factors={"init": ["he", "says"]},
        fixed={**FIXED, "optimizer": "sgd"},
        replicates=1,
    )
    code, output = finish(bench.grid(file, PYTHONIOENCODING="ascii"))
    assert code == 0, output
    assert "2/2" in output
    assert "UnicodeEncodeError" not in output
    bench.assert_exact(2)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("runner",), 2),
        (("runner", "--help"), 0),
        (("runner", "gird"), 2),
        (("runner", "schema"), 0),
        (("runner", "plan", "ablations/five_factor.yaml"), 0),
        (("analysis",), 2),
        (("analysis", "--help"), 0),
        (("analysis", "efects"), 2),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
@pytest.mark.parametrize("closed", ["nothing", "output", "everything"])
def test_x3_exit_codes_are_right_whatever_is_closed(words, code, closed):
    """None of these has a terminal."""
    redirection = {"nothing": "", "output": ">&-", "everything": "<&- >&- 2>&-"}[closed]
    done = subprocess.run(  # noqa: S602  closing is the shell's
        f'"{sys.executable}" -m {" ".join(words)} {redirection}',
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b[" not in done.stdout, "colours are for a terminal"


def test_x3_a_missing_file_is_one_sentence():
    done = run("grid", "no/such/file.yaml")
    assert done.returncode == 2
    assert "no/such/file.yaml" in done.stderr
    assert done.stderr.count("\n") == 1
