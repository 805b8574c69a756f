"""A damaged store: whatever a row holds, each verb names it in one sentence and changes nothing."""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.commands import run as analysis
from runner.commands import main as runner
from runner.commands.looking.dashboard import keep_current
from runner.program.exits import exit_code_of
from runner.store import StoreDamaged, open_store, read
from runner.store.columns.checked import DamagedValue
from tests.analysis.report.simulated import simulate, specification
from tests.faults.damages import (
    ATTEMPTS,
    CELLS,
    EPOCHS,
    FILES,
    ROWS,
    STUDIES,
    UNDECLARED,
    Damage,
    row,
)
from tests.store_contract.grids import planned

FACTORS = {"init": ["he", "xavier"], "optimizer": ["adam", "sgd"]}
CLAIM = "optimizer: adam > sgd"


@dataclass(frozen=True)
class Store:
    """A store of two finished studies of eight cells, and where its copies are damaged."""

    source: Path
    path: Path
    file: Path
    names: tuple[str, str]
    cell: str  # of the first row

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def damaged(self, damage: Damage) -> None:
        """A fresh copy, damaged."""
        for left in self.path.parent.glob("store.db*"):
            left.unlink()
        shutil.copy(self.source, self.path)
        damage.do(self.path)

    def call(self, verb: str) -> tuple[int, str, str]:
        """Exit code, output and errors of one verb, in this process."""
        out, error = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            code = exit_code_of(lambda: VERBS[verb](self))
        return code, out.getvalue(), error.getvalue()


def command(program, *words):
    """A verb whose words may name the study, the other one, its file and a cell."""

    def run(store: Store) -> int:
        places = {
            **{"small": store.names[0], "whole": store.names[1], "file": store.file},
            **{"cell": store.cell, "out": store.path.parent / "out"},
        }
        given = [word.format(**places) for word in words]
        return program([*given, "--storage", store.url])

    return run


def dashboard(store: Store) -> int:
    """One round of the process that keeps the dashboard's pages."""
    with open_store(store.url) as opened:
        said = list(keep_current(opened, {}))
    for sentence in said:
        print(f"error: {sentence}", file=sys.stderr)
    return 4 if said else 0


VERBS = {
    "status": command(runner, "status"),
    "status STUDY": command(runner, "status", "{small}"),
    "show": command(runner, "show", "{cell}", "--results", "{out}"),
    "export": command(runner, "export", "{small}", "--out", "{out}"),
    "retry": command(runner, "retry", "{small}"),
    "plan": command(runner, "plan", "{file}", "--cells", "0"),
    "effects": command(analysis, "effects", "{small}", "--out", "{out}/e.json"),
    "claims": command(analysis, "claims", "{small}"),
    "decided": command(analysis, "decided", "{small}"),
    "power": command(analysis, "power", "{small}"),
    "compare": command(analysis, "compare", "{small}", "{whole}"),
}
SLOW_VERBS = {
    "grid": command(
        runner, "grid", "{file}", "--no-report", "--results", "{out}", "--slots-per-device", "1"
    ),
    "work": command(runner, "work", "{small}", "--results", "{out}"),
    "report": command(analysis, "report", "{small}", "--out", "{out}/report"),
    "dashboard": dashboard,
}
VERBS |= SLOW_VERBS
CAREFUL = [verb for verb in VERBS if verb not in SLOW_VERBS]
READING = ["effects", "claims", "decided", "power", "compare"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("damage")
    names = []
    for name in ("small", "whole"):
        (folder / name).mkdir()
        file = specification(folder / name, FACTORS, name=name, claims=[CLAIM], seeds="shared")
        names.append(simulate(folder, file)[1].name)
    with open_store(str(folder / "store.db")) as opened:
        first = opened.runs(names[0])[0]["cell"]
    with sqlite3.connect(folder / "store.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    (folder / "copy").mkdir()
    return Store(
        folder / "store.db", folder / "copy" / "store.db", folder / "small" / "small.yaml",
        (names[0], names[1]), first,
    )  # fmt: skip


def assert_named(store: Store, damage: Damage, verb: str) -> bool:
    """The verb names the row and ends with 4, or does not meet it; whether it named it."""
    store.damaged(damage)
    before = store.path.read_bytes()
    code, _, error = store.call(verb)
    assert store.path.read_bytes() == before, "it was changed"
    if code == 0:
        return False
    assert code == 4, error
    assert error.startswith("error: the store")
    assert error.count("\n") == 1
    for words in damage.names:
        said = words.format(cell=store.cell).replace("study small", f"study {store.names[0]}")
        assert said in error
    return bool(damage.names)


def kinds(damages):
    return pytest.mark.parametrize("damage", damages, ids=lambda damage: damage.what)


@kinds(STUDIES)
def test_s8_a_damaged_study_is_named(store, damage):
    assert assert_named(store, damage, "status STUDY")


@kinds([*CELLS, *ATTEMPTS, *EPOCHS])
def test_s8_a_damaged_cell_attempt_or_epoch_is_named(store, damage):
    assert assert_named(store, damage, "show")


@kinds([STUDIES[0], CELLS[0], ATTEMPTS[0], UNDECLARED])
@pytest.mark.parametrize("verb", READING)
def test_s8_the_analysis_names_damage(store, damage, verb):
    assert assert_named(store, damage, verb)


@kinds([STUDIES[0], STUDIES[-1], next(one for one in CELLS if "state" in one.what)])
def test_s8_a_damaged_study_does_not_hide_the_others(store, damage):
    store.damaged(damage)
    code, shown, error = store.call("status")
    assert code == 4
    assert f"{store.names[0]}  damaged" in shown
    other = next(line for line in shown.splitlines() if store.names[1] in line)
    assert re.search(r"  8  ", other), other
    assert error.count("\n") == 1
    for verb in ("status", "decided", "power", "export"):
        program = analysis if verb in ("decided", "power") else runner
        out = ("--out", "{out}") if verb == "export" else ()
        assert command(program, verb, "{whole}", *out)(store) == 0


def test_s8_a_text_that_is_no_utf8_is_damage_and_no_outage(store):
    """Named after one look, by a reader and a writer that would wait out an outage for a minute."""
    store.damaged(next(one for one in CELLS if one.what == "cells.labels = not UTF-8"))
    with open_store(store.url, read_patience=0, write_patience=0) as opened:
        with pytest.raises(StoreDamaged, match=f"cell {store.cell} of study small"):
            opened.runs(store.names[0])
        with pytest.raises(StoreDamaged, match="labels is"):
            opened.database.write(lambda one: read.runs(one, 1))


def test_s8_damage_in_a_table_that_cannot_be_searched_names_the_table(store):
    store.damaged(next(one for one in FILES if one.what == "DROP TABLE epochs"))

    def meets_damage(connection):
        raise DamagedValue("epochs", "seconds", "x", "a number")

    with open_store(store.url) as opened, pytest.raises(StoreDamaged) as said:
        opened.database.read(meets_damage)
    assert "damaged: table epochs, seconds is 'x'; expected a number" in str(said.value)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "x", '{"levels":3}'])
