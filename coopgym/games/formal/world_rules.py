"""What a world adds to a formal game: its state, its draws, and what each seat sees of it (`coopgym.worlds`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from coopgym.backend import Array, Backend
from coopgym.games.game import required
from coopgym.games.state import State
from coopgym.games.traits import WorldTraits
from coopgym.typing import FloatArray
from coopgym.visible_text import brief
from coopgym.worlds import World, factor_share

StateT = TypeVar("StateT", bound=State)

DRAWN = ("cost_factor", "synergy_factor")
"""State that a world draws, and no action moves."""
SIGNS: Mapping[str, int] = {"cost_factor": -1, "synergy_factor": 1, "payoff_share": 0}
"""State that a world adds → whether payoffs rise with it (1), fall (-1) or do neither."""


class WorldRules:
    """A world in one game.

    Args:
        world: how factors are drawn.
        spread: s; factors lie between 1/s and s.
        payoffs: the least and the greatest stage payoff of each seat, both ``(N,)``.
        backend: of the game.
    """

    def __init__(self, world: World, spread: float, payoffs: tuple[FloatArray, FloatArray], backend: Backend) -> None:
        low, high = payoffs
        self.traits = WorldTraits(world, spread, least=low, greatest=high)
        self.world, self.spread, self.xp = world, spread, backend.xp
        self.n_agents = len(low)
        self.reset_uniforms, self.step_normals = world.reset_uniforms(len(low)), world.step_normals(len(low))
        self._least, self._width = backend.array(low), backend.array(high - low)

    def in_words(self) -> str:
        """Return what players are told: what is drawn, and how observations show what they see of it."""
        spread = f"{self.spread:g}"
        scale = "payoff_share is your last payoff between the least (0) and the greatest (1) that a step can pay"
        if self.world.private:
            scale += f", cost_factor where yours lies between 1/{spread} (0) and {spread} (1), on a logarithmic scale"
        return f"{self.world.summary} Factors lie between 1/{spread} and {spread}. In what you see, {scale}."

    def initial(self, uniforms: Array | None) -> dict[str, Any]:
        """Return the state that a reset adds, from all of the reset's uniform numbers, of which a world's are last."""
        drawn = required(uniforms, "uniforms")[..., -self.reset_uniforms :]
        cost, synergy = self.world.factors(drawn, self.n_agents, self.spread, self.xp)
        return {"cost_factor": cost, "synergy_factor": synergy, "payoff_share": 0.5}

    def check(self, cost: Array) -> None:
        """Refuse cost factors ``(..., N)`` that differ between the seats of a common world.

        Raises:
            ValueError: they do.
        """
        if not self.world.private and bool((cost != cost[..., :1]).any()):
            raise ValueError(
                f"option world: in a {self.world.name} world all seats have one cost factor, got cost={brief(cost)}; "
                "make the game with world='private' for factors of their own"
            )

    def after(self, before: StateT, after: StateT, payoffs: Array, normals: Array | None) -> StateT:
        """Return the next state with its world: the factors, new ones where it shifts, and what each seat earned.

        Args:
            before: the state that was played in.
            after: the next state without its world.
            payoffs: ``(..., N)`` of the step.
            normals: all of the step's standard normal numbers, of which a world's are last.
        """
        cost, synergy = before.cost_factor, before.synergy_factor
        if self.world.shifts:
            drawn = required(normals, "normals")[..., -self.step_normals :]
            cost, synergy = self.world.shifted(cost, synergy, drawn, self.spread, self.xp)
        share = (payoffs - self._least) / self._width
        bounded = self.xp.minimum(self.xp.maximum(share, 0.0), 1.0)
        return dataclasses.replace(after, cost_factor=cost, synergy_factor=synergy, payoff_share=bounded)

    def private_blocks(self, state: State) -> dict[str, Array]:
        """What only its owner sees: what it earned last and, where seats differ, its own cost."""
        seen = {"payoff_share": state.payoff_share}
        if self.world.private:
            seen["cost_factor"] = factor_share(state.cost_factor, self.spread, self.xp)
        return seen

    def hidden_blocks(self, state: State) -> dict[str, Array]:
        """What only the full view shows: the factors that no seat sees."""
        unseen = {"synergy_factor": factor_share(state.synergy_factor[..., None], self.spread, self.xp)}
        if not self.world.private:
            unseen["cost_factor"] = factor_share(state.cost_factor[..., :1], self.spread, self.xp)
        return unseen
