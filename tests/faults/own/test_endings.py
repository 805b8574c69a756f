"""How a cell of a foreign function or command ends: each way in a grid of its own kind."""

from __future__ import annotations

import pytest

from tests.faults.own.study import KINDS, QUICKLY, bench_in, of_way, specification

pytestmark = pytest.mark.fault

BOTH = {
    # way: reason, attempts, words of the detail; reason None: it completed
    "plain": (None, 1, ""),
    "killed_once": (None, 2, ""),
    "busy_once": (None, 2, ""),
    "killed_always": ("killed", 3, "killed by SIGKILL"),
    "segfaults": ("killed", 3, "SIGSEGV"),
    "memory_error": ("oom", 2, "MemoryError: no 4 GiB block left"),
    "busy_always": ("again", 3, "asked to be tried again (exit code 75)"),
    "exits_with_words": ("bug", 1, "the learning rate is too high"),
    "raises": ("bug", 1, "ValueError: shapes do not match: (3, 4) and (5,)"),
    "raises_unpicklable": ("bug", 1, "Unpicklable: cannot be pickled"),
    "exits_0": ("no_response", 1, ""),
    "returns_none": ("no_response", 1, ""),
    "returns_text": ("no_response", 1, ""),
    "returns_another": ("no_response", 1, "acuracy"),
    "returns_nothing": ("no_response", 1, "it gave no number"),
}
OF_FUNCTION = BOTH | {
    "exits_137": ("bug", 1, "SystemExit: 137"),
    "leaves_silently": ("bug", 1, "ended without an outcome, exit code 0"),
}
OF_COMMAND = BOTH | {
    "exits_137": ("killed", 3, "killed by SIGKILL"),
    "leaves_silently": ("no_response", 1, "it gave no number"),
}
DIVERGED = ("returns_nan", "returns_infinity", "reports_nan")


def ended(tmp_path_factory, kind, ways, **changes):
    folder = tmp_path_factory.mktemp(kind)
    with bench_in(folder) as bench:
        file = specification(folder, kind, ways, factors={"way": list(ways)}, **changes)
        code, output = bench.run("grid", file, "--no-report", **QUICKLY)
        again = bench.attempts()
        repeated, _ = bench.run("grid", file, "--no-report", **QUICKLY)
        bench.assert_no_orphans()
        assert bench.attempts() == again, "giving the command again did something"
        assert repeated == code
        return code, output, bench.runs()


@pytest.fixture(scope="module")
def of_functions(tmp_path_factory):
    return ended(tmp_path_factory, "function", [*OF_FUNCTION, *DIVERGED])


@pytest.fixture(scope="module")
def of_commands(tmp_path_factory):
    return ended(tmp_path_factory, "command", [*OF_COMMAND, *DIVERGED[:2]])


def check(run, reason, attempts, words):
    assert run["state"] == ("complete" if reason is None else "failed"), run
    assert run["reason"] == reason, run["detail"]
    assert run["attempts"] == attempts
    assert words in (run["detail"] or ""), run["detail"]
    assert "\x1b" not in (run["detail"] or "")


@pytest.mark.parametrize("way", OF_FUNCTION)
def test_a_function_ends_with_its_reason(of_functions, way):
    check(of_way(of_functions[2], way), *OF_FUNCTION[way])


@pytest.mark.parametrize("way", OF_COMMAND)
def test_a_command_ends_with_its_reason(of_commands, way):
    check(of_way(of_commands[2], way), *OF_COMMAND[way])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", DIVERGED)
def test_what_is_not_finite_is_a_result(of_functions, of_commands, kind, way):
    if kind == "command" and way == "reports_nan":
        pytest.skip("a command reports nothing")
    run = of_way((of_functions if kind == "function" else of_commands)[2], way)
    assert (run["state"], run["status"], run["attempts"]) == ("complete", "diverged", 1)
    assert run["reason"] is None
    assert "not finite" in run["detail"]
    assert "accuracy" not in run["responses"]


def test_the_run_says_that_some_failed(of_functions, of_commands):
    for code, output, _ in (of_functions, of_commands):
        assert code == 3, output
        assert "Traceback" not in output
