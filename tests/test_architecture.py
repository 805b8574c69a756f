"""The laws a machine can check: imports go one way, rooms stay small, torch where cells train."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ablations", "runner", "analysis")

MOST_FLAT = 8
"""Modules of one room; more want a room of their own."""

# Lower imports nothing above it. A module has the rank of the longest name that it begins with.
RANKS = [
    ("ablations.errors",),
    ("ablations.bounds",),
    ("ablations.pixels",),
    ("ablations.plugins",),
    ("ablations.registry",),
    ("ablations",),
    ("ablations.optional",),
    ("runner.program.places",),
    ("runner.program",),
    ("runner.machine",),
    ("runner.content", "runner.content.own"),
    ("runner.probe.record", "runner.probe.moments"),
    ("runner.spec",),
    ("runner.spec.reading.files",),
    ("runner.spec.reading", "runner.spec.reading.own"),
    ("runner.network.layout",),
    ("runner.data",),
    ("runner.design.search",),
    ("runner.design",),
    ("runner.design.order",),
    ("runner.store.columns",),
    ("runner.store.database.outages",),
    ("runner.store.database.sqlite_file",),
    ("runner.store.database",),
    ("runner.store.cells",),
    ("runner.store",),
    ("runner.tuning",),
    ("runner.optuna_mirror",),
    ("runner.network",),
    ("runner.probe",),
    ("runner.training.numerics",),
    ("runner.training.parts",),
    ("runner.training",),
    ("runner.trainers",),
    ("runner.trainers.look",),
    ("runner.doctor.watching",),
    ("runner.doctor.causes.kinds",),
    ("runner.doctor.cells",),
    ("runner.doctor.causes.changes",),
    ("runner.doctor.causes",),
    ("runner.doctor.trying",),
    ("runner.doctor",),
    ("runner.doctor.callbacks",),
    ("runner.beginning.argument",),
    ("runner.beginning",),
    ("runner.pool.process",),
    ("runner.pool",),
    ("analysis.accessors",),
    ("analysis.number_words", "analysis.few_runs"),
    ("analysis.stats.arrays",),
    ("analysis.stats.distributions",),
    ("analysis.stats.counts",),
    ("analysis.stats",),
    ("analysis.table.forms",),
    ("analysis.table",),
    ("analysis.model",),
    ("analysis.effects.term_tests",),
    ("analysis.effects.aliases",),
    ("analysis.effects.shares",),
    ("analysis.effects",),
    ("analysis.effects.levels",),
    ("analysis.outcomes.rates",),
    ("analysis.outcomes",),
    ("analysis.causes",),
    ("analysis.verdicts",),
    ("analysis.adaptive",),
    ("analysis.screening",),
    ("analysis.tuning.searched",),
    ("analysis.study",),
    ("analysis.adaptive.waves",),
    ("analysis.tuning", "analysis.confounds", "analysis.two_cells"),
    ("analysis.loading",),
    ("analysis.importers.runs",),
    ("analysis.importers.roles",),
    ("analysis.importers.readers",),
    ("analysis.importers",),
    ("analysis.document", "analysis.compare"),
    ("analysis.figures.drawing",),
    ("analysis.figures.effects", "analysis.figures.interactions", "analysis.figures.runs"),
    ("analysis.figures",),
    ("analysis.report.words",),
    ("analysis.report.words.brief",),
    ("analysis.report.words.papers",),
    ("analysis.report.words.papers.article",),
    ("analysis.report.gallery",),
    ("analysis.report.page.tables",),
    ("analysis.report.page",),
    ("analysis.report",),
    ("analysis.dashboard",),
    ("analysis.commands",),
    ("runner.commands",),
    ("runner.commands.standing",),
    ("runner.commands.tuning",),
    ("runner.commands.beginning",),
    ("runner.commands.looking",),
    ("runner.commands.moving",),
    ("runner.commands.running",),
    ("runner.commands.diagnosing",),
    ("runner.entry",),
    ("runner.__main__", "analysis.__main__"),
]
PLACES = {prefix: rank for rank, prefixes in enumerate(RANKS) for prefix in prefixes}


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.is_relative_to(ROOT / "runner" / "beginning" / "examples"):
                continue  # files that are copied to people, not imported
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(_modules())
ROOMS = [name for name, path in MODULES.items() if path.name == "__init__.py"]


def _rank(module: str) -> int:
    """A room's `__init__` is its face: it may import all of the room, ranking with the highest."""
    inside = [rank for name, rank in PLACES.items() if f"{name}.".startswith(f"{module}.")]
    if module in ROOMS and inside:
        return max(inside)
    above = [name for name in PLACES if f"{module}.".startswith(f"{name}.")]
    assert above, f"{module} has no place in the order of imports: add it to RANKS"
    return PLACES[max(above, key=len)]


def _imports(path: Path) -> Iterator[str]:
    """Modules a file imports: at its top, in functions and for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else base


GRAPH = {
    module: {target for target in _imports(path) if target in MODULES} - {module}
    for module, path in MODULES.items()
}


def test_imports_go_one_direction():
    backward = [
        f"{module} imports {target}"
        for module, targets in GRAPH.items()
        for target in targets
        if target not in PACKAGES  # the faces of the packages are documentation alone
        and _rank(target) > _rank(module)
    ]
    assert not backward, "\n".join(backward)


def test_every_room_has_its_place_in_the_order():
    unranked = [room for room in ROOMS if room not in PLACES]
    assert unranked == ["runner", "analysis"], "their rooms are ranked"
    assert set(PLACES) <= set(MODULES), "a name in RANKS is no module"


def test_no_modules_import_each_other_in_a_circle():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as circle:
        pytest.fail(" <- ".join(circle.args[1]))


def test_no_room_holds_too_many_modules():
    flat = Counter(
        module.rpartition(".")[0]
        for module, path in MODULES.items()
        if path.name not in ("__init__.py", "__main__.py")
    )
    assert {room: count for room, count in flat.items() if count > MOST_FLAT} == {}


def test_every_rooms_docstring_names_what_is_in_it():
    unnamed = []
    for module in MODULES:
        room, _, name = module.rpartition(".")
        if room and name != "__main__":
            text = ast.get_docstring(ast.parse(MODULES[room].read_text())) or ""
            if not re.search(rf"(?<![\w.]){name}(?!\w)", text):
                unnamed.append(f"{room}/__init__.py does not name {name}")
    assert not unnamed, "\n".join(unnamed)


def test_the_analysis_never_imports_torch():
    offenders = [
        module
        for module, path in MODULES.items()
        if module.startswith("analysis")
        and any(t.split(".")[0] in ("torch", "torchvision") for t in _imports(path))
    ]
    assert not offenders


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "ablations/five_factor.yaml", "--profile", "cpu"],
        ["grid", "ablations/five_factor.yaml", "--profile", "cpu", "--dry-run"],
        ["status"],
        ["schema"],
        ["init", "--help"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_verb_that_trains_nothing_imports_no_torch(arguments, tmp_path):
    code = (
        "import sys; from runner.commands import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={
            "PATH": "",
            "ABLATIONS_STORAGE": f"sqlite:///{tmp_path}/none.db",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
