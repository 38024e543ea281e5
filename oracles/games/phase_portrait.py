"""Portraits of a game: how seats answer each other, and where cooperation and trust move together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.mechanisms.trust import effective_trust, mean_over_pairs
from coopgym.oracles.games.adjustment import TOLERANCE, solve_smoothly
from coopgym.oracles.games.best_response import responses
from coopgym.oracles.games.normal_form import LARGE_GAME, StageGame, StageGameByRow
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, Totals, expected_step, unroll
from coopgym.typing import FloatArray

CURVE = np.linspace(0.0, 1.0, 41) ** 2
"""Shares at which reaction curves are read, closer together near zero, where they bend."""
LADDER = np.linspace(0.0, 1.0, 21)
"""Trust levels at which stage equilibria are solved."""
FIELD = np.linspace(0.0, 1.0, 11)
"""Shares and trust levels at which motion is shown."""
STARTS = np.linspace(0.0, 1.0, 21)
"""Shares and trust levels from which play is followed to its end; in large games those of `FIELD`."""
_STILL = 1e-12
"""Change of trust that is rounding error."""
_HALVINGS = 30


@dataclass(frozen=True, eq=False)
class Reactions:
    """Best responses of the stage game to a common share of all others, one row per group of exchangeable seats."""

    groups: tuple[tuple[int, ...], ...]
    others: FloatArray
    """``(K,)`` what all others play, share of endowment."""
    at_reset: dict[str, FloatArray]
    """By reward: ``(G, K)`` best shares in the state at reset."""
    trusting: dict[str, FloatArray]
    """The same at full trust, no damage."""


@dataclass(frozen=True, eq=False)
class PhasePortrait:
    """Motion in the plane of common cooperation and mutual trust, everything else as at reset.

    Grids hold trust in rows and cooperation in columns. Mutual trust is the mean over pairs of seats.
    """

    groups: tuple[tuple[int, ...], ...]
    cooperation: FloatArray
    """``(C,)`` shares that everybody plays."""
    trust: FloatArray
    """``(T,)`` trust between any two seats."""
    towards: FloatArray
    """``(T, C)`` mean best response under integrated reward, less what is played."""
    trust_change: FloatArray
    """``(T, C)`` change of mutual trust in one step."""
    ladder: FloatArray
    """``(L,)`` trust levels of the two curves below."""
    equilibria: FloatArray
    """``(2, L, G)`` stage equilibria under integrated reward, found from below and from above; NaN where none was."""
    residuals: FloatArray
    """``(2, L)`` distance of the search to the best responses, in shares; above `TOLERANCE` it did not converge."""
    standstill: FloatArray
    """``(L,)`` common share below which trust falls and above which it does not (the trust nullcline); NaN where there
    is none: nothing is left to lose, or reputation damage lets it fall anyhow."""
    starts: FloatArray
    """``(S,)`` shares and trust levels at which the episodes below begin."""
    final_trust: FloatArray | None
    """``(S, S)`` mutual effective trust at the end of an episode in which all first play c and then, step by step, the
    lower stage equilibrium of the trust they have; None where no stage equilibrium was found."""

    @cached_property
    def mean_equilibria(self) -> FloatArray:
        """``(2, L)`` stage equilibria as means over seats."""
        return self.equilibria @ _group_weights(self.groups)


def reactions(game: AnyGame, rewards: Sequence[str] = ("private", "integrated")) -> Reactions:
    """Return the reaction curves of the stage game at reset and at full trust.

    Args:
        game: on the NumPy backend.
        rewards: reward modes.

    Raises:
        ValueError: a reward that does not fit, or a game on another backend.
    """
    start, trusting = initial_state(game), initial_state(game, trust=1.0, damage=0.0)
    return Reactions(
        groups=StageGame(game).groups,
        others=CURVE,
        at_reset={reward: _reaction(StageGame(game, reward, start)) for reward in rewards},
        trusting={reward: _reaction(StageGame(game, reward, trusting)) for reward in rewards},
    )


def _reaction(form: StageGame) -> FloatArray:
    common = np.repeat(CURVE[:, None], form.n_agents, axis=1)
    return responses(form, common, _heads(form.groups))[0].T


def phase_portrait(game: AnyGame) -> PhasePortrait:
    """Return how cooperation and trust move under integrated reward when seats look one step ahead.

    Args:
        game: on the NumPy backend.

    Raises:
        ValueError: a game on another backend.
    """
    groups = StageGame(game).groups
    equilibria, residuals = _stage_equilibria(game)
    trust, shares = _plane(FIELD)
    plane = (len(FIELD), len(FIELD))
    starts = FIELD if game.n_agents > LARGE_GAME else STARTS
    return PhasePortrait(
        groups=groups,
        cooperation=FIELD,
        trust=FIELD,
        towards=_best_responses(game) @ _group_weights(groups) - FIELD,
        trust_change=_trust_change(game, _states(game, trust), shares).reshape(plane),
        ladder=LADDER,
        equilibria=equilibria,
        residuals=residuals,
        standstill=_standstill(game),
        starts=starts,
        final_trust=_final_trust(game, starts, equilibria[0]),
    )


def _states(game: AnyGame, trust: FloatArray) -> State:
    """Openings with these levels of trust, batch ``(B,)``."""
    levels, places = np.unique(trust, return_inverse=True)
    openings = (initial_state(game, trust=float(level)) for level in levels)
    return map_arrays(lambda *arrays: np.stack(arrays)[places], *openings)


def _plane(levels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Trust and share of each point of the plane, row by row."""
    return np.repeat(levels, len(levels)), np.tile(levels, len(levels))


