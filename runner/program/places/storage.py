"""--storage and --results: where the rows and the files of studies are, for verbs of both programs.

A store that nobody names lies in the folder of results, so that --results moves both.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

VARIABLE = "ABLATIONS_STORAGE"
RESULTS = "ABLATIONS_RESULTS"
FILE_NAME = "ablations.db"


def results_folder() -> Path:
    """The folder of results that nobody names."""
    return Path(os.environ.get(RESULTS) or "results")


class Beside(str):
    """The path of a store that nobody named: it lies in the folder that --results names."""

    __slots__ = ()


def add_storage(parser: argparse.ArgumentParser, results: str) -> None:
    """Both options.

    Args:
        parser: whose options these become.
        results: what the folder is for, as the help says it.
    """
    parser.add_argument(
        "--storage",
        metavar="URL",
        help=f"SQLAlchemy URL of the store; default: ${VARIABLE}, else {FILE_NAME} in --results. A "
        "URL that holds a password belongs in the variable: arguments are visible to other users "
        "of the machine",
    )
    parser.add_argument(
        "--results",
        type=Path,
        action=_Results,
        default=results_folder(),
        metavar="DIR",
        help=f"folder {results} (default: ${RESULTS} or results)",
    )


class _Results(argparse.Action):
    """Takes the store along, unless it is named; whichever of the two options comes first."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.results = values
        named = namespace.storage is not None and not isinstance(namespace.storage, Beside)
        if not named and not os.environ.get(VARIABLE):
            namespace.storage = Beside(values / FILE_NAME)
