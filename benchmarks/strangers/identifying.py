"""An agent that holds beliefs about whom it is among, and plans its best response to them."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from coopgym.agents import Classifier, Seat, Strategy
from coopgym.benchmarks.strangers.imagined_company import Company, Differences
from coopgym.benchmarks.study.hashing import content_hash, plain
from coopgym.games.parameters import Parameters
from coopgym.games.state import State
from coopgym.oracles.agents.base import registered_game
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.strangers import strangers_folder
from coopgym.strangers.partners import partner_cards
from coopgym.typing import FloatArray

MISS = 0.02
"""σ: shares of endowment by which others may miss what is believed about them before that is held against it."""
CHARACTER = 0.15
"""τ: how far their level may be from that of a training partner."""
DOUBT = 0.01
"""Belief below which a partner is left out of a plan."""
PROBE = 0.2
"""What is added to the second move: to give more provokes nobody, and it tells who answers from who does not."""
EQUAL = 1e-3
"""Difference in shares up to which somebody has played the same."""

FIRST_ROUNDS, PATIENCE = 4, 8
"""A plan is improved in each of the first rounds, likewise after a surprise, and else once in so many."""
SURPRISE = PROBE / 2.0
"""Shares by which others miss what was believed of them when they are no longer who they seemed."""
OPENING_IMPROVEMENTS = 12
MOVES = (-0.3, -0.1, -0.03, 0.03, 0.1, 0.3)
"""By how much an improvement moves stretches of a plan; it also sets them to nothing and to the norm."""
LENGTHS = (1, 4, 16)
"""Of stretches that begin now or go to the end, beside all that is left."""
PERIODS = (2, 3)
"""Of every second and every third round, from each of them on: where answers saturate, pulses earn more than levels."""
CANDIDATES = 1 + (1 + 2 * len(LENGTHS) + sum(PERIODS)) * (len(MOVES) + 2)
DECIMALS = 9
"""Of the worth of a plan, and of what is seen: agents that see the same choose the same."""
REMEMBERED = 4096
"""Plans that are kept for others who see the same: residents, and visitors of partners who differ only later."""
_PLANS: dict[bytes, FloatArray] = {}


class Identifying(Strategy):
    """Believes in every training partner as far as it explains what the others do, and plans for all it believes in.

    A training partner k is imagined in the others' seats, with all its shares moved by o_k, what they played above it
    in the last round: strangers have other levels, and what tells who they are is how they change. With d_k the mean
    square by which it missed the last n rounds or so, its weight is

        w_k ∝ (1 + d_k / σ²)^(-n / 2) exp(-o_k² / 2τ²),

    the likelihood of misses whose size is not known, and a prior of strangers' levels.

    What is played is the plan for the rest of the episode that earns most in imagination, Σ_k w_k R_k / s_k, where the
    scale s_k is what there is to win from k: the best constant's return less that of random plans. The plan is improved
    as the episode goes on, and at once where others do something else than was believed; it begins as the one that is
    best among all training partners alike. Whoever has moved like this agent in every round is taken for another one of
    it.

    It knows the rules of the game and the training population, and follows the state. Its name is
    ``coopgym.benchmarks.strangers:Identifying``.

    Args:
        memory: weight that the miss of a round has one round later, below 1: n grows to 1 / (1 - memory).

    Raises:
        ValueError: a memory outside [0, 1).

    >>> from coopgym import make_game, play
    >>> from coopgym.agents import make_agent
    >>> game = make_game("TrustDilemma-v1", max_steps=16)
    >>> for stranger in ("Constant_35", "TitForTat"):  # in the training population is neither
    ...     seats = [Identifying(), make_agent(stranger)]
    ...     shares = play.play(game, seats, views="own", reward="private", record=True).trajectory.shares
    ...     print(shares[4:12, 0, 0].mean().round(1))
    0.3
    0.7
    """

    citation = (
        "Albrecht, S. V., Crandall, J. W. & Ramamoorthy, S. (2016). Belief and truth in hypothesised behaviours. "
        "Artif. Intell. 235, 63-94; of the probe: Carmel, D. & Markovitch, S. (1999). Exploration strategies for "
        "model-based learning in multi-agent systems. Auton. Agents Multi-Agent Syst. 2, 141-172."
    )
    step_cost = 200.0
    version: ClassVar[int] = 3
    classifier = Classifier(memory_depth=math.inf, uses_horizon=True)

    def __init__(self, memory: float = 0.95) -> None:
        if not 0.0 <= memory < 1.0:
            raise ValueError(f"memory={memory!r}: expected a weight in [0, 1)")
        self.memory = memory

    def identity(self) -> dict[str, Any]:
        known = partner_cards(strangers_folder())["training"]
        return {**super().identity(), "training": content_hash(plain(known))}

    def prepare(self) -> None:
        game, seats = registered_game(self.seat.game.id, self.seat.game.parameters), self.seat.game.n_agents
        group = next(group for group in game.traits().exchangeable if self.seat.index in group)
        self._place, shape = group[0], (self.episodes, seats)
        # Networks tell seats apart. So all of a group imagine that they sit in its first seat, and think alike.
        self._order = np.arange(seats)
        self._order[[self.seat.index, self._place]] = self._place, self.seat.index
        self._company = Company(Seat.of(game, self._place, "own", self.seat.reward), self.episodes, CANDIDATES)
        self._opening, self._units = _opening(game.id, self.seat.game.parameters, self._place, self.seat.reward)
        self._tracker = StateTracker(game, self.episodes)
        self._others = np.arange(seats) != self._place
        self._peers = self._others & np.isin(np.arange(seats), group) & (len(group) > 2)  # as residents have them
        self._plan = np.tile(self._opening, (self.episodes, 1))  # (E, T)
        self._alike = np.tile(self._peers, (self.episodes, 1))  # (E, N)
        self._misses = np.zeros((len(self._units), self.episodes))  # d (K, E)
        self._offsets = np.zeros((len(self._units), *shape))  # o (K, E, N)
        self._expected = np.zeros((len(self._units), *shape))
        self._unsettled = np.full(self.episodes, FIRST_ROUNDS)  # round until which a plan is improved in each
        known = (game.id, self.seat.game.parameters, self._place, self.seat.reward, self.memory, *shape)
        self._seen = hashlib.sha256(repr(known).encode())

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._tracker.restart(rows)
        self._company.restart(rows)
        self._plan[rows] = self._opening
        self._alike[rows] = self._peers
        self._misses[:, rows] = 0.0
        self._offsets[:, rows] = 0.0
        self._unsettled[rows] = FIRST_ROUNDS

    def cooperate(self, observation: FloatArray) -> FloatArray:
        played, going_on = joint_cooperation(self.seat, observation)[:, self._order].round(DECIMALS), self.round > 0
        self._seen.update(np.where(going_on[:, None], played, np.nan).tobytes())
        self._learn(played, going_on)
        self._tracker.advance(played, going_on)
        self._expected = self._company.answers(self._tracker.state)
        due = going_on & ((self.round < self._unsettled) | (self.round % PATIENCE == 0))
        if due.any():
            self._plan[due] = self._improved()[due]
        now = np.minimum(self.round, self._plan.shape[1] - 1)
        planned: FloatArray = self._plan[np.arange(self.episodes), now]
        return planned + PROBE * (self.round == 1)

    def _learn(self, played: FloatArray, rows: npt.NDArray[np.bool_]) -> None:
        """Hold last shares ``(E, N)`` against what was expected; a first move tells offsets and nothing else."""
        self._alike &= ~rows[:, None] | (np.abs(played - played[:, [self._place]]) < EQUAL)
        expected, weights = np.clip(self._expected + self._offsets, 0.0, 1.0), self._beliefs()
        believed = (weights[..., None] * expected).sum(0) / weights.sum(0)[:, None]
        surprised = (self.round > 1) & (self._mean_square(played - believed) > SURPRISE**2)
        self._unsettled = np.where(surprised, self.round + FIRST_ROUNDS - 1, self._unsettled)
        missed = self._mean_square(played - expected)
        self._misses += np.where(self.round > 1, missed - self._misses, 0.0) / self._remembered()
        self._offsets = np.where(rows[:, None], played - self._expected, self._offsets)

    def _remembered(self) -> FloatArray:
        """The rounds n that count, ``(E,)``."""
        return np.clip(self.round, 1.0, 1.0 / (1.0 - self.memory))

    def _beliefs(self) -> FloatArray:
        """The weights w ``(K, E)``."""
        unlikely = self._remembered() / 2.0 * np.log1p(self._misses / MISS**2)
        unlikely += self._mean_square(self._offsets) / (2.0 * CHARACTER**2)
        weights = np.exp(unlikely.min(0) - unlikely)
        weights /= weights.sum(0)
        return np.where(weights < DOUBT, 0.0, weights)

    def _mean_square(self, differences: FloatArray) -> FloatArray:
        """Of differences ``(..., E, N)``, over the others but those who are like this agent, ``(..., E)``."""
        strangers = self._others & ~self._alike
        total: FloatArray = (np.square(differences) * strangers).sum(-1)
        return total / np.maximum(1, strangers.sum(-1))

    def _improved(self) -> FloatArray:
        """The plan ``(E, T)``, of which what has been seen tells everything."""
        seen = self._seen.digest()
        if seen not in _PLANS:
            weights = self._beliefs() * self._units[:, None]
            met = Differences(self._offsets, self._alike)
            if len(_PLANS) == REMEMBERED:
                del _PLANS[next(iter(_PLANS))]
            _PLANS[seen] = improved(self._plan, self.round, weights, self._company, self._tracker.state, met)
        return _PLANS[seen]


def improved(
    plan: FloatArray,
    now: npt.NDArray[np.int64],
    weights: FloatArray,
    company: Company,
    state: State,
    met: Differences,
) -> FloatArray:
    """Return the best of plans ``(E, T)`` and what is near them.

    Args:
        plan: shares of endowment.
        now: ``(E,)`` rounds that have been played.
        weights: ``(K, E)`` of what is earned among each partner.
        company: the partners.
        state: ``(E,)``, of which the partners were asked last.
        met: how those who are met differ from the partners.
    """
    candidates, horizon = _near(plan, now, company.norm), plan.shape[1]
    known = np.flatnonzero(weights.any(1))
    times = np.minimum(now[:, None] + np.arange(horizon - now.min()), horizon - 1)
    left = np.take_along_axis(candidates, times[:, None], axis=2)
    worth = (weights[known, :, None] * company.returns(state, left, known, met)).sum(0).round(DECIMALS)
    return candidates[np.arange(len(plan)), worth.argmax(1)]


def _near(plan: FloatArray, now: npt.NDArray[np.int64], norm: float) -> FloatArray:
    """Plans ``(E, C, T)`` that differ from given ones in a stretch; the first do not differ."""
    times, horizon = np.arange(plan.shape[1]), plan.shape[1]
    left = times >= now[:, None]
    stretches = [left]
    stretches += [left & (times < now[:, None] + length) for length in LENGTHS]
    stretches += [left & (times >= horizon - length) for length in LENGTHS]
    stretches += [left & ((times - now[:, None]) % period == first) for period in PERIODS for first in range(period)]
    changed = [np.clip(plan + move, 0.0, 1.0) for move in MOVES] + [np.full_like(plan, level) for level in (0.0, norm)]
    return np.stack([plan, *(np.where(stretch, other, plan) for stretch in stretches for other in changed)], axis=1)


@lru_cache(maxsize=64)
def _opening(id: str, parameters: Parameters, seat: int, reward: str) -> tuple[FloatArray, FloatArray]:
    """The plan ``(T,)`` that is best among all partners alike, and 1 / s ``(K,)``, 0 where there is nothing to win."""
    game = registered_game(id, parameters)
    company, state = Company(Seat.of(game, seat, "own", reward), 1, CANDIDATES), StateTracker(game, 1).state
    everybody, horizon = np.arange(len(company.names)), game.spec.horizon
    met = Differences(np.zeros((len(everybody), 1, game.n_agents)), np.zeros((1, game.n_agents), dtype=bool))
    levels = np.broadcast_to(np.linspace(0.0, 1.0, CANDIDATES)[:, None], (1, CANDIDATES, horizon))
    drawn = np.random.default_rng(0).random(levels.shape)
    company.answers(state)
    held, random = (company.returns(state, plans, everybody, met) for plans in (levels, drawn))  # (K, 1, C)
    scale = held.max((1, 2)) - random.mean((1, 2))
    units = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)
    weights = units[:, None]
    plan = levels[:, (weights[..., None] * held).sum((0, 1)).argmax()]
    for _ in range(OPENING_IMPROVEMENTS):
        plan = improved(plan, np.zeros(1, dtype=np.int64), weights, company, state, met)
    return plan[0], units
