"""The memory of a seat: all that one seat knows in one episode."""

from __future__ import annotations

import numpy as np

from coopgym.agents.base import Seat
from coopgym.games.game import AnyGame
from coopgym.interfaces.text.action_parsing import IllegalCallError
from coopgym.interfaces.text.world_model import WorldModel
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray


class SeatMemory:
    """What one seat has seen, and the game as it imagines it.

    Nothing but observations and the rules gets here, so nothing that the view hides can reach a text. Where the view
    hides what others play, they are imagined at their norms.
    """

    observation: FloatArray
    """``(obs_dim,)`` what the seat sees now."""
    last_own: float
    """Own last share; the norm before the first round."""
    last_partners: FloatArray
    """``(N - 1,)`` last shares of the others, ascending; their norms before the first round or where hidden."""

    def __init__(self, game: AnyGame, seat: Seat, layer: Rewards) -> None:
        self.game = game
        self.seat = seat
        self.layer = layer
        self.world_model = WorldModel(game, layer)
        self.sees_partners = "partner_actions" in seat.columns
        self.own_shares: list[float] = []
        self.partners_shares: list[FloatArray] = []
        """One ``(N - 1,)`` per round played; empty where the view hides them."""
        self.round = -1
        """Rounds played before the choice at hand; -1 before anything was seen."""
        self.payoff_unit = game.spec.payoff_scale
        """Size of one payoff unit."""
        self._columns = {**_relations(seat), **seat.columns}
        self._norms = np.delete(game.spec.baselines / game.spec.endowments, seat.index)

    def see(self, observation: FloatArray) -> None:
        """Take in what the seat sees ``(obs_dim,)`` before its next choice."""
        seat, row = self.seat, observation[None]
        self.observation = observation
        self.last_own = float(seat.own_cooperation(row)[0])
        self.last_partners = seat.partners_cooperation(row)[0] if self.sees_partners else self._norms
        self.round += 1
        if self.round:
            self.own_shares.append(self.last_own)
            if self.sees_partners:
                self.partners_shares.append(self.last_partners)
            self.world_model.note(self.profile(self.last_own, self.last_partners))

    @property
    def remaining(self) -> int:
        """Rounds left, the one at hand included."""
        return self.game.spec.horizon - self.round

    def seen(self, block: str) -> FloatArray | None:
        """Return a named block of the observation, ``(entries,)``, or None where the view hides it."""
        columns = self._columns.get(block)
        return self.observation[columns] if columns else None

    def others(self, levels: float | tuple[float, ...]) -> FloatArray:
        """Return the others' shares ``(N - 1,)`` from one level for all of them or a list.

        Raises:
            IllegalCallError: a list of another length.
        """
        count = self.game.n_agents - 1
        if isinstance(levels, tuple) and len(levels) != count:
            raise IllegalCallError(f"expected one level for everybody else or a list of {count}, got {len(levels)}")
        return np.broadcast_to(np.asarray(levels, dtype=np.float64), (count,))

    def profile(self, own: float | FloatArray, others: FloatArray) -> FloatArray:
        """Join own shares, a number or ``(K,)``, and the others' ``(N - 1,)`` to shares ``(N,)`` or ``(K, N)``."""
        own = np.asarray(own, dtype=np.float64)
        joint = np.empty((*own.shape, self.game.n_agents))
        joint[..., np.arange(self.game.n_agents) != self.seat.index] = others
        joint[..., self.seat.index] = own
        return joint


def _relations(seat: Seat) -> dict[str, list[int]]:
    """Columns of a seat's own relations in a view that shows those of everybody."""
    own, count = seat.index, seat.game.n_agents
    others = [j for j in range(count) if j != own]
    found: dict[str, list[int]] = {}
    for whole, held, received in (("all_trust", "trust", "trust_received"), ("all_damage", "damage", "standing")):
        columns = seat.columns.get(whole, [])
        places = [(i, j) for i in range(count) for j in range(count) if i != j or len(columns) == count**2]
        by_pair = dict(zip(places, columns, strict=bool(columns)))
        if by_pair:
            found[held] = [by_pair[own, j] for j in others]
            found[received] = [by_pair[j, own] for j in others]
    return found
