"""What a page shows: files, commands and Python, in the order in which a reader meets them.

A block whose first line is `# NAME.EXT` is a file of that name. `sh` blocks are commands, `python`
blocks without a name are typed into a notebook; blocks of another language are shown only.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from runner.entry.ablate import run

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("[hr]*/*.md"))]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# ([\w.-]+\.(?:py|yaml|csv))\b.*\n")


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each block."""
    yield from _BLOCK.findall(page.read_text())


def files(page: Path) -> dict[str, str]:
    """Files that a page shows, with their content."""
    named = {}
    for _, text in blocks(page):
        first = _NAMED.match(text)
        if first:
            named[first[1]] = text
    return named


def commands(page: Path, *languages: str) -> list[list[str]]:
    """Arguments of each `ablate` of a page, comments left out."""
    lines = [
        line.removeprefix("$ ")
        for language, text in blocks(page)
        if language in languages
        for line in text.replace("\\\n", " ").splitlines()
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("ablate ")]


def follow(page: Path, folder: Path) -> None:
    """Do what a page says, in a folder that is the working directory.

    Raises:
        AssertionError: one of its commands ends with another code than 0.
    """
    for language, text in blocks(page):
        first = _NAMED.match(text)
        if first:
            (folder / first[1]).write_text(text)
        elif language == "sh":
            for line in text.replace("\\\n", " ").splitlines():
                program, *arguments = shlex.split(line, comments=True) or ["#"]
                if program == "#":
                    continue
                if program == "python":
                    code = subprocess.run([sys.executable, *arguments], cwd=folder).returncode
                else:
                    assert program == "ablate", f"{page.name}: nobody knows {program!r}"
                    code = run(arguments)
                assert code == 0, f"{page.name}: {line} ended with {code}"
        elif language == "python":
            exec(compile(text, page.name, "exec"), {})  # noqa: S102
