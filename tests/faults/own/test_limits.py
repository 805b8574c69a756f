"""A time limit: kept by whoever reports, enforced on whoever does not, deaf ones too."""

from __future__ import annotations

import pytest

from tests.faults.own.study import KINDS, QUICKLY, bench_in, of_way, specification

pytestmark = pytest.mark.fault

KILLED = "did not stop at its time limit and was killed"
STOPPED = "took longer than 1 s (train.time_limit)"
WAYS = {
    # way: words of a function, of a command
    "loops": (KILLED, STOPPED),
    "sleeps_deaf": (KILLED, STOPPED),
    "leaves_deaf_children": (KILLED, STOPPED),
    "reports_for_ever": (STOPPED, ""),
}


@pytest.fixture(scope="module", params=KINDS)
def late(request, tmp_path_factory):
    """Kind and runs of a grid whose cells do not end by themselves, but one."""
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    ways = [way for way, words in WAYS.items() if words[kind == "command"]]
    with bench_in(folder) as bench:
        file = specification(
            folder, kind, ways, factors={"way": ["plain", *ways]}, train={"time_limit": 1}
        )
        code, output = bench.run("grid", file, "--no-report", **QUICKLY)
        assert code == 3, output
        bench.assert_exact(len(ways) + 1, failed={"timeout": len(ways)})
        yield kind, bench.runs()


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_that_does_not_end_times_out_once(late, way):
    kind, runs = late
    words = WAYS[way][kind == "command"]
    if not words:
        pytest.skip("a command reports nothing")
    run = of_way(runs, way)
    assert (run["state"], run["reason"], run["attempts"]) == ("failed", "timeout", 1)
    assert words in run["detail"], run["detail"]


def test_its_neighbour_completes(late):
    assert of_way(late[1], "plain")["state"] == "complete"
