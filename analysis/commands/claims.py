"""`claims`: the claims a study was planned to test, judged in plain words."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ablations.errors import InputError
from analysis.commands import arguments
from runner.program.answers import add_json, print_answer

if TYPE_CHECKING:
    from analysis.study import Study

SUMMARY = "Answer the claims a study was planned to test, or others, in plain words."
EXAMPLES = """\
examples:
  python -m analysis claims five_factor-quick
  python -m analysis claims five_factor-quick --claim "optimizer: adam > sgd by 2"
  python -m analysis claims --table runs.csv --factors lr wd --response val_loss --block seed \\
      --claim "lr: 0.1 < 0.01 by 0.2"
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb, optional=True)
    arguments.add_table(verb)
    add_json(verb)


def run(options: argparse.Namespace) -> int:
    """Print each claim with its verdict and the reason."""
    stored = options.table is None and options.tool is None
    if options.study and stored and options.claim:
        study = arguments.load_study(options)
        others = replace(study, planned_claims=tuple(options.claim))
        if options.json:
            return _as_json(others, planned=False)
        print("Not planned, judged among themselves:")
        print(*arguments.claim_lines(others), sep="\n")
        return 0
    study = arguments.read_study(options)
    if not study.planned_claims:
        how = (
            "write them under claims: in its file, or ask one with --claim"
            if stored
            else "write them with --claim"
        )
        raise InputError(f"study {study.name!r} has no claims: {how}")
    if options.json:
        return _as_json(study, planned=True)
    print(*arguments.claim_lines(study), *arguments.note_lines(study), sep="\n")
    return 0


def _as_json(study: Study, *, planned: bool) -> int:
    facts = arguments.study_facts(study)
    print_answer("claims", {**facts, "planned": planned, "claims": arguments.claim_facts(study)})
    return 0
