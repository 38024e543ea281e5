"""Portraits of a game: how seats answer each other, and where cooperation and trust move together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays, select
from coopgym.mechanisms.trust import effective_trust, mean_over_pairs
from coopgym.rewards import RewardLayer
from oracles.games.adjustment import TOLERANCE, solve_smoothly
from oracles.games.best_response import responses
from oracles.games.normal_form import FloatArray, NormalForm, StageGame
from oracles.games.rollout import expected_step, opening, remaining_steps

CURVE = np.linspace(0.0, 1.0, 41)
"""Shares at which reaction curves are read."""
LADDER = np.linspace(0.0, 1.0, 21)
"""Trust levels at which stage equilibria are solved."""
FIELD = np.linspace(0.0, 1.0, 11)
"""Shares and trust levels between which motion is shown."""
FINE = np.linspace(0.0, 1.0, 201)
"""Shares between which trust changes direction."""


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
    """``(L,)`` least common share at which trust does not fall (the trust nullcline); NaN where it always falls."""
    final_trust: FloatArray | None
    """``(T, C)`` mutual effective trust at the end of an episode in which all first play c and then, step by step, the
    lower stage equilibrium of the trust they have; None where no stage equilibrium was found."""

    @cached_property
    def mean_equilibria(self) -> FloatArray:
        """``(2, L)`` stage equilibria as means over seats."""
        return self.equilibria @ _group_weights(self.groups)


class StageGameByRow(NormalForm):
    """The stage game in many states at once: row b of a batch of profiles is played in state b."""

    smooth = True

    def __init__(self, game: AnyGame, reward: str | RewardLayer, states: State) -> None:
        """Take a game with a batch ``(B,)`` of states."""
        super().__init__(game, reward, states)

    def read(self, profiles: FloatArray, layers: Sequence[RewardLayer]) -> list[FloatArray]:
        game, batch, actions = self.game, profiles.shape[:-1], profiles * self.game.spec.endowments

        def per_profile(array: FloatArray) -> FloatArray:
            own = array.shape[1:]
            return np.broadcast_to(array.reshape((len(array), *(1,) * (len(batch) - 1), *own)), (*batch, *own))

        state = game.settled(map_arrays(per_profile, self.state), actions)
        transition = game.stage(state, actions)
        return [layer(game, transition) for layer in layers]


def reactions(game: AnyGame, rewards: Sequence[str] = ("private", "integrated")) -> Reactions:
    """Return the reaction curves of the stage game at reset and at full trust.

    Args:
        game: on the NumPy backend.
        rewards: reward modes.

    Raises:
        ValueError: a reward that does not fit, or a game on another backend.
    """
    start, trusting = opening(game), opening(game, trust=1.0, damage=0.0)
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
    return PhasePortrait(
        groups=groups,
        cooperation=FIELD,
        trust=FIELD,
        towards=_best_responses(game) @ _group_weights(groups) - FIELD,
        trust_change=_trust_change(game, FIELD, FIELD),
        ladder=LADDER,
        equilibria=equilibria,
        residuals=residuals,
        standstill=_standstill(_trust_change(game, LADDER, FINE)),
        final_trust=_final_trust(game, equilibria[0]),
    )


def _states(game: AnyGame, trust: FloatArray) -> State:
    """Openings with these levels of trust, batch ``(B,)``."""
    return map_arrays(lambda *arrays: np.stack(arrays), *(opening(game, trust=float(level)) for level in trust))


def _plane(trust: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows of a grid: trust and share of each of its points."""
    return np.repeat(trust, len(shares)), np.tile(shares, len(trust))


def _best_responses(game: AnyGame) -> FloatArray:
    """Best responses ``(T, C, G)`` of the groups to everybody else's share."""
    trust, shares = _plane(FIELD, FIELD)
    form = StageGameByRow(game, "integrated", _states(game, trust))
    common = np.repeat(shares[:, None], game.n_agents, axis=1)
    answers, _ = responses(form, common, _heads(form.groups))
    return answers.reshape((len(FIELD), len(FIELD), -1))


def _trust_change(game: AnyGame, trust: FloatArray, shares: FloatArray) -> FloatArray:
    """Change of mutual trust in one step, ``(T, C)``."""
    levels = map_arrays(lambda array: array[:, None], _states(game, trust))
    states = map_arrays(lambda array: np.repeat(array, len(shares), axis=1), levels)
    common = np.repeat(shares[:, None], game.n_agents, axis=1)
    actions = np.broadcast_to(common * game.spec.endowments, (len(trust), *common.shape))
    after = expected_step(game, states, actions).state
    return mean_over_pairs(after.trust) - mean_over_pairs(states.trust)


def _standstill(change: FloatArray) -> FloatArray:
    """Shares ``(L,)`` at which the change of trust ``(L, F)`` first reaches zero, between points of the fine grid."""
    holds = change >= 0.0
    first = holds.argmax(1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(change))
    low, high = change[rows, before], change[rows, first]
    part = np.where(high > low, -low / np.where(high > low, high - low, 1.0), 1.0)
    shares = FINE[before] + np.clip(part, 0.0, 1.0) * (FINE[first] - FINE[before])
    return np.where(holds.any(1), shares, np.nan)


def _stage_equilibria(game: AnyGame) -> tuple[FloatArray, FloatArray]:
    """Stage equilibria ``(2, L, G)`` from starts at 0 and at 1, and residuals ``(2, L)``."""
    form = StageGameByRow(game, "integrated", _states(game, np.tile(LADDER, 2)))
    starts = np.repeat([0.0, 1.0], len(LADDER))[:, None].repeat(game.n_agents, axis=1)
    ends, residuals = solve_smoothly(form, starts, form.groups)
    found = np.where(residuals[:, None] < TOLERANCE, ends[:, _heads(form.groups)], np.nan)
    return found.reshape((2, len(LADDER), -1)), residuals.reshape((2, -1))


def _final_trust(game: AnyGame, equilibria: FloatArray) -> FloatArray | None:
    """Mutual effective trust ``(T, C)`` after an episode of myopic play by stage equilibria ``(L, G)``."""
    known = ~np.isnan(equilibria).any(1)
    if not known.any():
        return None
    trust, shares = _plane(FIELD, FIELD)
    state, alive = _states(game, trust), np.ones(len(trust), dtype=bool)
    groups = StageGame(game).groups
    group_of = np.argmax([[seat in group for group in groups] for seat in range(game.n_agents)], axis=1)
    played = np.repeat(shares[:, None], game.n_agents, axis=1)
    for _ in range(remaining_steps(game, state)):
        transition = expected_step(game, state, played * game.spec.endowments)
        state = select(np, alive, transition.state, state)
        alive &= ~transition.terminated
        mutual = mean_over_pairs(effective_trust(state.trust, state.damage))
        answers = np.stack([np.interp(mutual, LADDER[known], column) for column in equilibria[known].T], axis=-1)
        played = answers[:, group_of]
    return mean_over_pairs(effective_trust(state.trust, state.damage)).reshape((len(FIELD), -1))


def _heads(groups: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    return tuple(group[0] for group in groups)


def _group_weights(groups: tuple[tuple[int, ...], ...]) -> FloatArray:
    """Part of the seats in each group, ``(G,)``."""
    sizes = np.array([len(group) for group in groups], dtype=float)
    return sizes / sizes.sum()
