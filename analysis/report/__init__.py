"""The report of a study: one page, its figures, tables for a paper, every number as a file.

begin     `write_report`               current      whether it is still true, what it found
write     everything in its order      exports      outcomes and tables as files
press     two processes for it         curve_files  learning curves as files
gallery/  the figures of a study       plots        `study.plot`
page/     the HTML page                words/       sentences and tables
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.report.begin import write_report
    from analysis.report.current import findings, is_current

__all__ = ["findings", "is_current", "write_report"]

_HOMES = {"findings": "current", "is_current": "current", "write_report": "begin"}


def __getattr__(name: str) -> Any:
    """Import on first use: the press starts before pandas is imported."""
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis.report' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"analysis.report.{_HOMES[name]}"), name)
