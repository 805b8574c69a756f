"""What the user asked: the YAML file, read strictly into frozen values."""

from runner.spec.claims import Claim, Condition, check_claim, parse_claim
from runner.spec.level import Factor, Level
from runner.spec.load import load_spec
from runner.spec.predicates import Predicate
from runner.spec.spec import Spec

__all__ = [
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
