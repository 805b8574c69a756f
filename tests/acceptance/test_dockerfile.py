"""The Dockerfile, read and not built: what it copies is there, what it names exists."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTRUCTIONS = {"FROM", "ARG", "COPY", "RUN", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """Instruction and rest of each step, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:1] != "#"]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


def of(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for one, rest in steps if one == instruction]


def test_every_step_is_an_instruction(steps):
    assert {one for one, _ in steps} == INSTRUCTIONS
    assert steps[0][0] == "FROM"


def test_it_has_a_python_that_the_program_takes(steps):
    (image,) = of(steps, "FROM")
    major, minor = re.fullmatch(r"python:(\d+)\.(\d+)-slim", image).groups()
    least = re.fullmatch(r">=(\d+)\.(\d+)", PROJECT["project"]["requires-python"]).groups()
    assert (int(major), int(minor)) >= tuple(map(int, least))


def test_what_is_copied_is_there_is_not_ignored_and_is_all_of_the_package(steps):
    ignored, *kept = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"
    ]
    assert ignored == "*"
    copied = [source for rest in of(steps, "COPY") for source in rest.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    assert {f"!{source}" for source in copied} == {line for line in kept if line[0] == "!"}
    packages = {
        one.rstrip("*") for one in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    modules = {f"{one}.py" for one in PROJECT["tool"]["setuptools"]["py-modules"]}
    assert packages | modules | {PROJECT["project"]["readme"], "LICENSE"} <= set(copied)


def test_another_index_is_asked_for_torch_alone_and_only_where_one_is_named(steps):
    assert of(steps, "ARG") == ["TORCH_INDEX="]
    install = of(steps, "RUN")[0]
    asked = re.match(r'if \[ -n "\$TORCH_INDEX" \]; then +pip install (.*?); +fi', install)
    assert asked[1].endswith('--index-url "$TORCH_INDEX" torch torchvision')
    assert install.count("--index-url") == 1
    (extras,) = re.findall(r'"/src\[(.*)\]"', install)
    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


def test_it_runs_ablate_as_nobody_in_particular(steps):
    (entry,) = of(steps, "ENTRYPOINT")
    assert json.loads(entry) == ["ablate"]
    assert "ablate" in PROJECT["project"]["scripts"]
    (user,) = of(steps, "USER")
    assert user not in ("root", "0")
    assert f"useradd --create-home --uid 1000 {user} " in of(steps, "RUN")[1]
    order = [one for one, _ in steps]
    assert order.index("USER") > max(at for at, one in enumerate(order) if one == "RUN")
