"""Facts of certificates that are kept, as they are read: light, for whoever only tells them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
CERTIFICATES = RESULTS / "certificates.json"
COMMITMENTS = RESULTS / "commitment-v1.json"


@cache
def kept_certificates() -> dict[str, dict[str, Any]]:
    """Return the kept facts by game."""
    found: dict[str, dict[str, Any]] = json.loads(CERTIFICATES.read_text(encoding="utf-8"))
    return found


@cache
def kept_commitments() -> dict[str, dict[str, Any]]:
    """Return what is kept of commitment play in the formal edition, by game."""
    kept: dict[str, dict[str, Any]] = json.loads(COMMITMENTS.read_text(encoding="utf-8"))["games"]
    return kept
