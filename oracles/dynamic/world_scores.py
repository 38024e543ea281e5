"""Score agents in a world: between the best uninformed level and the informed plans of the very draws they meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coopgym.agents import Agent
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.games.state import State
from coopgym.oracles.dynamic.informed import (
    UninformedLevel,
    best_uninformed,
    drawn_states,
    known_plans,
    plan_ahead,
    welfare_score,
    with_factors,
)
from coopgym.play import CommonRandomNumbers, Draws, Totals, play, unroll
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class WorldAnchors:
    """The two ends of the welfare score on some draws."""

    seeds: range
    uninformed: UninformedLevel
    """Scores 0."""
    informed: FloatArray
    """``(B,)`` welfare of the informed plans, which score 1."""


def world_anchors(game: AnyGame, seeds: range) -> WorldAnchors:
    """Compute the ends of the welfare score on the draws of consecutive seeds.

    Args:
        game: on the NumPy backend.
        seeds: of the episodes, such as `coopgym.worlds.TEST_SEEDS`.

    Raises:
        ImportError: torch is not installed.
        ValueError: the seeds are not consecutive.
    """
    if seeds.step != 1 or not seeds:
        raise ValueError(f"seeds={seeds}: expected consecutive ones, at least one")
    openings, draws = drawn_states(game, seeds), CommonRandomNumbers(game, seeds[0], len(seeds))
    return WorldAnchors(seeds, best_uninformed(game, openings, draws), informed_welfare(game, openings, draws))


def informed_welfare(game: AnyGame, openings: State, draws: Draws) -> FloatArray:
    """Return what all seats earn together ``(B,)`` who are told the present factors and play the plan for them.

    Where a world shifts, the plan is made anew for the new factors as if they had held from the opening, and goes on
    at the present step.

    Args:
        game: on the NumPy backend.
        openings: ``(B,)`` opening states.
        draws: the chance of every step.
    """
    plan_ahead(game, openings, draws)

    def follow(t: int, state: State) -> FloatArray:
        return known_plans(game, with_factors(openings, state))[t] * game.endowments

    welfare: FloatArray = Totals.of(unroll(game, follow, start=openings, draws=draws)).welfare
    return welfare


def world_score(game: AnyGame, agents: Sequence[Agent], anchors: WorldAnchors, views: View | None = None) -> float:
    """Play the draws of the anchors with one agent per seat and return their welfare score.

    Args:
        game: that the anchors were computed for.
        agents: one per seat.
        anchors: of `world_anchors`.
        views: what every seat sees; None is the game's default view.

    Raises:
        ValueError: as `coopgym.play.play`.
    """
    seeds = anchors.seeds
    episodes = play(game, agents, reward="private", views=views, episodes=len(seeds), seed=seeds[0])
    return welfare_score(episodes.payoffs.sum(-1), anchors.uninformed.welfare, anchors.informed)
