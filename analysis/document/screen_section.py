"""The parts of effects.json about a screening study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.stats.estimates import INTERVAL
from analysis.table.records import plain, records

if TYPE_CHECKING:
    from analysis.screening.screen import Screened
    from analysis.study import Study


def screen_section(study: Study) -> dict[str, Any] | None:
    """What matters, what each factor may be mistaken for, and the study that comes next."""
    found = study.screened
    if found is None:
        return None
    effects, following = found.screen.effects, study.follow_up
    factors = [
        {
            "factor": name,
            "better": found.better[name],
            **{one: plain(float(getattr(effects, one)[place])) for one in INTERVAL},
            "verdict": _verdict(name, found),
            "could_be": [list(pair) for pair in found.rivals.get(name, ())],
        }
        for place, name in enumerate(found.screen.factors)
    ]
    return {
        "combinations": len(found.screen.means),
        "noise_from": "replicates" if found.screen.is_replicated else "small effects (Lenth)",
        "pairs_bias_main_effects": not found.screen.clear,
        "factors": factors,
        "acting_together": [list(pair) for pair in found.acting_together],
        "next": None
        if following is None
        else {
            "name": following.name,
            "factors": list(following.factors),
            "combinations": following.combinations,
            "replicates": following.replicates,
            "extends": following.source,
            "specification": "\n".join(following.lines),
        },
    }


def with_screen(study: Study, contrasts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Differences between levels, `shown` as a screening study without replicates judges them."""
    if not study.by_lenth:
        return contrasts
    numbers = records(study.contrasts()[[*INTERVAL, "p_holm", "method"]])
    return [row | {"shown": shown} for row, shown in zip(contrasts, numbers, strict=True)]


def _verdict(name: str, found: Screened) -> str:
    if name in found.matter:
        return "matters"
    if name in found.open:
        return "open"
    return "explained by a pair" if name in found.shadows else "not shown"
