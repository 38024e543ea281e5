"""What a seat's observation shows, in numbers."""

from __future__ import annotations

import numpy as np

from coopgym.interfaces.text.action_parsing import short_number
from coopgym.interfaces.text.seat_memory import SeatMemory
from coopgym.typing import FloatArray

LISTED = 12
"""Up to here the entries of a block are listed one by one."""
FEW = 4
"""Up to here the same holds where every character costs."""

_REPEATED = {"seat", "actions", "trust_row", "damage_row", "dependence_row"}
"""Blocks that say again what others say, or nothing."""
_RELATIONS = {"trust", "trust_received", "damage", "standing", "dependence", "public_damage"}
_WHOLE = {"all_trust", "all_damage", "all_dependence", "all_private"}
_NO_STOCKS = {"own_action", "partner_actions", "time"} | _REPEATED | _RELATIONS | _WHOLE


def shown_blocks(memory: SeatMemory) -> dict[str, FloatArray]:
    """Return the blocks of the observation; levels as shares of endowment, whatever their unit in the observation."""
    blocks = {
        name: memory.observation[columns]
        for name, columns in memory.seat.columns.items()
        if columns and name not in _REPEATED
    }
    blocks["own_action"] = np.array([memory.last_own])
    if memory.sees_partners:
        blocks["partner_actions"] = memory.last_partners
    return blocks


def row(values: FloatArray, decimals: int = 2) -> list[float] | dict[str, float]:
    """Return numbers as a list, or what a long list comes to."""
    if len(values) <= LISTED:
        return [round(float(value), decimals) for value in values]
    facts = {"mean": values.mean(), "least": values.min(), "greatest": values.max()}
    return {"entries": len(values), **{name: round(float(value), decimals) for name, value in facts.items()}}


def short_row(values: FloatArray) -> str:
    """Write a few numbers one by one, and the mean of many."""
    shown = values if len(values) <= FEW else [values.mean()]
    return " ".join(short_number(float(value)) for value in shown)


def situation(memory: SeatMemory) -> str:
    """Write what a seat sees in few characters: last levels, mean relations, and stocks that are one number."""
    parts = [("me", memory.last_own)]
    if memory.sees_partners:
        parts.append(("they", float(memory.last_partners.mean())))
    for block, word in (("trust", "trust"), ("damage", "rep")):
        values = memory.seen(block)
        if values is not None:
            parts.append((word, float(values.mean())))
    for name, columns in memory.seat.columns.items():
        if len(columns) == 1 and name not in _NO_STOCKS:
            parts.append((name, float(memory.observation[columns[0]])))
    return " ".join(f"{word} {short_number(value)}" for word, value in parts)
