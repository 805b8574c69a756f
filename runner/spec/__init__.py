"""What the user asked: the YAML file, read strictly into frozen values.

spec      the checked specification      spec_file   its sections, as models
claims    planned comparisons            predicates  `exclude` and `only`
node      a value with its place         catalog     what is known of built-in data sets
adaptive  replicates as many as it takes  tune    what is tuned before the grid
reading/  from the file to a `Spec`
"""

from runner.content.level import Factor, Level
from runner.spec.adaptive import Adaptive
from runner.spec.claims import Claim, Condition, check_claim, parse_claim
from runner.spec.predicates import Predicate
from runner.spec.reading.load import load_spec
from runner.spec.spec import Spec

__all__ = [
    "Adaptive",
    "Claim",
    "Condition",
    "Factor",
    "Level",
    "Predicate",
    "Spec",
    "check_claim",
    "load_spec",
    "parse_claim",
]
