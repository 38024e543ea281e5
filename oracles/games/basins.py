"""What commitment play settles on: equilibria, isolated or in continua, and the boundaries between their basins.

Basins are those of best-response dynamics: every seat moves towards its best response to the others, all at the same
rate,

    dc_i/dt = BR_i(c) - c_i,    BR_i(c) = argmax_y u_i(y, c_-i).

Exchangeable seats that start alike stay alike, so that one number, the common share, decides where they end. Two
unequal seats are followed while the second answers at once: the equilibria and their stability are the same, basins are
told by the first seat's share. Where there are more kinds of seats they answer in turn on the game's grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from coopgym.typing import FloatArray

Followed: TypeAlias = Literal["common shares", "answered shares", "starts"]
"""What was followed: everything that seats can play alike, every share of the first of two seats while the second
answers, or play from common starts, in which unstable equilibria were not searched for."""
Stability: TypeAlias = Literal["stable", "half-stable", "unstable"]
"""Whether small departures along what was followed die out, do so on one side only, or grow."""


@dataclass(frozen=True, eq=False)
class Rest:
    """Where best responses come to rest: one equilibrium, or many that stand closer than the grid's points."""

    profiles: FloatArray
    """``(K, N)`` audited equilibria, the first seat's share rising; only one if it is isolated."""
    payoffs: FloatArray
    """``(K,)`` mean material payoff per seat."""
    rewards: FloatArray
    """``(K,)`` mean reward per seat that the seats care about."""
    regret: float
    """Largest gain from deviating alone that the audits found, in utility units."""
    members: int | None
    """Equilibria from the first to the last, counted among shares 1e-4 apart; None where every share between is one."""
    stability: Stability | None
    """None where departures were not followed."""
    basin: tuple[float, float] | None
    """Shares of the first seat from which best responses lead here; None where that is not known."""

    @property
    def isolated(self) -> bool:
        """Whether it is one equilibrium."""
        return self.members == 1

    def only(self, number: int) -> Rest:
        """Return one of the audited equilibria as if it stood alone."""
        one = slice(number, number + 1)
        return replace(
            self, profiles=self.profiles[one], payoffs=self.payoffs[one], rewards=self.rewards[one], members=1
        )


@dataclass(frozen=True)
class Boundary:
    """Where basins meet."""

    share: float
    """Of the first seat."""
    precision: float
    """Distance between the shares on either side that lead to different places."""
    answers: tuple[float, float] | None
    """The first seat's best responses just below and just above, far apart where they jump; None where only starts were
    followed."""
    equilibrium: bool
    """Whether an equilibrium lies there, an unstable one or the end of a continuum."""


@dataclass(frozen=True, eq=False)
class Basins:
    """The equilibria of commitment play under one reward, and where their basins meet."""

    followed: Followed
    norm: float
    """What is expected of the first seat, share of endowment."""
    rests: tuple[Rest, ...]
    """From low to high."""
    boundaries: tuple[Boundary, ...]
    """From low to high."""
    unsettled: tuple[float, ...]
    """Shares at which best responses jump from above to below without an equilibrium: seats alike settle nowhere."""

    @property
    def equilibria(self) -> tuple[Rest, ...]:
        """The isolated equilibria."""
        return tuple(rest for rest in self.rests if rest.isolated)

    @property
    def continua(self) -> tuple[Rest, ...]:
        """The others."""
        return tuple(rest for rest in self.rests if not rest.isolated)

    @property
    def from_norm(self) -> Rest | None:
        """The one equilibrium to which best responses lead when seats start from the norm; None if unknown."""
        return self.reached_from(self.norm)

    def reached_from(self, share: float) -> Rest | None:
        """Return the one equilibrium to which best responses lead when the first seat starts from a share.

        Of a continuum, the audited equilibrium nearest to the share. None where it is unknown, or where seats settle
        nowhere.
        """
        for rest in self.rests:
            if rest.basin is not None and rest.basin[0] <= share <= rest.basin[1]:
                return rest.only(int(np.abs(rest.profiles[:, 0] - share).argmin()))
        return None
