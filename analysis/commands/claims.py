"""`claims`: the claims a study was planned to test, judged in plain words."""

from __future__ import annotations

import argparse

from ablations.errors import InputError
from analysis.commands import arguments

SUMMARY = "Answer the claims a study was planned to test, in plain words."
EXAMPLES = "example:\n  python -m analysis claims five_factor-quick\n"


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb)


def run(options: argparse.Namespace) -> int:
    """Print each claim with its verdict and the reason."""
    from analysis.study import load

    study = load(options.study, options.storage)
    if not study.planned_claims:
        raise InputError(
            f"study {study.name!r} has no claims: write them under claims: in its file"
        )
    for row in study.claims().itertuples():
        print(f"{str(row.verdict).upper():13}{row.claim}")
        print(arguments.for_terminal(str(row.reason), indent=13))
    return 0
