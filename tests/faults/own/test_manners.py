"""What a foreign function or command may do on its way: its cell completes all the same."""

from __future__ import annotations

import sys

import pytest

from tests.faults.harness import ROOT, finish
from tests.faults.own.study import KINDS, QUICKLY, bench_in, of_way, specification

pytestmark = pytest.mark.fault

WAYS = (
    *("shouts", "mumbles", "moves", "replaces_stdout", "closes_stdout", "leaves_a_thread"),
    *("leaves_a_child", "forks", "spawns", "handles_signals", "unsets_everything"),
)


@pytest.fixture(scope="module", params=KINDS)
def mannerless(request, tmp_path_factory):
    """Bench and runs of a grid with each of the ways; results lie where a relative path says."""
    folder = tmp_path_factory.mktemp(request.param)
    with bench_in(folder) as bench:
        file = specification(folder, request.param, WAYS, factors={"way": list(WAYS)})
        run = bench.program(
            "-m", "runner", "grid", file, "--no-report",
            prefix=("env", "-C", folder, sys.executable), PYTHONPATH=str(ROOT),
            ABLATIONS_RESULTS="results", **QUICKLY,
        )  # fmt: skip
        code, output = finish(run)
        yield bench, code, output


@pytest.mark.parametrize("way", WAYS)
def test_its_cell_completes_at_its_first_attempt(mannerless, way):
    run = of_way(mannerless[0].runs(), way)
    assert (run["state"], run["attempts"]) == ("complete", 1), run["detail"]


def test_nothing_lives_on_and_nothing_is_said_in_the_run(mannerless):
    bench, code, output = mannerless
    assert code == 0, output
    bench.assert_exact(len(WAYS))
    assert len(output) < 5_000
    assert "Traceback" not in output


def test_what_it_prints_is_in_its_log_as_it_came(mannerless):
    bench = mannerless[0]
    (study,) = bench.store().studies()
    attempts = bench.results / study.name / "attempts"

    def said(way):
        return (attempts / f"{of_way(bench.runs(), way)['cell']}-1.log").read_bytes()

    assert len(said("shouts")) >= 10 * 1024 * 1024
    assert b"loss \xff\xfe\x00 \xe4\xf6\xfc\r50%\r100%\n" in said("mumbles")


def test_a_log_that_is_no_utf_8_or_very_long_is_shown(mannerless):
    bench = mannerless[0]
    for way in ("shouts", "mumbles"):
        code, output = bench.run("show", of_way(bench.runs(), way)["cell"])
        assert code == 0, output
        assert len(output) < 100_000
        assert "accuracy" in output
