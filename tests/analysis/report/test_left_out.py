"""A figure that draws only its largest rows says so in its caption."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

import analysis
from analysis.report.gallery.factors import draw_forest, draw_pareto


def test_a_caption_names_what_is_not_drawn() -> None:
    noise = np.random.default_rng(0)
    runs = pd.DataFrame(
        [
            {"A": f"a{a}", "B": f"b{b}", "seed": seed, "y": 0.1 * a + noise.normal()}
            for a, b, seed in product(range(8), range(8), range(2))
        ]
    )
    study = analysis.from_frame(runs, factors=["A", "B"], response="y", replicate="seed")
    drawn = draw_forest(study)
    assert drawn is not None
    assert "Drawn: the 48 largest of 64; the table has all." in drawn.caption
    drawn = draw_pareto(study)
    assert drawn is not None
    assert "Drawn:" not in drawn.caption, "three terms are all drawn"
