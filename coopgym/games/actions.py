"""What may be an action: real numbers, and nothing that merely could be turned into some; and what they stand for."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.spec import ActionUnit
from coopgym.visible_text import brief

ROUNDING = 1e-6
"""Actions may miss their range by this part of it: the rounding of single precision."""
ACTION_UNITS: tuple[ActionUnit, ...] = get_args(ActionUnit)
_REAL_KINDS = "biuf"
"""Kinds of arrays whose values are real numbers."""


def real_numbers(values: Any) -> Any:
    """Return numbers as a floating array; tensors stay as they are.

    Raises:
        ValueError: something else, such as texts, bytes, dates, complex numbers, objects or masked entries: turning
            these into numbers would lose what they say.
    """
    if type(values) is np.ndarray and values.dtype.kind == "f":
        return values
    if hasattr(values, "is_complex"):  # a tensor, which stays on its device
        if values.is_complex():
            raise ValueError("got complex numbers")
        return values
    if isinstance(values, bytes | bytearray):
        raise ValueError(f"got bytes, {brief(values)}")
    if _has_gaps(values):
        raise ValueError("got masked entries, which have no value")
    array: npt.NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in _REAL_KINDS:
        raise ValueError(f"got {brief(values)} of type {array.dtype.name}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _has_gaps(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(map(_has_gaps, values))
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.getmaskarray(values).any())


class ActionScale:
    """How the numbers that a controller sends stand for cooperation levels: affinely, seat by seat.

    Attributes:
        unit: ``"units"`` of endowment in [0, e_i], ``"share"`` of it in [0, 1], or ``"symmetric"`` in [-1, 1], where -1
            is nothing and 1 is all of it.
        low: ``(N,)`` smallest numbers.
        high: ``(N,)`` largest numbers.
    """

    def __init__(self, game: AnyGame, unit: str | None = None) -> None:
        """Choose a unit; None is the game's default.

        Raises:
            ValueError: no such unit.
        """
        self.unit = _checked_unit(game, unit)
        endowments = game.spec.endowments
        self.high = endowments if self.unit == "units" else np.ones_like(endowments)
        self.low = np.full_like(endowments, -1.0 if self.unit == "symmetric" else 0.0)
        self._lowest = game.backend.array(self.low)
        self._per_number = game.backend.array(endowments / (self.high - self.low))

    @property
    def same_for_all_seats(self) -> bool:
        """Whether seats with different endowments send the same numbers."""
        return self.unit != "units"

    def levels(self, numbers: Array) -> Array:
        """Return the cooperation levels in endowment units that numbers ``(..., N)`` stand for."""
        return numbers if self.unit == "units" else (numbers - self._lowest) * self._per_number

    def describe(self, seat: int) -> str:
        """Say which numbers a seat may send."""
        low, high = self.low[seat], self.high[seat]
        meaning = {
            "units": "units of endowment",
            "share": "shares of endowment",
            "symmetric": "numbers from -1, nothing, to 1, the whole endowment,",
        }[self.unit]
        return f"{meaning} in [{low:g}, {high:g}]"

    def advice(self, game: AnyGame, seat: int, number: float) -> str:
        """Say what to do about a number that a seat may not send."""
        endowment = float(game.spec.endowments[seat])
        if self.unit != "units" and self.high[seat] < number <= endowment:
            return f"endowment units need actions='units' when the environment is made, here up to {endowment:g}"
        return "clip or rescale before stepping"


def _checked_unit(game: AnyGame, unit: str | None) -> ActionUnit:
    if unit is None:
        return game.spec.default_actions
    if unit not in ACTION_UNITS:
        known = ", ".join(map(repr, ACTION_UNITS))
        raise ValueError(f"actions={brief(unit)}: expected one of {known}, or None for {game.spec.default_actions!r}")
    return unit
