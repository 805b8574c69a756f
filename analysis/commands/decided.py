"""`decided`: which differences are decided by now, and what would decide the others."""

from __future__ import annotations

import argparse
import math

from analysis.commands import arguments
from runner.program.answers import add_json, print_answer

SUMMARY = "Is it decided yet? Which differences are, and what would decide the others."
EXAMPLES = """\
examples:
  python -m analysis decided five_factor-quick
  python -m analysis decided five_factor-quick --precision 0.01
  python -m analysis decided --table runs.csv --factors lr wd --response val_loss --block seed
  python -m analysis decided --from wandb wandb --response val_acc --bins lr=3
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb, optional=True)
    arguments.add_table(verb, outcome=False)
    arguments.add_outcome(verb)
    add_json(verb)
    verb.add_argument(
        "--precision",
        type=float,
        metavar="H",
        help="wanted half-width of every interval, as stored (of a share 0.01 is 1 point)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the state in a sentence, then every difference between two levels."""
    study = arguments.read_study(options)
    look, measure = study.decided(options.precision), study.measure
    if options.json:
        from analysis.table.records import records

        facts = {
            "sentence": look.sentence,
            "complete_replicates": look.wave,
            "planned_replicates": look.planned,
            "alpha": look.alpha,
            "precise": look.precise,
            "differences": records(look.table),
        }
        print_answer("decided", arguments.study_facts(study) | facts)
        return 0
    unit = f" {measure.difference}" if measure.difference else ""
    print(arguments.for_terminal(look.sentence))
    for row in look.table.to_dict("records"):
        more = float(row["replicates_to_decide"])
        state = "decided" if row["decided"] else "open"
        if math.isnan(row["p"]):
            state = "cannot be tested"
        if math.isnan(row["estimate"]):
            print(f"  {row['factor']}: {row['level']} - {row['reference']}  not estimable")
            continue
        if not row["decided"] and math.isinf(more):
            state = "open, more combinations may decide it"
        elif not row["decided"] and not math.isnan(more):  # NaN: more than can be said
            state = f"open, about {more:.0f} replicates would decide it"
        print(
            f"  {row['factor']}: {row['level']} - {row['reference']} = "
            f"{row['estimate'] * measure.scale:+.4g} ± {row['half_width'] * measure.scale:.3g}"
            f"{unit}  {state}"
        )
    for line in (*arguments.claim_lines(study), *arguments.note_lines(study)):
        print(line)
    return 0
