"""Which combinations of levels are run, in which order, what they can tell and what they cost.

planning  from a specification to its cells    search/   runs of a fraction, how good they are
describe  what a design can tell, in words     cost      time and disk
warnings  what it leaves without an answer
"""

from runner.design.cost import Estimate, estimate
from runner.design.describe import DesignFacts, facts
from runner.design.planning import Combination, Design, plan
from runner.design.warnings import warnings

__all__ = [
    "Combination",
    "Design",
    "DesignFacts",
    "Estimate",
    "estimate",
    "facts",
    "plan",
    "warnings",
]
