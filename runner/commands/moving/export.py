"""`export STUDY --to csv|parquet`: cells, curves and attempts as tables, specifications as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ablations.errors import PARQUET
from runner.commands import options
from runner.commands.arguments import named_study, study_folder, writable
from runner.program.files import replacing, write_whole
from runner.program.needs import need
from runner.store.cells.studies import spec_versions

EXAMPLES = """examples:
  python -m runner export five_factor --to csv
  python -m runner export five_factor --to parquet --out tables
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    formats = "file format; Parquet needs the extra parquet"
    parser.add_argument("--to", choices=("csv", "parquet"), default="csv", help=formats)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write into (default: STUDY in --results)"
    )
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    if arguments.to == "parquet":
        need("export --to parquet", "pyarrow", brought_by=PARQUET)
    import pandas as pd

    store, info = named_study(arguments)
    folder = writable(arguments.out or study_folder(arguments.results, info.name))
    rows = store.runs(info)
    runs = pd.DataFrame([_flat(row) for row in rows])
    attempts = pd.DataFrame(store.attempts(info))
    for frame, column in ((runs, "notes"), (attempts, "versions"), (attempts, "provenance")):
        if column in frame:
            frame[column] = [json.dumps(value) for value in frame[column]]
    own = store.own_curves(info)
    curves = pd.DataFrame(own) if own else pd.DataFrame(store.curves(info))
    tables = {"cells": runs, "curves": curves, "attempts": attempts}
    versions = store.database.read(lambda connection: spec_versions(connection, info.name))
    specs = folder / "specs.json"
    write_whole(specs, json.dumps(versions or {info.spec_digest: info.spec}, indent=1) + "\n")
    print(specs)
    for name, frame in tables.items():
        path = folder / f"{name}.{arguments.to}"
        with replacing(path) as file:
            if arguments.to == "csv":
                frame.to_csv(file, index=False)
            else:
                frame.to_parquet(file, index=False)
        print(path)
    return 0


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A run with the responses of a trainer of one's own as columns: "response:NAME"."""
    own = row.pop("responses")
    return row | {f"response:{name}": value for name, value in own.items()}
