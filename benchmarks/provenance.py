"""Where numbers come from: versions of the code and of what it stands on."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def package_version() -> str:
    """Version of the installed coopgym distribution, ``unknown`` when run from bare sources."""
    try:
        return version("coopgym")
    except PackageNotFoundError:
        return "unknown"


@cache
def git_revision() -> str | None:
    """Commit of the checkout this file is in; None outside a checkout or without git."""
    command = ["git", "-C", str(Path(__file__).resolve().parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def versions() -> dict[str, str | None]:
    """Return the version columns of ``runs``; torch only where it was used."""
    return {
        "package_version": package_version(),
        "git_revision": git_revision(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch") if "torch" in sys.modules else None,
    }
