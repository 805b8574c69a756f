"""effects.json keeps its published schema and its promises, whatever the table."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.document.document import SCHEMA_PATH, document_text, write_document
from analysis.document.parts import MOST_LISTED
from analysis.loading import from_frame

SCHEMA = json.loads(SCHEMA_PATH.read_text("utf-8"))


def grid(*levels: int, replicates: int = 3, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (*[f"l{i}" for i in cell], f"s{k}", 0.5 + 0.1 * cell[0] + rng.normal(0, 0.02))
        for cell in itertools.product(*[range(n) for n in levels])
        for k in range(replicates)
    ]
    return pd.DataFrame(rows, columns=[*"ABCDEF"[: len(levels)], "seed", "y"])


def fraction(replicates: int = 1) -> pd.DataFrame:
    """2^(4-1), I = ABCD."""
    frame = grid(2, 2, 2, 2, replicates=replicates)
    signs = frame[list("ABCD")].map(lambda x: 1 if x == "l1" else -1)
    return frame[signs.prod(axis=1) == 1].reset_index(drop=True)


TABLES: dict[str, tuple[pd.DataFrame, str | None]] = {
    "one factor": (grid(3), None),
    "balanced with blocks": (grid(3, 2, 2), "seed"),
    "unreplicated": (grid(2, 2, 2, replicates=1), None),
    "six factors": (grid(2, 2, 2, 2, 2, 2, replicates=1), None),
    "six levels": (grid(6, 6, replicates=2), "seed"),
    "an empty cell": (grid(3, 2, 2)[3:], "seed"),
    "a lost run": (grid(3, 2)[1:], None),
    "a fraction": (fraction(), None),
    "a replicated fraction": (fraction(2), "seed"),
    "constant": (grid(2, 2).assign(y=0.1), None),
    "missing responses": (
        grid(2, 2).assign(y=lambda f: f["y"].where(f.index % 5 > 0)),
        "seed",
    ),
    "with convergence": (grid(2, 2).assign(converged=[1, 0, 1] * 4), "seed"),
}


def documents() -> list[tuple[str, int | None]]:
    return [(name, order) for name in TABLES for order in (1, 2, None)]


@pytest.mark.no_cover  # thrice the time when traced, and the tests of each part count its lines
@pytest.mark.parametrize(("name", "order"), documents())
def test_every_table_gives_a_document_of_the_schema(name: str, order: int | None) -> None:
    frame, block = TABLES[name]
    factors = [c for c in frame.columns if c in "ABCDEF"]
    document = from_frame(frame, factors, "y", block).document(order)
    jsonschema.validate(document, SCHEMA)
    assert "NaN" not in json.dumps(document)
    shares = [row["percent"] for row in document["variance_shares"] if row["percent"] is not None]
    if shares:
        assert sum(shares) == pytest.approx(100.0, abs=1e-9)
    fitted = {row["term"] for row in document["anova"]["type3"]} - {"Residuals", block}
    lost = {row["term"] for row in document["not_estimable"]}
    assert fitted == set(document["estimable"]) | lost
    for row in document["anova"]["type3"]:
        if row["term"] in lost:
            assert row["ss"] is row["F"] is row["p"] is None


def test_the_schema_itself_is_valid_and_strict() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = from_frame(grid(2, 2), ["A", "B"], "y").document()
    assert set(document) <= set(SCHEMA["properties"])
    broken: dict[str, Any] = {**document, "contrasts": [{"estimate": "big"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)
    del broken["contrasts"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_a_document_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "effects.json"
    write_document({"größe": 1}, target)
    assert json.loads(target.read_text("utf-8")) == {"größe": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_document({"x": float("nan")}, target)
    assert json.loads(target.read_text("utf-8")) == {"größe": 1}
    assert [p.name for p in target.parent.iterdir()] == ["effects.json"]


def test_a_document_is_one_record_a_line() -> None:
    frame, block = TABLES["with convergence"]
    document = from_frame(frame, ["A", "B"], "y", block).document()
    text = document_text(document)
    assert json.loads(text) == document
    lines = text.splitlines()
    for record in (*document["anova"]["type3"], *document["convergence"]["rates"]):
        assert sum(json.dumps(record) == line.strip(" ,") for line in lines) >= 1, record


def test_convergence_is_there_where_the_table_has_it() -> None:
    frame, block = TABLES["with convergence"]
    document = from_frame(frame, ["A", "B"], "y", block).document()
    assert document["convergence"]["runs"] == 12
    assert document["convergence"]["converged"] == 8
    assert from_frame(grid(2, 2), ["A", "B"], "y").document()["convergence"] is None


def test_two_documents_of_one_table_are_identical() -> None:
    frame, block = TABLES["balanced with blocks"]
    first = from_frame(frame, list("ABC"), "y", block).document()
    assert first == from_frame(frame, list("ABC"), "y", block).document()


@pytest.mark.parametrize("seed", range(16))
def test_random_tables_give_a_document_or_a_sentence(seed: int) -> None:
    """Holes, constants, two-valued responses, offsets: never a traceback, never a NaN."""
    rng = np.random.default_rng(seed)
    levels = [int(n) for n in rng.integers(2, 5, rng.integers(1, 4))]
    frame = grid(*levels, replicates=int(rng.integers(1, 4)), seed=seed)
    responses = {
        0: lambda f: f["y"],
        1: lambda f: 0.1,
        2: lambda f: (f["A"] == "l1").astype(float),
        3: lambda f: f["y"] + 1e9,
        4: lambda f: f["y"].where(rng.random(len(f)) > 0.2),
    }
    frame = frame.assign(y=responses[seed % 5])
    frame = frame[rng.random(len(frame)) > rng.choice([0.0, 0.1, 0.5])]
    factors = [c for c in frame.columns if c in "ABCDEF"]
    block = "seed" if seed % 2 else None
    order = (1, 2, None)[seed % 3]
    lone = any(frame.loc[frame["y"].notna(), name].nunique() < 2 for name in factors)
    if lone:
        with pytest.raises(InputError, match=r"one level|no number"):
            from_frame(frame, factors, "y", block)
        return
    document = from_frame(frame, factors, "y", block).document(order)
    jsonschema.validate(document, SCHEMA)
    json.dumps(document, allow_nan=False)


def test_sections_that_grow_with_levels_squared_are_cut_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rows of the smallest p stay, in their order, adjusted over all of them."""
    rng = np.random.default_rng(0)
    rows = list(itertools.product("abcde", "wxyz", range(3)))
    frame = pd.DataFrame(rows, columns=["A", "B", "seed"]).assign(
        y=lambda d: rng.normal(size=len(d)) + 9 * ((d["A"] == "a") & (d["B"] == "w"))
    )
    study = from_frame(frame, ["A", "B"], "y")
    whole = study.document()
    assert len(whole["interaction_contrasts"]) == 10 * 6
    monkeypatch.setitem(MOST_LISTED, "interaction_contrasts", 7)
    cut = study.document()
    jsonschema.validate(cut, SCHEMA)
    smallest = sorted(row["welch"]["p"] for row in whole["interaction_contrasts"])[:7]
    kept = [row for row in whole["interaction_contrasts"] if row["welch"]["p"] <= smallest[-1]]
    assert cut["interaction_contrasts"] == kept
    assert cut["notes"][-1] == (
        "interaction_contrasts lists the 7 of 60 with the smallest p (welch); adjusted p and "
        "simultaneous limits are over all"
    )
    assert not any("lists the" in note for note in whole["notes"])


@pytest.mark.slow
def test_twenty_five_by_twenty_levels_make_a_small_document() -> None:
    """Issue: 50,000 rows of 25 x 20 levels made 73 MB."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 25, 50_000), rng.integers(0, 20, 50_000)
    frame = pd.DataFrame({"A": a.astype(str), "B": b.astype(str), "y": rng.normal(size=50_000)})
    text = document_text(from_frame(frame, ["A", "B"], "y").document())
    assert len(text.encode()) < 20e6
