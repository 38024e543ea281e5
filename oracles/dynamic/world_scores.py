"""Score agents in a world: between the best uninformed level and what the informed earn in the very draws they meet.

The welfare score is of all seats together, the private score of one seat among others who play their informed private
equilibrium.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.agents import Agent, make_agent
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.games.state import State
from coopgym.oracles.dynamic.informed import (
    UninformedLevel,
    best_uninformed,
    drawn_states,
    known_plans,
    together,
    told_states,
    welfare_score,
)
from coopgym.oracles.dynamic.informed_private import known_equilibria, known_replies
from coopgym.play import CommonRandomNumbers, Draws, Totals, open_loop, play, unroll
from coopgym.typing import FloatArray

LEVELS = np.linspace(0.0, 1.0, 101)
"""Among which a seat's best uninformed level is searched."""


@dataclass(frozen=True, eq=False)
class WorldAnchors:
    """The two ends of the welfare score on some draws."""

    seeds: range
    uninformed: UninformedLevel
    """Scores 0."""
    informed: FloatArray
    """``(B,)`` welfare of the informed plans, which score 1."""


@dataclass(frozen=True, eq=False)
class PrivateAnchors:
    """The two ends of the private score of one seat on some draws, others at their private equilibrium."""

    seeds: range
    seat: int
    level: float
    """Share that earns the seat most on average over the draws, if it is held; it scores 0."""
    uninformed: FloatArray
    """``(B,)`` what it earns."""
    best: FloatArray
    """``(B,)`` what the seat's best replies earn, which score 1."""


def world_anchors(game: AnyGame, seeds: range) -> WorldAnchors:
    """Compute the ends of the welfare score on the draws of consecutive seeds.

    Args:
        game: on the NumPy backend.
        seeds: of the episodes, such as `coopgym.worlds.TEST_SEEDS`.

    Raises:
        ImportError: torch is not installed.
        ValueError: the seeds are not consecutive.
    """
    openings, draws = _met(game, seeds)
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
    told = told_states(game, openings, draws)
    known_plans(game, together(told))
    plans = np.stack([known_plans(game, now)[t] for t, now in enumerate(told)])
    welfare: FloatArray = _returns(game, openings, plans, draws).sum(-1)
    return welfare


def private_anchors(game: AnyGame, seeds: range, seat: int) -> PrivateAnchors:
    """Compute the ends of the private score of a seat on the draws of consecutive seeds.

    Where a world shifts, the others play the private equilibrium of the present factors, and the seat replies as if
    these had held from the opening: what is informed is told the present only, here as in `informed_welfare`.

    Args:
        game: on the NumPy backend.
        seeds: of the episodes, such as `coopgym.worlds.TEST_SEEDS`.
        seat: one seat stands for all that are exchangeable with it.

    Raises:
        ImportError: torch is not installed.
        ValueError: the seeds are not consecutive, or no such seat.
    """
    if not 0 <= seat < game.n_agents:
        raise ValueError(f"seat={seat}: {game.id} has seats 0 to {game.n_agents - 1}")
    openings, draws = _met(game, seeds)
    told = told_states(game, openings, draws)
    known_replies(game, together(told), seat)
    others = np.stack([known_equilibria(game, now) for now in told])
    own = np.stack([known_replies(game, now, seat)[t] for t, now in enumerate(told)])

    def returns(shares: FloatArray) -> FloatArray:
        plans = others.copy()
        plans[..., seat] = shares
        earned: FloatArray = _returns(game, openings, plans, draws)[:, seat]
        return earned

    held = [returns(np.full(own.shape, level)) for level in LEVELS]
    level = int(np.argmax([earned.mean() for earned in held]))
    return PrivateAnchors(seeds, seat, float(LEVELS[level]), held[level], returns(own))


def _met(game: AnyGame, seeds: range) -> tuple[State, Draws]:
    """The openings and the chance that episodes of consecutive seeds meet."""
    if seeds.step != 1 or not seeds:
        raise ValueError(f"seeds={seeds}: expected consecutive ones, at least one")
    return drawn_states(game, seeds), CommonRandomNumbers(game, seeds[0], len(seeds))


def _returns(game: AnyGame, openings: State, plans: FloatArray, draws: Draws) -> FloatArray:
    """What each seat earns ``(B, N)`` if plans ``(steps, B, N)`` are played."""
    payoffs: FloatArray = Totals.of(unroll(game, open_loop(game, plans), start=openings, draws=draws)).payoffs
    return payoffs


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


def private_score(game: AnyGame, agent: Agent, anchors: PrivateAnchors, view: View | None = None) -> float:
    """Let an agent play the draws of the anchors in their seat, and return Σ(R - R_c) / Σ(R* - R_c) of its returns R.

    The others are `Oracle_Informed`.

    Args:
        game: that the anchors were computed for.
        agent: who sits in the seat of the anchors.
        anchors: of `private_anchors`.
        view: what it sees; None is the game's default view.

    Raises:
        ValueError: informed replies earn no more than the best level, as those of the present may in a shifting world,
            so that there is no scale; and as `coopgym.play.play`.
    """
    if anchors.best.sum() <= anchors.uninformed.sum():
        world = game.traits().world
        raise ValueError(
            f"{game.id} in {world.kind.name if world else 'fixed'!r}: informed replies earn no more than the best "
            f"level {anchors.level:g} of seat {anchors.seat} on these draws, so there is no score"
        )
    seats, seeds = range(game.n_agents), anchors.seeds
    agents = [agent if seat == anchors.seat else make_agent("Oracle_Informed") for seat in seats]
    views = [(view or game.spec.default_view) if seat == anchors.seat else "full" for seat in seats]
    episodes = play(game, agents, reward="private", views=views, episodes=len(seeds), seed=seeds[0])
    return welfare_score(episodes.payoffs[:, anchors.seat], anchors.uninformed, anchors.best)
