"""The report of a study: one page, its figures, tables for a paper, every number as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.report.current import findings, is_current

if TYPE_CHECKING:
    from analysis.report.write import write_report

__all__ = ["findings", "is_current", "write_report"]


def __getattr__(name: str) -> Any:
    """Import the drawing libraries when a report is written, and not to ask for its findings."""
    if name == "write_report":
        from analysis.report.write import write_report

        return write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
