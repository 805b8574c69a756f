"""What numbers were measured on: the machine, its packages, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.contestants import REPOSITORY

PACKAGES = (
    *("torch", "torchvision", "joblib", "ray", "optuna", "hydra-core", "hydra-joblib-launcher"),
    *("numpy", "sqlalchemy"),
)


def version_of(name: str) -> str:
    """Of a package that is installed, or that it is not."""
    try:
        return version(name)
    except PackageNotFoundError:  # a smoke test without the bench extra
        return "not installed"


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    facts = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
    )
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    memory = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    flags = facts.get("flags", "").split()
    return {
        "cpu": facts.get("model name", platform.processor()),
        "family": f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}",
        "cores": len(os.sched_getaffinity(0)),
        "bf16": [flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags],
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": {name: version_of(name) for name in PACKAGES},
    }


def in_words(found: dict[str, Any]) -> str:
    """A machine as the tables name it: processor, cores, memory, system, Python."""
    bf16 = ", ".join(found["bf16"]) or "no bf16 instructions"
    return (
        f"{found['cpu']} ({found['family']}, {bf16}), {found['cores']} cores, "
        f"{found['memory_bytes'] / 2**30:.0f} GiB, {found['system']}; Python {found['python']}"
    )


def commit() -> str:
    """The commit that was measured, with a plus when the tree held more."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
        ).stdout.strip()

    changed = git("status", "--porcelain", "--", "ablations", "runner", "tests/benchmarks")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
