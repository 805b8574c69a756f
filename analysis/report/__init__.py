"""The report of a study: one page, its figures, tables for a paper, every number as a file."""

from analysis.report.begin import write_report
from analysis.report.current import findings, is_current

__all__ = ["findings", "is_current", "write_report"]
