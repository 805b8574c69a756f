"""`decided`: which differences are decided by now, and what would decide the others."""

from __future__ import annotations

import argparse
import math

from analysis.commands import arguments

SUMMARY = "Is it decided yet? Which differences are, at the level a look so early may spend."
EXAMPLES = """\
examples:
  python -m analysis decided five_factor-quick
  python -m analysis decided five_factor-quick --precision 0.01
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    arguments.add_study(verb)
    verb.add_argument(
        "--precision", type=float, metavar="H", help="wanted half-width of every interval"
    )


def run(options: argparse.Namespace) -> int:
    """Print the state in a sentence, then every difference between two levels."""
    from analysis.study import load

    look = load(options.study, options.storage).decided(options.precision)
    print(arguments.for_terminal(look.sentence))
    for row in look.table.to_dict("records"):
        more = float(row["replicates_to_decide"])
        state = "decided" if row["decided"] else "open"
        if math.isnan(row["estimate"]):
            print(f"  {row['factor']}: {row['level']} - {row['reference']}  not estimable")
            continue
        if not row["decided"] and not math.isnan(more):  # NaN: more than can be said
            state = f"open, about {more:.0f} replicates would decide it"
        print(
            f"  {row['factor']}: {row['level']} - {row['reference']} = {row['estimate']:+.4g} "
            f"± {row['half_width']:.3g}  {state}"
        )
    return 0
