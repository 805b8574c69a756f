"""Where this machine keeps what it made or downloaded once, for every run on it."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$ABLATIONS_CACHE`, or the user's cache folder; it need not exist."""
    given = os.environ.get("ABLATIONS_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("ablations"))