def test_s8_a_cell_whose_content_is_damaged_is_named_and_stays_to_be_claimed(tmp_path, content):
    with open_store(str(tmp_path / "store.db"), create=True) as opened:
        study = planned(opened, 2)
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("UPDATE cell_contents SET content = ?", (content,))
        connection.close()
        with pytest.raises(StoreDamaged, match=r"table cell_contents, cell \w+ of study grid-cpu"):
            opened.claim(study, "worker", lease_seconds=60)
        assert opened.status(study).waiting == 2
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("DELETE FROM cell_contents")
        connection.close()
        with pytest.raises(StoreDamaged, match="expected its content in table cell_contents"):
            opened.claim(study, "worker", lease_seconds=60)


def test_s8_a_specification_that_is_none_is_named_before_anything_trains(store):
    store.damaged(row("ablation_studies", "spec", '{"data":{},"model":{},"train":{}}'))
    code, _, error = store.call("work")
    assert code == 4
    assert f"study {store.names[0]}, spec is no specification" in error


@kinds([STUDIES[0], CELLS[0], ATTEMPTS[0]])
def test_s8_the_dashboard_names_a_damaged_study_and_shows_the_others(store, damage, caplog):
    store.damaged(damage)
    _, _, error = store.call("dashboard")
    assert store.names[0] in error + caplog.text
    assert "is damaged: table" in error + caplog.text
    with open_store(store.url) as opened:
        assert not opened.is_behind(store.names[1])


@pytest.mark.long
@kinds(ROWS)
def test_s8_every_verb_names_a_damaged_row_or_does_not_meet_it(store, damage):
    assert any([assert_named(store, damage, verb) for verb in CAREFUL])


@pytest.mark.long
@kinds(FILES)
def test_s8_every_verb_says_in_a_sentence_that_the_file_is_damaged(store, damage):
    for verb in CAREFUL:
        store.damaged(damage)
        before = store.path.read_bytes()
        code, _, error = store.call(verb)
        assert store.path.read_bytes() == before
        assert code in (0, 2, 4), error
        # A sentence for each study that is damaged: random bytes may hit both.
        said = error.splitlines()
        assert code == 0 or 1 <= len(said) <= len(store.names)
        assert code == 0 or all(line.startswith("error: ") for line in said)


@pytest.mark.long
@kinds([CELLS[0], ATTEMPTS[0], *EPOCHS[:1]])
@pytest.mark.parametrize("verb", ["grid", "report"])
def test_s8_a_grid_and_a_report_name_damage(store, damage, verb):
    store.damaged(damage)
    code, _, error = store.call(verb)
    said = damage.names[-1].format(cell=store.cell).replace("small", store.names[0])
    assert code in (0, 4), error
    assert code == 0 or said in error
