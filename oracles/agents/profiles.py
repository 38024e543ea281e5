"""Oracles that play what they computed before the first step."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from coopgym.games.game import AnyGame
from coopgym.oracles.agents import reference_profiles, solutions
from coopgym.oracles.agents.base import Oracle, PublishedEquilibrium, PublishedOracle, checked_select
from coopgym.oracles.agents.solutions import Select, Solution
from coopgym.oracles.dynamic.informed import drawn_states
from coopgym.oracles.games.normal_form import CommitmentGame, StageGame
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.play import CommonRandomNumbers
from coopgym.typing import FloatArray
from coopgym.worlds import TEST_SEEDS


class Equilibrium(PublishedEquilibrium):
    """Coopetitive equilibrium: mutual best responses of one step under integrated reward, trust full, damage nil."""

    version: ClassVar[int] = 2
    citation = "TR-1 Eq. 13 (coopetitive utility); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "coopetition"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.equilibrium(game)

    def compute(self, game: AnyGame) -> Solution:
        return solutions.coopetitive_equilibrium(game, self.select, initial_state(game, trust=1.0, damage=0.0))


class Nash(PublishedEquilibrium):
    """Nash equilibrium of one step under private reward, in the state at reset."""

    citation = "Nash, J. (1951). Non-cooperative games. Ann. Math. 54, 286-295; TR-3 Eq. 2 for the published one."
    published_for = "team"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.nash(game)

    def compute(self, game: AnyGame) -> Solution:
        return solutions.equilibrium(StageGame(game, "private"), self.select)


class SocialOptimum(PublishedOracle):
    """Constant profile with the highest welfare over the whole episode, on the grid of the commitment game."""

    citation = "TR-3 (social optimum of team production); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "team"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.social_optimum(game)

    def compute(self, game: AnyGame) -> Solution:
        return solutions.optimum(game, "private")


class Loyalty(PublishedEquilibrium):
    """Coopetitive equilibrium of one step of a loyal team: loyalty at 0.9 of its maximum, trust full, damage nil."""

    citation = "TR-3 Eq. 3, 5 (loyalty); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "team"
    needs = "loyalty"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.loyalty(game)

    def compute(self, game: AnyGame) -> Solution:
        loyalty = solutions.LOYAL * game.parameters.loyalty_max  # type: ignore[attr-defined]  # loyal teams have it
        return solutions.coopetitive_equilibrium(
            game, self.select, initial_state(game, trust=1.0, damage=0.0, loyalty=loyalty)
        )


class ReciprocityEquilibrium(PublishedEquilibrium):
    """Coopetitive equilibrium at trust min(0.95, T0 + 0.35) among agents who remember just what is played."""

    version: ClassVar[int] = 2
    citation = "TR-4 Eq. 19-25, 44 (bounded reciprocity); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "reciprocity"
    needs = "reciprocity"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.reciprocity_equilibrium(game)

    def compute(self, game: AnyGame) -> Solution:
        return solutions.reciprocity_equilibrium(game, self.select)


class BestConstant(Oracle):
    """Constant profile with the largest sum of the seat's own reward mode over the whole episode."""

    citation = "Best joint constant in hindsight; formal edition, commitment game."
    follows_reward = True

    def solve(self, game: AnyGame) -> Solution:
        return solutions.optimum(game, self.seat.reward)


class CommitmentNash(Oracle):
    """Nash equilibrium when every seat commits to one share for the whole episode, in the seat's own reward mode."""

    citation = "Nash, J. (1951). Non-cooperative games. Ann. Math. 54, 286-295."
    follows_reward = True

    def __init__(self, select: Select = "stable") -> None:
        """Choose between equilibria, as `checked_select` says."""
        self.select = checked_select(select)

    def settings(self) -> tuple[Hashable, ...]:
        return (self.seat.reward, self.select)

    def solve(self, game: AnyGame) -> Solution:
        return solutions.equilibrium(CommitmentGame(game, self.seat.reward), self.select)


class Uninformed(Oracle):
    """Level per group of exchangeable seats that earns most welfare on average over the test draws of a world.

    Knows how draws fall and sees none of them: what scores 0 in worlds. In the fixed world there is one draw.
    """

    citation = "Best joint constant in hindsight, over all draws that play in a world is scored on."

    def solve(self, game: AnyGame) -> Solution:
        if game.traits().world is None:
            return solutions.uninformed_level(game, repeated(game, initial_state(game), (1,)))
        draws = CommonRandomNumbers(game, TEST_SEEDS[0], len(TEST_SEEDS))
        return solutions.uninformed_level(game, drawn_states(game, TEST_SEEDS), draws)


class Planner(Oracle):
    """Open-loop plan with the largest sum of the seat's reward mode over the whole episode."""

    citation = "Optimal control of the repeated game by all seats together."
    follows_reward = True

    def solve(self, game: AnyGame) -> Solution:
        from coopgym.oracles.dynamic.planner import plan

        best = plan(game, self.seat.reward)
        text = f"{best.status}: {best.reward} value {best.value:.4f}, {best.agreeing} of {best.restarts} searches agree"
        return Solution(best.shares, "computed", best.residual, None, text)
