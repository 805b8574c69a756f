"""The laws a machine can check: imports go one way, torch only where cells are trained."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lower imports nothing above it. A file of a package belongs to the package's rank.
RANKS = [
    ("ablations.errors",),
    ("ablations.bounds",),
    ("ablations.pixels.compiled",),
    ("ablations.pixels.warp",),
    ("ablations.pixels.operations",),
    ("ablations.registry",),
    ("ablations",),
    ("runner.commands.durations", "runner.commands.streams"),
    ("runner.machine",),
    ("runner.content",),
    ("runner.spec",),
    ("runner.data",),
    ("runner.design",),
    ("runner.store",),
    ("runner.optuna_mirror",),
    ("runner.network",),
    ("runner.training",),
    ("runner.pool",),
    ("runner.commands.exits",),
    ("analysis",),
    ("runner.commands",),
    ("runner.__main__", "analysis.__main__"),
]


def _modules() -> Iterator[tuple[str, Path]]:
    for package in ("ablations", "runner", "analysis"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def _rank(module: str) -> int:
    best = (-1, "")
    for rank, prefixes in enumerate(RANKS):
        for prefix in prefixes:
            if (module == prefix or module.startswith(prefix + ".")) and len(prefix) > len(best[1]):
                best = (rank, prefix)
    assert best[0] >= 0, f"{module} has no place in the order of imports: add it to RANKS"
    return best[0]


def _imports(path: Path, module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                is_module = (ROOT / Path(*full.split("."))).with_suffix(".py").exists() or (
                    ROOT / Path(*full.split("."))
                ).is_dir()
                yield full if is_module else base


def test_imports_go_one_direction():
    backward = [
        f"{module} imports {target}"
        for module, path in _modules()
        for target in _imports(path, module)
        if target.split(".")[0] in ("ablations", "runner", "analysis")
        and target not in ("ablations", "runner")
        and _rank(target) > _rank(module)
    ]
    assert not backward, "\n".join(backward)


def test_the_analysis_never_imports_torch():
    offenders = [
        module
        for module, path in _modules()
        if module.startswith("analysis")
        and any(t.split(".")[0] in ("torch", "torchvision") for t in _imports(path, module))
    ]
    assert not offenders


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "ablations/five_factor.yaml", "--profile", "cpu"],
        ["grid", "ablations/five_factor.yaml", "--profile", "cpu", "--dry-run"],
        ["status"],
        ["schema"],
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
