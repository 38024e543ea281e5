"""One step of play, with all that a reward or a sum over an episode may look at."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State


@dataclass(slots=True)
class Step:
    """What happened between two decisions in a batch ``(...)`` of episodes that were started together."""

    game: AnyGame
    t: int
    """Steps played before this one; an array ``(...)`` where episodes were started apart."""
    before: State
    """The state in which the agents chose."""
    actions: Array
    """``(..., N)`` what they played, in endowment units."""
    transition: Transition
    """The state it led to, and what it paid."""
    alive: Array | None = None
    """``(...)`` episodes that had not ended before; None for all."""
    rewards: Array = None
    """``(..., N)``, None where nobody asked for them."""

    @property
    def ended(self) -> Array:
        """``(...)`` episodes that this step ended: the relation broke up, or the game's horizon is reached."""
        return self.transition.terminated | self.transition.truncated
