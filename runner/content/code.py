"""Which plugin code a specification or a cell depends on, by digests of the files that define it.

What those files import is not covered, and a data set's file is in the `data_identity`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ablations import registry
from ablations.errors import InputError
from runner.content.level import Level

Code = tuple[tuple[str, str], ...]
"""("optimizer nadam", 16 digits of the SHA-256 of its file), sorted; empty: all is built in."""


def code_of(levels: Iterable[Level], *models: str) -> Code:
    """Digests of the plugin files that define these levels and models, as they were loaded."""
    used = {(one.factor, one.name) for one in levels if not one.is_field}
    used |= {("model", name) for name in models}
    digests = ((f"{kind} {name}", registry.code_digest(kind, name)) for kind, name in used)
    return tuple(sorted((name, digest[:16]) for name, digest in digests if digest))


def check_code(planned: Code) -> None:
    """Hold what was planned against the plugins as this process has loaded them.

    Raises:
        InputError: a plugin's file is not what it was; the sentence says which.
    """
    for name, digest in planned:
        if (registry.code_digest(*name.split(" ", 1)) or "")[:16] != digest:
            raise InputError(
                f"the plugin that defines {name} is not the one this was planned with: give the "
                "grid's command again to plan with the plugin as it is now"
            )
