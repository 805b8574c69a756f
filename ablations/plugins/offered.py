"""What installed distributions offer: entry points of the group `ablations`.

    [project.entry-points.ablations]
    "optimizer.lion" = "lion_levels.optimizers"

The name is a kind (a factor, `model` or `dataset`) and the name it has in a file; the value is the
module that registers it, as a plugin's file does (`ablations.registry`). A file that names it needs
no `plugins:`; nothing of a distribution is imported before one does. Its module is then a plugin
like any other, for whoever confines them and for the stores that name it.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import NamedTuple

from ablations.errors import InputError

GROUP = "ablations"


class Offered(NamedTuple):
    """What one entry point says.

    Attributes:
        module: registers it when it is imported.
        distribution: whose it is.
        version: of the distribution, as it is installed here.
    """

    module: str
    distribution: str
    version: str


def offered(kind: str, name: str) -> Offered | None:
    """Who offers a level, model or data set of that name; None: nobody.

    Raises:
        InputError: several distributions do.
    """
    found = _offers(tuple(sys.path)).get(f"{kind}.{name}", ())
    if len({one.distribution for one in found}) > 1:
        who = " and ".join(sorted(one.distribution for one in found))
        raise InputError(f"{kind} {name!r} is offered by {who}: uninstall one of them")
    return found[0] if found else None


def version_of(distribution: str) -> str:
    """The version that is installed; "" where it is not."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=4)
def _offers(_path: tuple[str, ...]) -> dict[str, tuple[Offered, ...]]:
    """Every entry point of the group, by its name; looked for once as long as the path stays."""
    found: dict[str, tuple[Offered, ...]] = {}
    for one in entry_points(group=GROUP):
        if one.dist is not None:
            offer = Offered(one.module, one.dist.name, one.dist.version)
            found[one.name] = (*found.get(one.name, ()), offer)
    return found
