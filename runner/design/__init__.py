"""Which combinations of levels are run, in which order, what they can tell and what they cost.

design    from a specification to its cells    search/   runs of a fraction, how good they are
describe  what a design can tell, in words     cost      time and disk
warnings  what it leaves without an answer     acting    levels that would change nothing
best_next what to run next where time is short  measured_cost  how long it will take
growth    what a fraction that grows gains
"""

from runner.design.cost import CostEstimate, estimate_cost
from runner.design.describe import DesignFacts, facts
from runner.design.design import Design, design_of, with_runs
from runner.design.search.regular import Combination
from runner.design.warnings import warnings

__all__ = [
    "Combination",
    "CostEstimate",
    "Design",
    "DesignFacts",
    "design_of",
    "estimate_cost",
    "facts",
    "warnings",
    "with_runs",
]
