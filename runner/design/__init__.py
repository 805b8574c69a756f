"""Which combinations of levels are run, in which order, what they can tell and what they cost.

design    from a specification to its cells    search/   runs of a fraction, how good they are
describe  what a design can tell, in words     cost      time and disk
warnings  what it leaves without an answer     acting    levels that would change nothing
growth    what a fraction that grows gains    order/   which cells to run first
screening_words  what a screening design can tell, for a hurried stranger
alternatives  what other designs of the same factors would tell
"""

from runner.design.cost import CostEstimate, estimate_cost
from runner.design.describe import DesignFacts, facts
from runner.design.design import Design, allows, design_of, listed, with_runs
from runner.design.search.regular import Combination
from runner.design.warnings import warnings

__all__ = [
    "Combination",
    "CostEstimate",
    "Design",
    "DesignFacts",
    "allows",
    "design_of",
    "estimate_cost",
    "facts",
    "listed",
    "warnings",
    "with_runs",
]
