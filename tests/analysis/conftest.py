"""A browser for tests that look at pages, and reports to look at."""

from tests.analysis.written import partial, written
from tests.browser import browser, page

__all__ = ["browser", "page", "partial", "written"]
