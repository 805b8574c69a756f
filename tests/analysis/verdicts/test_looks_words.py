"""One line that says what is decided, what is open and what more replicates would buy."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from analysis.verdicts.judgement import Judgement
from analysis.verdicts.looks import Decided
from analysis.verdicts.looks_words import in_one_line, in_one_sentence


def found(wave: int, rows: list[tuple[str, bool, float]], planned: int = 5) -> Decided:
    table = pd.DataFrame(rows, columns=["factor", "decided", "replicates_to_decide"])
    table["level"], table["reference"], table["estimate"] = "b", "a", 1.0
    table["p"] = 0.2
    judged = Judgement(pd.DataFrame(), (), 0.001, running=wave < planned)
    return Decided(wave, planned, wave, wave, judged, table)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (found(3, [("init", True, 3.0), ("bn", True, 3.0)]),
         "Decided: 2 of 2 differences between levels, after 3 of 5 replicates, with runs still to "
         "come."),
        (found(3, [("init", True, 3.0), ("bn", True, 3.0)], 3),
         "Decided: 2 of 2 differences between levels, after 3 replicates."),
        (found(3, [("bn", True, 3.0), ("bn", False, 7.0), ("init", False, math.nan)], 3),
         "Decided: 1 of 3 differences between levels, after 3 replicates. "
         "Open: bn (b or a), init (b or a). About 4 more replicates would decide 1 of the 2."),
        (found(2, [("bn", False, 4.0), ("bn", False, 9.0), ("init", True, 2.0)], 2),
         "Decided: 1 of 3 differences between levels, after 2 replicates. Open: bn (b or a), "
         "bn (b or a). About 2 more replicates would decide one, about 7 would decide all of "
         "them."),
        (found(2, [("bn", False, 3.0)] * 3 + [("init", False, 3.0)], 2),
         "Decided: 0 of 4 differences between levels, after 2 replicates. "
         "Open: 3 of bn, 1 of init. About 1 more replicate would decide all of them."),
        (found(2, [("init", False, 500.0)], 2),
         "Decided: 0 of 1 difference between levels, after 2 replicates. "
         "Open: init (b or a). "
         "Telling it from zero would take more than 5 times the 2 replicates."),
        (found(3, [("bn", False, math.inf), ("init", False, math.inf)], 3),
         "Decided: 0 of 2 differences between levels, after 3 replicates. "
         "Open: bn (b or a), init (b or a). "
         "Telling them from zero would take more combinations, not more runs of these."),
        (found(3, [("bn", False, math.inf), ("init", False, 5.0)], 3),
         "Decided: 0 of 2 differences between levels, after 3 replicates. "
         "Open: bn (b or a), init (b or a). About 2 more replicates would decide 1 of the 2."),
    ],
)  # fmt: skip
def test_the_line(state: Decided, said: str) -> None:
    assert in_one_line(state) == said


def test_what_has_no_test_takes_no_replicates() -> None:
    """Two levels that differ by exactly 2 in every seed took "more than 5 times the replicates"."""
    state = found(4, [("A", False, math.nan), ("B", False, 6.0)], 4)
    state.table.loc[0, "p"] = math.nan
    assert in_one_line(state) == (
        "Decided: 0 of 2 differences between levels, after 4 replicates. Cannot be tested with the "
        "runs at hand: A (b or a). Open: B (b or a). About 2 more replicates would decide it."
    )


def test_what_only_other_combinations_tell_is_no_matter_of_replicates() -> None:
    state = found(3, [("bn", False, math.inf), ("init", False, math.inf), ("opt", True, 3.0)], 3)
    assert in_one_sentence(state, short=True) == (
        "2 of 3 differences between levels are undecided after 3 replicates "
        "(each takes more combinations, not more runs of these)"
    )
    assert in_one_sentence(state).endswith(
        "telling them from zero takes more combinations, not more runs of these"
    )
