"""The reference pages, made from the code while the site is built: there is no copy to keep.

markdown   text that MyST reads            yaml_keys  keys of the specification, from its models
levels     shipped levels, from the registry  verbs   verbs and options, from their parsers
programs   exit codes and variables        python_api names for autodoc

A page says `<!-- generated: NAME -->` where a part of `PARTS` is to stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from docs._generate.levels import levels
from docs._generate.programs import exit_codes, variables
from docs._generate.python_api import analysis_names, figures
from docs._generate.verbs import answering_verbs, running_verbs
from docs._generate.yaml_keys import yaml_keys

PARTS: dict[str, Callable[[], str]] = {
    "yaml-keys": yaml_keys,
    "levels": levels,
    "running-verbs": running_verbs,
    "answering-verbs": answering_verbs,
    "exit-codes": exit_codes,
    "variables": variables,
    "analysis-names": analysis_names,
    "figures": figures,
}

_PLACE = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


def filled(page: str) -> str:
    """A page with its generated parts; KeyError where it asks for one that nobody makes."""
    return _PLACE.sub(lambda place: PARTS[place[1]](), page)
