"""What a person sees while a grid runs, rendered to text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from runner.commands.running.screen import Lines, Pace, Screen, progress_display
from runner.content.outcome import Epoch, Outcome, Reason, Status, Target
from runner.machine.device import Slot
from runner.pool.process.launch import Ended
from runner.program.wording import duration
from runner.store import Lease
from tests.runner.cells import make_cell

COUNTS = {0: {"complete": 5, "failed": 1, "running": 1, "waiting": 1}, 1: {"waiting": 8}}
SLOT = Slot("cpu/0", "cpu", "cpu")
EPOCH = Epoch(2, 1.0, 0.5, 1.1, 0.625, 0.1, 1.0, 0.5, 1000.0)


def lease(**levels):
    return Lease("study", make_cell(**levels), 1, "token", 60.0)


def learned(accuracy):
    return Ended(
        Outcome(
            Status.LEARNED, test_accuracy=accuracy, seconds=3.2, best_validation_accuracy=accuracy
        )
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3600, "1 h 00 min"), (9000, "2 h 30 min")],
)
def test_a_duration_has_two_units(seconds, words):
    assert duration(seconds) == words


def test_the_pace_is_unknown_before_the_first_cell():
    pace = Pace()
    assert pace.per_hour() is None
    assert pace.left(10) == "ETA unknown"
    pace.tick()
    assert pace.per_hour() > 0


def test_a_line_says_what_ended_and_how_far_the_study_is(capsys):
    lines = Lines(lambda: COUNTS)
    lines.started(SLOT, lease())
    lines.epoch(SLOT, EPOCH)
    lines.ended(SLOT, lease(), learned(0.912))
    out = capsys.readouterr().out
    assert out.startswith(" 6/16  replicate 0  none · constant · he · before · adam")
    assert "learned  test 0.912  3 s" in out


def test_with_a_target_a_line_says_whether_it_was_reached(capsys):
    lines = Lines(lambda: COUNTS, target=Target(0.9))
    lines.ended(SLOT, lease(), learned(0.912))
    lines.ended(SLOT, lease(), learned(0.135))
    first, second = capsys.readouterr().out.splitlines()
    assert "reached  test 0.912" in first
    assert "short  test 0.135" in second


def test_a_failed_cell_is_said_with_its_reason(capsys):
    lines = Lines(lambda: COUNTS)
    lines.ended(SLOT, lease(), Ended(None, Reason.KILLED, "killed by SIGKILL"))
    assert "failed (killed: killed by SIGKILL)" in capsys.readouterr().out


def test_an_interrupted_cell_is_no_failure(capsys):
    lines = Lines(lambda: COUNTS)
    lines.ended(SLOT, lease(), Ended(None, Reason.INTERRUPTED, "the run was stopped"))
    out = capsys.readouterr().out
    assert "failed" not in out
    assert "not finished: the run was stopped" in out


def test_quiet_lines_say_nothing(capsys):
    lines = Lines(lambda: COUNTS, quiet=True)
    lines.ended(SLOT, lease(), learned(0.9))
    assert capsys.readouterr().out == ""


def screen_text(screen, width=120):
    console = Console(file=io.StringIO(), width=width, height=40)
    console.print(screen.render())
    return console.file.getvalue()


def test_the_screen_shows_progress_running_cells_and_the_best_and_worst():
    screen = Screen("five_factor", lambda: COUNTS, Console(file=io.StringIO()))
    for accuracy in (0.5, 0.9, 0.1, 0.7, 0.3, 0.2, 0.8):
        screen.started(SLOT, lease())
        screen.ended(SLOT, lease(), learned(accuracy))
    screen.started(SLOT, lease(optimizer="sgd"))
    screen.epoch(SLOT, EPOCH)
    text = screen_text(screen)
    assert "five_factor" in text
    assert "6/16 cells" in text
    assert "cells/h" in text
    assert "2/2" in text
    assert "0.625" in text
    lines = [line for line in text.splitlines() if "learned" in line]
    assert [line.split()[1] for line in lines[:1]] == ["0.900"]
    assert [line.split()[1] for line in lines[-1:]] == ["0.100"]
    assert len(lines) == 6


def test_on_a_narrow_terminal_only_the_names_of_cells_are_cut():
    screen = Screen("five_factor", lambda: COUNTS, Console(file=io.StringIO()))
    long = lease(augmentation="trivial_augment", optimizer="sgd_momentum")
    screen.started(SLOT, long)
    screen.ended(SLOT, long, learned(0.9))
    screen.started(SLOT, long)
    screen.epoch(SLOT, EPOCH)
    text = screen_text(screen, width=60)
    assert "slot   rep  running cell" in text
    assert "cpu/0  0    trivial_augment" in text
    assert "0.625" in text
    assert "best  0.900     learned  trivial_augment" in text


def test_markup_in_a_level_name_is_shown_as_it_is():
    screen = Screen("s", lambda: COUNTS, Console(file=io.StringIO()))
    cell = make_cell()
    spoiled = type(cell.levels[0])("optimizer", "[red]x[/red]", "adam", {})
    screen.started(SLOT, Lease("s", type(cell)(
        (spoiled,), (), 0, cell.data, cell.model, cell.train
    ), 1, "t", 60.0))  # fmt: skip
    assert "[red]x[/red]" in screen_text(screen)


def test_output_that_is_no_terminal_gets_lines():
    with progress_display("s", lambda: COUNTS, quiet=False) as shown:
        assert isinstance(shown, Lines)


def test_a_terminal_gets_the_screen(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    shown = progress_display("s", lambda: COUNTS, quiet=False)
    assert isinstance(shown, Screen)
