"""Rewards designed for one seat of a game, and what there is to say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.agents import make_agent
from coopgym.algorithms.reward_models.designed import DesignTable, table_of
from coopgym.games.game import AnyGame
from coopgym.oracles.tabular import AdaptiveScore, Design, Expert, design_rewards
from coopgym.oracles.tabular.abstraction import Abstraction, Fidelity, abstract_game, fidelity
from coopgym.typing import FloatArray

METHODS = ("exprd", "expadard")
SHOWN = 0.005
"""Changes smaller than this, in units of the reward, are not worth a word."""


@dataclass(frozen=True)
class DesignedReward:
    """A reward designed on the abstraction of a game.

    Attributes:
        abstraction: of one seat among its partners.
        expert: of the abstraction.
        design: the reward on the abstraction's states.
        method: that designed it.
        plain: informativeness of the original reward.
        fidelity: of the abstraction to the game.
        partner: who sits in all other seats.
    """

    abstraction: Abstraction
    expert: Expert
    design: Design
    method: str
    plain: float
    fidelity: Fidelity
    partner: str

    @property
    def change(self) -> FloatArray:
        """What is added to the original reward, ``(S, A)``."""
        return self.design.reward - self.abstraction.mdp.reward

    @property
    def keeps_optimum(self) -> bool:
        """What the audit says: whether the process under the designed reward, solved anew, has the same optimum."""
        return self.expert.keeps_optimum(self.design.reward)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row per rewarded situation and level whose reward changes."""
        told = self.abstraction
        for state in self.design.states:
            situation = int(told.known[state])
            low, high = told.situations.trust_range(situation)
            for action in np.flatnonzero(np.abs(self.change[state]) >= SHOWN):
                yield {
                    "game": told.game.id,
                    "seat": told.seat,
                    "method": self.method,
                    "situation": told.situations.words(situation),
                    "trust_from": low,
                    "trust_to": high,
                    "level": float(told.levels[action]),
                    "optimal": bool(self.expert.optimal[state, action]),
                    "added": float(self.change[state, action]),
                }

    @property
    def table(self) -> DesignTable:
        """The design as the transform ``designed`` reads it; situations that did not occur are paid as the nearest."""
        told = self.abstraction
        rows = [
            (situation, self.change[state])
            for situation, state in enumerate(told.state_of)
            if state in self.design.states
        ]
        return table_of(told.game, told.seat, len(told.levels), told.situations, rows)

    def said(self) -> str:
        """Say how informative it is, what the audit says, and how far to trust the abstraction."""
        told, far = self.abstraction, self.fidelity
        audit = "stays optimal" if self.keeps_optimum else "does NOT stay the only optimum"
        return (
            f"informativeness {self.plain:.4f} before, {self.design.informativeness:.4f} after (0 is the most)\n"
            f"audit: the optimal policy {audit} under the designed reward, solved anew\n"
            f"abstraction: {len(told.known)} situations from {int(told.visits.sum())} steps; its values miss returns "
            f"in the game by {far.mean_error:.0%} of their span on average, {far.largest_error:.0%} at most; "
            f"its optimum earns {far.played[0]:.1f} where {far.promised[0]:.1f} were promised"
        )


def design_for(
    game: AnyGame,
    partner: str = "TitForTat",
    seat: int = 0,
    *,
    budget: int = 5,
    method: str = "exprd",
    reward: str = "private",
    seed: int = 0,
) -> DesignedReward:
    """Design a reward for one seat, whose partners are all of one kind.

    ``expadard`` designs for a learner that knows nothing yet and plays all levels alike, in the situations that
    ``exprd`` would choose. No reward changes by more than the original ones are apart.

    Args:
        game: on the NumPy backend.
        partner: name of an agent.
        seat: whose reward it is.
        budget: situations to reward.
        method: one of `METHODS`.
        reward: the mode that is designed for.
        seed: of the play that the abstraction is estimated from.

    Raises:
        ValueError: an unknown method or partner, no such seat, or more situations than there are.
        SolverError: no reward keeps the optimum.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known methods: {', '.join(METHODS)}")
    if budget < 1:
        raise ValueError(f"budget={budget}: expected at least 1 situation to reward")
    partners = [make_agent(partner) for _ in range(game.n_agents - 1)]
    told = abstract_game(game, partners, seat, reward=reward, seed=seed)
    if budget > len(told.known):
        raise ValueError(f"budget={budget}: only {len(told.known)} situations occur in {game.id} against {partner}")
    expert, original = Expert(told.mdp), told.mdp.reward
    bound = float(np.ptp(original[:-1]))
    design = design_rewards(expert, budget, bound=bound, begin=original)[-1]
    if method == "expadard":
        naive = np.full(original.shape, 1.0 / original.shape[1])
        score = AdaptiveScore(expert, naive, told.start, terminal=[len(told.known)])
        adapted = score.best_reward(bound=bound, states=design.states, begin=original)
        design = Design(adapted, design.states, expert.informativeness(adapted))
    return DesignedReward(told, expert, design, method, expert.informativeness(original), fidelity(told), partner)
