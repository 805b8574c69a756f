"""How far a grid is, for the page's banner and the dashboard's note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.table.statuses import FAILED

if TYPE_CHECKING:
    from analysis.study import Study


STRICT = "while runs are still to come only p below .001 counts"
"""Why something is open in an unfinished grid (`verdicts.judgement`)."""


def so_far(study: Study) -> str:
    """What a sentence on an unfinished grid adds."""
    return " so far" if study.running else ""


def progress(study: Study) -> dict[str, Any]:
    """How far the grid is, in a sentence and by replicate."""
    frame = study.runs
    done = frame[study.response].notna()
    status = study.facts.get("status", pd.Series("", frame.index))
    failed = status.isin(FAILED)
    open_ = ~done & ~failed
    waves = []
    if study.replicate:
        for name, rows in frame.groupby(frame[study.replicate].astype(str), sort=False):
            waves.append(
                {
                    "replicate": name,
                    "finished": int(done[rows.index].sum()),
                    "open": int(open_[rows.index].sum()),
                    "failed": int(failed[rows.index].sum()),
                }
            )
    share = done.sum() / max(len(frame), 1)
    parts = [f"{int(done.sum())} of {len(frame)} runs have an outcome"]
    if open_.any():
        parts.append(f"{int(open_.sum())} are training or waiting")
    if failed.any():
        parts.append(f"{int(failed.sum())} failed")
    return {
        "sentence": "; ".join(parts) + (". Numbers below will change." if open_.any() else "."),
        "done": int(done.sum()),
        "planned": len(frame),
        "percent": f"{100 * share:.1f}",
        "waves": waves,
    }
