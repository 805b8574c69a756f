"""Nothing that a person may write or type is missing in the generated reference.

What there is, is asked elsewhere than where the pages are made: the committed JSON Schema, the text
of `--help`, the source files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analysis
from ablations.registry import FACTORS, OPTIONAL
from analysis.commands import VERBS as ANSWERS
from docs._generate import PARTS, filled
from docs._generate.markdown import text
from runner.commands import EPILOG, VERBS
from runner.entry.ablate import run
from runner.entry.variables import INTERNAL, VARIABLES
from runner.spec.spec_file import DESIGNS

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
SCHEMA = json.loads((ROOT / "ablations" / "schema.json").read_text())
NO_SECTIONS = ("level-", "factors", "fixed", "own-factors")


def entries(part: str, kind: str) -> dict[str, str]:
    """Names of the entries of a generated part, each with its text."""
    found = re.findall(
        rf"^(:{{3,}})\{{{kind}\}} (.+?)\n(.*?)^\1$", PARTS[part](), re.MULTILINE | re.DOTALL
    )
    return {name: body.strip() for _, name, body in found}


def test_every_generated_part_stands_on_a_page():
    pages = "".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"generated: ([a-z-]+)", pages)) == set(PARTS)
    assert "<!-- generated" not in filled(pages)


SECTIONS = {
    name: section
    for name, section in {"file": SCHEMA, **SCHEMA["$defs"]}.items()
    if not name.startswith(NO_SECTIONS)
}


def _description(field: dict[str, Any]) -> str:
    """Of a key: its own sentence, else that of the section it holds."""
    for one in [field, *field.get("anyOf", [])]:
        if "description" in one:
            return str(one["description"])
        if "$ref" in one:
            return _description(SCHEMA["$defs"][one["$ref"].rpartition("/")[2]])
    return ""


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_of_the_file_has_its_sentence_in_the_reference(name):
    written = {(path.split(" ")[0].rpartition(".")[2], body.partition("\n")[0])
               for path, body in entries("yaml-keys", "confval").items()}  # fmt: skip
    for key, field in SECTIONS[name]["properties"].items():
        if key == "kind" and "Design" in name:
            continue
        about = _description(field)
        assert about, f"{key!r} of {name} has no description"
        assert (key, text(about)) in written


def test_every_kind_of_design_has_its_keys_in_the_reference():
    keys = entries("yaml-keys", "confval")
    for kind, model in DESIGNS.items():
        for key in model.model_fields:
            assert f"design.{key} ({kind})" in keys


@pytest.mark.parametrize("factor", [*FACTORS, *OPTIONAL])
def test_every_level_has_its_parameters_in_the_reference(factor):
    written = entries("levels", "level")
    forms = SCHEMA["$defs"][f"level-{factor}"]["anyOf"]
    parameters = forms[-1]["properties"]
    names = [form["const"] for form in forms if "const" in form]
    assert len(names) >= 2
    for name in names:
        body = written[f"{factor}: {name}"]
        for key in parameters[name]["anyOf"][0]["properties"]:
            assert f"| `{key}` |" in body


@pytest.mark.parametrize("verb", [*VERBS, *ANSWERS])
def test_every_option_of_every_verb_is_in_the_reference(verb, capsys):
    with pytest.raises(SystemExit):
        run([verb, "--help"])
    said = capsys.readouterr().out.partition("examples:")[0]
    usage = said.partition("\n\n")[0]
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", usage))
    part = PARTS["running-verbs" if verb in VERBS else "answering-verbs"]()
    section = re.search(rf"^## `{verb}`$(.*?)(?=^## |\Z)", part, re.MULTILINE | re.DOTALL)
    assert section is not None
    written = " ".join(re.findall(r"\{option\} (.*)", section[1]))
    assert options <= set(re.findall(r"--[a-z][a-z-]*", written))
    for positional in re.findall(r"^  ([A-Za-z]+) .*$", said.partition("options:")[0], re.M):
        assert positional in written


def test_every_environment_variable_of_the_code_is_in_the_reference():
    sources = [ROOT / "_ablate.py"]
    for package in ("ablations", "runner", "analysis"):
        sources += (ROOT / package).rglob("*.py")
    here = {
        name for file in sources for name in re.findall(r'"(ABLATIONS_[A-Z_]+)"', file.read_text())
    }
    assert here == {name for name in (*VARIABLES, *INTERNAL) if name.startswith("ABLATIONS_")}
    assert set(entries("variables", "envvar")) == set(VARIABLES)


def test_every_exit_code_of_the_help_is_in_the_reference():
    codes = set(re.findall(r"^  (\d+(?:, \d+)*)  ", EPILOG, re.MULTILINE))
    assert len(codes) >= 7
    table = PARTS["exit-codes"]()
    assert all(f"| `{code}` |" in table for code in codes)


def test_every_figure_of_a_study_is_in_the_reference():
    study = analysis.from_frame(
        pd.DataFrame({"a": ["x", "y"] * 4, "b": ["u", "u", "v", "v"] * 2, "y": range(8)}),
        factors=["a", "b"],
        response="y",
    )
    written = re.findall(r"`study\.plot\.(\w+)\(\)`", PARTS["figures"]())
    assert {*written, "caption", "data", "save"} == set(dir(study.plot))


def test_every_public_name_of_the_analysis_is_in_the_reference():
    part = PARTS["analysis-names"]()
    assert set(re.findall(r":: analysis\.(\w+)", part)) == set(analysis.__all__)
