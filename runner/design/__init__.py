"""Which combinations of levels are run, in which order, what they can tell and what they cost."""

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
