"""Arrays of one kind of entry."""

from __future__ import annotations
