"""Names for values: one form, one text, one hash, one seed for the same content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from typing import Any

import numpy as np

JOINED_LATER = {"joined later": True}
"""Metadata of a record's field that is left out of its JSON while it holds its default, so that older hashes stay."""
SHORT = 64
"""Entries up to which an array stands in full."""


def plain(value: Any) -> Any:
    """Return the one form of a value in JSON: records, tuples, arrays and enumerations as what they hold.

    Long arrays stand as hashes, numbers that are not finite as text, and what else JSON does not know by its type.

    >>> plain({"shares": (0.5, float("inf")), "kind": int})
    {'shares': [0.5, 'inf'], 'kind': 'builtins.int'}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case Enum():
            return plain(value.value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case set() | frozenset():
            return sorted((plain(each) for each in value), key=canonical_json)
        case np.generic():
            return plain(value.item())
        case np.ndarray():
            return plain(value.tolist()) if value.size <= SHORT else _long_array(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value) if each.init}
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _long_array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    content = np.ascontiguousarray(array)
    return {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "sha256": hashlib.sha256(content.tobytes()).hexdigest(),
    }


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, finite numbers only, records as their fields.

    >>> canonical_json({"b": (1, 2.0), "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    return _ENCODER.encode(value)


def _fields(record: Any) -> dict[str, Any]:
    if not dataclasses.is_dataclass(record):
        raise TypeError(
            f"{record!r} has no form in JSON; expected texts, numbers, lists, mappings or dataclasses of them"
        )
    names, silent = _layout(type(record))  # type: ignore[arg-type]  # classes have hashes
    values = {name: getattr(record, name) for name in names}
    return {name: value for name, value in values.items() if name not in silent or value != silent[name]}


@cache
def _layout(kind: type[Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the names of a record's fields, and the defaults at which some are left out."""
    fields = dataclasses.fields(kind)
    return tuple(each.name for each in fields), {
        each.name: each.default for each in fields if each.metadata == JOINED_LATER
    }


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=_fields)


def content_hash(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal.

    >>> content_hash({"a": 1, "b": 2})[:12], content_hash({"b": 2, "a": 1})[:12]
    ('43258cff783f', '43258cff783f')
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@lru_cache(maxsize=4096)
def seed_from(*names: str | int) -> int:
    """Derive a 32-bit seed from names, so that it depends neither on order nor on what else a study holds.

    >>> seed_from("TrustDilemma-v1", "IPPO", 99) == seed_from("TrustDilemma-v1", "IPPO", 100)
    False
    """
    entropy = int(content_hash(names)[:32], 16)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
