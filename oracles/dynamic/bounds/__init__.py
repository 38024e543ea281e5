"""How far a plan can be from the optimum: an upper bound on the sum of returns, where one can be proved.

`optimistic` is the general argument, which needs nothing but declared traits; its neighbours are arguments for single
games that ask for more. `register` adds one.
"""

from coopgym.oracles.dynamic.bounds import coalition, gift_exchange, hold_up, negotiation, partner_selection
from coopgym.oracles.dynamic.bounds.gap import Gap, certified_gap
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register

__all__ = [
    "Gap",
    "OptimisticBound",
    "certified_gap",
    "coalition",
    "gift_exchange",
    "hold_up",
    "negotiation",
    "partner_selection",
    "register",
]
