"""`export STUDY --to csv|parquet`: cells, curves and attempts as tables, specifications as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from runner.commands import options, study
from runner.store.studies import spec_versions

if TYPE_CHECKING:
    from pandas import DataFrame

EXAMPLES = """examples:
  python -m runner export five_factor --to csv
  python -m runner export five_factor --to parquet --out tables
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    parser.add_argument("--to", choices=("csv", "parquet"), default="csv", help="file format")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write into (default: results/STUDY)"
    )
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    import pandas as pd

    store, info = study.find(arguments)
    folder = study.made(arguments.out or options.folder(arguments.results, info.name))
    runs = pd.DataFrame(store.runs(info))
    attempts = pd.DataFrame(store.attempts(info))
    for frame, column in ((runs, "notes"), (attempts, "versions"), (attempts, "provenance")):
        if column in frame:
            frame[column] = [json.dumps(value) for value in frame[column]]
    tables = {"cells": runs, "curves": pd.DataFrame(store.curves(info)), "attempts": attempts}
    versions = store.database.read(lambda connection: spec_versions(connection, info.name))
    aside = folder / ".specs.json"
    aside.write_text(json.dumps(versions or {info.spec_digest: info.spec}, indent=1) + "\n")
    print(aside.rename(folder / "specs.json"))
    for name, frame in tables.items():
        print(_write(frame, folder / f"{name}.{arguments.to}"))
    return 0


def _write(frame: DataFrame, path: Path) -> Path:
    aside = path.with_name(f".{path.name}")
    if path.suffix == ".csv":
        frame.to_csv(aside, index=False)
    else:
        frame.to_parquet(aside, index=False)
    aside.rename(path)
    return path
