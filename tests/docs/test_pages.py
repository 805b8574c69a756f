"""Pages for people say what works: commands that exist, files that are there, examples that run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.commands import parser as answering
from docs._generate.verbs import parsers
from runner.commands import VERBS
from runner.commands import parser as running
from runner.entry.ablate import run
from runner.store import open_store
from tests.docs.pages import PAGES, ROOT, blocks, commands, files, follow

HOW_TO = {page.stem: page for page in (ROOT / "docs" / "how-to").glob("*.md")}
WRITTEN = {name: text for page in HOW_TO.values() for name, text in files(page).items()}
# That of the plugins is planned and run below.
SPECIFICATIONS = [
    name for name, text in WRITTEN.items() if "\nfactors:" in text and "\nplugins:" not in text
]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_points_to_is_there(page):
    for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_of_a_page_can_be_typed(page):
    known = {**parsers(running()), **parsers(answering())}
    for verb, *arguments in commands(page, "sh", "console"):
        known[verb].parse_args(arguments)  # SystemExit, with a sentence, where it cannot


def test_every_verb_is_on_a_page_for_people():
    told = " ".join(text for page in PAGES for _, text in blocks(page)) + "".join(
        page.read_text() for page in PAGES
    )
    for verb in (*VERBS, *parsers(answering())):
        assert re.search(rf"ablate {verb}\b|`{verb}\b", told), verb


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with nothing in the environment that says otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    monkeypatch.delenv("ABLATIONS_RESULTS", raising=False)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", ["function", "command", "tables"])
def test_a_how_to_runs_as_printed(page, here, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    follow(HOW_TO[page], here)


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_every_specification_of_a_how_to_can_be_planned(name, here):
    for file, text in WRITTEN.items():
        (here / file).write_text(text)
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            folder = here / "DIR" / split / label
            folder.mkdir(parents=True)
            for number in range(12):
                pixels = np.full((8, 8, 3), number * 20, np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    assert run(["plan", name, "--cells", "0"]) == 0


def lines_of_code(text: str) -> int:
    """Lines that are neither empty, nor a comment, nor a one-line docstring."""
    lines = [line.strip() for line in text.splitlines()]
    return len([line for line in lines if line and not line.startswith(("#", '"""'))])


@pytest.mark.long
def test_the_plugins_run_as_printed(here):
    shown = files(HOW_TO["plugins"])
    for name, text in shown.items():
        (here / name).write_text(text)
        assert name.endswith(".yaml") or lines_of_code(text) <= 10
    assert set(shown) == {"my_level.py", "my_model.py", "my_data.py", "my_study.yaml"}
    imported = "import sys; from runner.commands import main; main(sys.argv[1:]); "
    code = imported + "print('torch' in sys.modules)"
    planned = subprocess.run(
        [sys.executable, "-c", code, "plan", str(here / "my_study.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.endswith("False\n"), "a plan that loads torch takes seconds"
    cheap = ("train.epochs=2", "train.batch_size=32", "replicates=1")
    settings = [word for setting in cheap for word in ("--set", setting)]
    assert run(["grid", "my_study.yaml", "--no-report", *settings]) == 0
    store = open_store()
    (study,) = store.studies()
    runs = store.runs(study)
    assert len(runs) == 4
    assert {run["factor:optimizer"] for run in runs} == {"nadam", "sgd"}
    assert {run["status"] for run in runs} <= {"reached", "short", "stalled"}
    assert {run["classes"] for run in runs} == {2}
    store.close()


SPECIFICATION = """
name: x
data: {name: digits}
factors: {optimizer: [adam, sgd], init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: before}
"""


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        (["plan", "x.yaml"], "trian: {epochs: 1}", "unknown key; did you mean 'train'?"),
        (
            ["plan", "x.yaml", "--set", "factors.optimizer=[adm, sgd]"],
            "",
            "optimizer has no level 'adm'; did you mean 'adam'?",
        ),
        (["plan", "x.yaml"], "claims: ['width: 1 > 2']", "'width' is no factor of this study"),
        (["plan", "nosuch.yaml"], "", "there is no file nosuch.yaml"),
        (["claims", "x"], "", "holds no study yet"),
    ],
)
def test_a_sentence_of_the_troubleshooting_page_is_what_is_said(
    arguments, more, sentence, here, capsys
):
    (here / "x.yaml").write_text(SPECIFICATION + more)
    open_store(create=True).close()
    assert run(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert sentence in (ROOT / "docs" / "troubleshooting.md").read_text()


@pytest.mark.long
def test_doctor_says_of_the_training_on_its_page_what_the_page_says(here, capsys):
    (here / "my_net.py").write_text(files(HOW_TO["doctor"])["my_net.py"])
    assert run(["doctor", "my_net.py:make", "--steps", "40", "--json"]) == 3
    (first, *_) = json.loads(capsys.readouterr().out)["causes"]
    shown = next(text for language, text in blocks(HOW_TO["doctor"]) if language == "console")
    assert first["kind"] == "learning_rate_too_high"
    assert f"The learning rate is too high ({first['where']};" in shown
