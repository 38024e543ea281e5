"""Where things are kept between runs that can be had again at any time."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "COOPGYM_CACHE"
"""Environment variable: the folder of what is kept; by default ``coopgym`` in the user's folder of caches."""


def cache_folder() -> Path:
    """Return the folder, which need not exist: ``$COOPGYM_CACHE``, else ``coopgym`` among the user's caches."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coopgym"
