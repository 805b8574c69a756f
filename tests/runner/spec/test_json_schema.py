"""The JSON Schema is current, accepts what loads and refuses the common mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from ablations.registry import load_plugins
from runner.spec.reading.json_schema import schema

from .conftest import PLUGIN

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "ablations" / "schema.json"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(COMMITTED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_committed_schema_is_current() -> None:
    # In a process of its own: plugins of other tests would add their levels.
    code = (
        "import json; from runner.spec.reading.json_schema import schema\n"
        "print(json.dumps(schema()))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout) == json.loads(COMMITTED.read_text()), (
        "ablations/schema.json is old: python -m runner schema > ablations/schema.json"
    )


@pytest.mark.parametrize("file", sorted(COMMITTED.parent.glob("*.yaml")), ids=lambda f: f.stem)
def test_shipped_files_are_valid(validator: jsonschema.Draft202012Validator, file: Path) -> None:
    document = YAML(typ="safe", pure=True).load(file.read_text())
    assert [error.message for error in validator.iter_errors(document)] == []


def test_levels_of_a_plugin_are_offered_once_it_is_loaded() -> None:
    load_plugins((str(PLUGIN),))
    forms = schema()["$defs"]["level-optimizer"]["anyOf"]
    assert {"const": "lookahead", "description": "Not a real optimizer: only its parameters are "
            "read here."} in forms  # fmt: skip
    parameters = forms[-1]["properties"]["lookahead"]["anyOf"][0]["properties"]
    assert parameters["steps"] == {"type": "integer", "default": 5}
    jsonschema.Draft202012Validator.check_schema(schema())


GOOD = {"name": "x", "factors": {"optimizer": ["adam", "sgd"]}}


@pytest.mark.parametrize(
    "change",
    [
        {"train": None},
        {"factors": {"optimizer": ["adam", {"as": "hot", "sgd": {"lr": 0.5}}]}},
        {"factors": {"optimizer": ["adam", {"own_level": {"anything": 1}}]}},
        {"factors": {"model.depth": [11, {"as": "deep", "value": 16}]}},
        {"factors": {"model.parameters.blocks": [1, 2]}},
        {"fixed": {"init": {"naive": {"std": 0.1}}}},
        {"profiles": {"cpu": None, "cuda": {"factors": {"optimizer": None}}}},
        {"design": {"kind": "regular", "resolution": 4}},
        {"exclude": [{"optimizer": ["adam"], "scheduler": "cosine"}]},
    ],
)
def test_good_documents_pass(
    validator: jsonschema.Draft202012Validator, change: dict[str, object]
) -> None:
    assert [error.message for error in validator.iter_errors({**GOOD, **change})] == []


@pytest.mark.parametrize(
    "change",
    [
        {"trian": {}},
        {"train": {"epochs": 0}},
        {"train": {"epochs": "3"}},
        {"factors": {"optimiser": ["adam", "sgd"]}},
        {"factors": {"optimizer": ["adam"]}},
        {"factors": {"optimizer": ["adam", {"sgd": {"lx": 1}}]}},
        {"factors": {"optimizer": ["adam", {"sgd": {"lr": -1}}]}},
        {"factors": {"model.depth": [11, 12]}},
        {"factors": {"train.time_limit": [1, 2]}},
        {"fixed": {"model.depth": 11}},
        {"fixed": {"init": None}},
        {"design": {"kind": "fraction"}},
        {"profiles": {"auto": {}}},
        {"profiles": {"cpu": {"train": {"epochs": 0}}}},
        {"profiles": {"cpu": {"extends": "x.yaml"}}},
        {"exclude": [{}]},
    ],
)
def test_mistakes_are_marked(
    validator: jsonschema.Draft202012Validator, change: dict[str, object]
) -> None:
    assert list(validator.iter_errors({**GOOD, **change}))