def _best_responses(game: AnyGame) -> FloatArray:
    """Best responses ``(T, C, G)`` of the groups to everybody else's share."""
    trust, shares = _plane(FIELD)
    form = StageGameByRow(game, "integrated", _states(game, trust))
    common = np.repeat(shares[:, None], game.n_agents, axis=1)
    answers, _ = responses(form, common, _heads(form.groups))
    return answers.reshape((len(FIELD), len(FIELD), -1))


def _trust_change(game: AnyGame, states: State, shares: FloatArray) -> FloatArray:
    """Change of mutual trust ``(B,)`` in one step from states ``(B,)`` when everybody plays a share ``(B,)``."""
    after = expected_step(game, states, shares[:, None] * game.spec.endowments).state
    return mean_over_pairs(after.trust) - mean_over_pairs(states.trust)


def _standstill(game: AnyGame) -> FloatArray:
    """Common shares ``(L,)`` from which on trust no longer falls, by bisection; NaN where it always or never falls."""
    states = _states(game, LADDER)
    low, high = np.zeros(len(LADDER)), np.ones(len(LADDER))
    crosses = (_trust_change(game, states, low) < -_STILL) & (_trust_change(game, states, high) >= -_STILL)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        falls = _trust_change(game, states, middle) < -_STILL
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    return np.where(crosses, high, np.nan)


def _stage_equilibria(game: AnyGame) -> tuple[FloatArray, FloatArray]:
    """Stage equilibria ``(2, L, G)`` from starts at 0 and at 1, and residuals ``(2, L)``."""
    form = StageGameByRow(game, "integrated", _states(game, np.tile(LADDER, 2)))
    starts = np.repeat([0.0, 1.0], len(LADDER))[:, None].repeat(game.n_agents, axis=1)
    ends, residuals = solve_smoothly(form, starts, form.groups)
    found = np.where(residuals[:, None] < TOLERANCE, ends[:, _heads(form.groups)], np.nan)
    return found.reshape((2, len(LADDER), -1)), residuals.reshape((2, -1))


def _final_trust(game: AnyGame, starts: FloatArray, equilibria: FloatArray) -> FloatArray | None:
    """Mutual effective trust ``(S, S)`` after an episode of myopic play by stage equilibria ``(L, G)``."""
    known = ~np.isnan(equilibria).any(1)
    if not known.any():
        return None
    trust, shares = _plane(starts)
    groups = StageGame(game).groups
    group_of = np.argmax([[seat in group for group in groups] for seat in range(game.n_agents)], axis=1)

    def mutual(state: State) -> FloatArray:
        return mean_over_pairs(effective_trust(state.trust, state.damage))

    def myopic(t: int, state: State) -> FloatArray:
        if t == 0:
            return np.repeat(shares[:, None], game.n_agents, axis=1) * game.endowments
        levels = mutual(state)
        answers = np.stack([np.interp(levels, LADDER[known], column) for column in equilibria[known].T], axis=-1)
        return answers[:, group_of] * game.endowments

    totals = Totals.of(unroll(game, myopic, start=_states(game, trust), draws=NOMINAL))
    return mutual(totals.last).reshape((len(starts), -1))


def _heads(groups: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    return tuple(group[0] for group in groups)


def _group_weights(groups: tuple[tuple[int, ...], ...]) -> FloatArray:
    """Part of the seats in each group, ``(G,)``."""
    sizes = np.array([len(group) for group in groups], dtype=float)
    return sizes / sizes.sum()
