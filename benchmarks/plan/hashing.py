"""Names for values: one text, one hash, one seed for the same content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, finite numbers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def seed_from(*names: str | int) -> int:
    """Derive a 32-bit seed from names, so that it depends neither on order nor on what else a study holds."""
    entropy = int(content_hash(names)[:32], 16)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
