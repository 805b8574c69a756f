"""The records that a report opens with; terminal, page, findings.txt and dashboard render them."""

from __future__ import annotations

from dataclasses import dataclass, replace

MOST_LINES = 3
"""More nobody reads before looking at the table."""


@dataclass(frozen=True, slots=True)
class BriefRow:
    """One question of a study and its answer.

    Attributes:
        about: what the effect is a difference of; rows of one `about` stand together.
        asked: the factor, the pair of factors or the claim.
        levels: what is compared: "he over naive"; "" where the question says it.
        effect: the difference with its unit, "" where there is none to tell.
        interval: its 95 % interval, "" where it has none.
        verdict: of `Study.judgement`.
        p: Holm-adjusted over all questions it was judged with, in words; "" of none.
        needed: "decided", else what deciding it would take.
        reason: of a claim: the verdict in a sentence; "" elsewhere.
    """

    about: str
    asked: str
    levels: str
    effect: str
    interval: str
    verdict: str
    p: str
    needed: str
    reason: str = ""

    @property
    def question(self) -> str:
        """What was asked, with the levels that are compared."""
        return f"{self.asked}: {self.levels}" if self.levels else self.asked

    @property
    def left(self) -> str:
        """What is left to decide; "" of what is decided."""
        return self.needed.removeprefix("decided").removeprefix("; ")

    @property
    def kind(self) -> str:
        """The verdict as one word of letters, for a style."""
        return "".join(filter(str.isalpha, self.verdict.removesuffix(" so far")))


@dataclass(frozen=True, slots=True)
class CellMap:
    """The mean of every combination of levels.

    Attributes:
        title: the outcome, and which factors run which way.
        heads: lines above the columns, the levels of one factor each.
        rows: a name and one number as text for each column.
    """

    title: str
    heads: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """What a report opens with.

    Attributes:
        lines: at most `MOST_LINES` sentences.
        rows: of the table, what is sure first.
        cells: the means that the heat map shows, None where a terminal has no room for them.
    """

    lines: tuple[str, ...]
    rows: tuple[BriefRow, ...] = ()
    cells: CellMap | None = None

    def followed_by(self, sentence: str) -> Brief:
        """With a sentence at the end, in place of the last where there would be too many."""
        return replace(self, lines=(*self.lines[: MOST_LINES - 1], sentence))

    @property
    def unit(self) -> str:
        """The unit of every effect, "" where they have none or several."""
        units = {row.effect.partition(" ")[2] for row in self.rows if row.interval}
        return units.pop() if len(units) == 1 else ""

    @property
    def groups(self) -> dict[str, list[BriefRow]]:
        """Rows by what they are about, in their order."""
        found: dict[str, list[BriefRow]] = {}
        for row in self.rows:
            found.setdefault(row.about, []).append(row)
        return found
