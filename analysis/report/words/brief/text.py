"""The lines and the table for a terminal and findings.txt, and in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.report.words.brief.records import Brief, BriefRow

HEADS = ("", "Effect [95% interval]", "Verdict", "To decide it")
WIDTH = 110
"""Letters of a line of the table; a question too long for that stands on a line of its own."""


def plain(brief: Brief) -> list[str]:
    """Lines for a terminal: the sentences, then the table in columns, then all combinations."""
    cells = cell_lines(brief)
    lines = [*brief.lines, *([""] if brief.rows else []), *table_lines(brief)]
    return [*lines, *([""] if cells else []), *cells]


def cell_lines(brief: Brief) -> list[str]:
    """The mean of every combination in columns; none where that is wider than a terminal."""
    if brief.cells is None:
        return []
    table = [*(("", *head) for head in brief.cells.heads), *brief.cells.rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    if sum(widths) + 2 * len(widths) + 2 > WIDTH:
        return []
    lines = [brief.cells.title]
    for name, *cells in table:
        numbers = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([f"  {name:{widths[0]}}", *numbers]).rstrip())
    return [line for line in lines if line]


def table_lines(brief: Brief) -> list[str]:
    """The table alone: a line a row under the name of what it is about."""
    if not brief.rows:
        return []
    names = [row.question for row in brief.rows]
    cells = [(_effect(row), row.verdict, row.needed) for row in brief.rows]
    widths = [max(len(row[place]) for row in (*cells, HEADS[1:])) for place in range(3)]
    first = max(min(max(map(len, names)) + 2, WIDTH - sum(widths) - 6), 8)
    lines: list[str] = []
    for about, rows in brief.groups.items():
        head = (about, *HEADS[1:]) if not lines else (about,)
        lines += _line(head, first, widths)
        for row in rows:
            shown = (f"  {row.question}", _effect(row), row.verdict, row.needed)
            lines += _line(shown, first, widths)
    return lines


def _line(cells: Sequence[str], first: int, widths: Sequence[int]) -> list[str]:
    """One row; its first cell on a line of its own where it is too long for the column."""
    head, *rest = cells
    told = "  ".join(cell.ljust(width) for cell, width in zip(rest, widths, strict=False)).rstrip()
    if not told:
        return [head]
    if len(head) > first:
        return [head, f"{'':{first}}  {told}"]
    return [f"{head:{first}}  {told}"]


def _effect(row: BriefRow) -> str:
    return f"{row.effect} {row.interval}".strip()


def markdown(brief: Brief, escape: Callable[[str], str]) -> list[str]:
    """The lines as paragraphs and the table as one of Markdown; `escape` for what people named."""
    lines = [line for text in brief.lines for line in (escape(text), "")]
    if not brief.rows:
        return lines
    lines += ["| | Effect \\[95% interval\\] | Verdict | To decide it |", "|---|---|---|---|"]
    for about, rows in brief.groups.items():
        lines.append(f"| **{_cell(about, escape)}** | | | |")
        for row in rows:
            cells = (row.question, _effect(row), row.verdict, row.needed)
            lines.append(f"| {' | '.join(_cell(one, escape) for one in cells)} |")
    return [*lines, ""]


def _cell(text: str, escape: Callable[[str], str]) -> str:
    """Text that no bar ends the cell of; claims hold bars."""
    escaped = escape(text)
    return escaped if "\\|" in escaped else escaped.replace("|", "\\|")
