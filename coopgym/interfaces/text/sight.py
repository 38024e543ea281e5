"""What a desk's observation shows, in numbers."""

from __future__ import annotations

import numpy as np

from coopgym.interfaces.text.desk import Desk
from coopgym.interfaces.text.levels import short_number
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


def shown_blocks(desk: Desk) -> dict[str, FloatArray]:
    """Return the blocks of the observation; levels as shares of endowment, whatever their unit in the observation."""
    blocks = {
        name: desk.observation[columns]
        for name, columns in desk.seat.columns.items()
        if columns and name not in _REPEATED
    }
    blocks["own_action"] = np.array([desk.last_own])
    if desk.sees_partners:
        blocks["partner_actions"] = desk.last_partners
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


def situation(desk: Desk) -> str:
    """Write what a seat sees in few characters: last levels, mean relations, and stocks that are one number."""
    parts = [("me", desk.last_own)]
    if desk.sees_partners:
        parts.append(("they", float(desk.last_partners.mean())))
    for block, word in (("trust", "trust"), ("damage", "rep")):
        values = desk.seen(block)
        if values is not None:
            parts.append((word, float(values.mean())))
    for name, columns in desk.seat.columns.items():
        if len(columns) == 1 and name not in _NO_STOCKS:
            parts.append((name, float(desk.observation[columns[0]])))
    return " ".join(f"{word} {short_number(value)}" for word, value in parts)
