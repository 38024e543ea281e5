"""What a joint policy does when one of its partners defects for a while: retaliation, recovery, forgiveness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.benchmarks.audits.action_plan import Chance, Conduct
from coopgym.benchmarks.audits.rollout import outcome_among
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.oracles.dynamic.unilateral_play import Agents
from coopgym.rewards import RewardLayer
from coopgym.typing import FloatArray

NOTICEABLE = 0.02
"""Share of endowment by which the others' cooperation must fall to count as an answer."""


@dataclass(frozen=True)
class Reaction:
    """How the other seats answer one seat that defects for a while, compared with undisturbed play."""

    seat: int
    first_step: int
    """Step in which the seat begins to defect."""
    duration: int
    """Steps it defects."""
    depth: float
    """Retaliation: largest fall of the others' mean cooperation, in shares of endowment; at least 0."""
    recovery: int | None
    """Steps from the end of the defection until the others are back for good; None if they never are."""
    forgiveness: float
    """Part of the largest fall that is made up for by the end of the episode; 1 where nothing fell."""
    gain: float
    """Change of the seat's return."""
    others_change: float
    """Change of the others' mean return."""


def policy_probe(
    game: AnyGame,
    agents: Agents,
    reward: str | RewardLayer = "integrated",
    *,
    durations: Sequence[int] = (1, 3, 10),
    first_step: int | None = None,
    level: float = 0.0,
    view: View | None = None,
    episodes: int = 1,
    seed: int = 0,
) -> tuple[Reaction, ...]:
    """Let each seat in turn defect for some steps, and watch the others; one batch plays everything.

    Args:
        game: on the NumPy backend.
        agents: makes one fresh agent per seat, each time it is called.
        reward: what gains are counted in, and the mode that agents are told.
        durations: steps of defection, each tried by each seat.
        first_step: when it begins; None is a quarter of the horizon.
        level: share of endowment that the seat defects to.
        view: what all seats see; None is the game's default view.
        episodes: episodes to average over, where a reset or an agent draws at random; episode k is reset with
            ``seed + k``.
        seed: also the root of the agents' generators.

    Returns:
        One reaction per seat and duration, seats first.

    Raises:
        ValueError: a defection that does not fit the episode, a level that is no share, or agents that do not fit.
    """
    horizon, n_agents = game.spec.horizon, game.n_agents
    begin = horizon // 4 if first_step is None else first_step
    if not (durations and begin >= 0 and min(durations) >= 1 and begin + max(durations) < horizon):
        raise ValueError(
            f"durations={tuple(durations)} from step {begin}: expected at least one step each, "
            f"to end before the last of {horizon} steps, so that the others can answer"
        )
    if not 0.0 <= level <= 1.0:
        raise ValueError(f"level={level!r}: expected a share of endowment in [0, 1]")
    if episodes < 1:
        raise ValueError(f"episodes={episodes!r}: expected a whole number of at least 1")
    t, lasting = np.arange(horizon)[:, None, None], np.array([0, *durations])
    share = np.where((t >= begin) & (t < begin + lasting), level, np.nan)  # (T, 1, 1 + durations)
    plans = share * game.spec.endowments[:, None]
    ways = Conduct.deviating(np.full(n_agents, np.nan), np.arange(n_agents), plans)
    chance = Chance.seeded(game, seed + np.arange(episodes)[None])
    found, shares = outcome_among(game, reward, agents, ways, chance, view, seed)

    returns = found.returns.reshape(n_agents, len(lasting), n_agents)
    own, others = _split(returns)
    cooperation = _split(shares.reshape(len(shares), n_agents, len(lasting), n_agents))[1]
    fall = cooperation[:, :, :1] - cooperation  # (T, seat, way)
    return tuple(
        Reaction(
            seat,
            begin,
            int(duration),
            *_answer(fall[:, seat, way], begin, int(duration)),
            gain=float(own[seat, way] - own[seat, 0]),
            others_change=float(others[seat, way] - others[seat, 0]),
        )
        for seat in range(n_agents)
        for way, duration in enumerate(lasting)
        if duration
    )


def _split(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return values ``(..., D, M, N)`` of the seat d that defects, and means over the others, each ``(..., D, M)``."""
    own = np.moveaxis(np.diagonal(values, axis1=-3, axis2=-1), -1, -2)
    return own, (values.sum(axis=-1) - own) / (values.shape[-1] - 1)


def _answer(fall: FloatArray, begin: int, duration: int) -> tuple[float, int | None, float]:
    """Depth, recovery and forgiveness from the fall of the others' cooperation at every step ``(T,)``."""
    depth = max(0.0, float(fall[begin:].max()))
    if depth < NOTICEABLE:
        return depth, 0, 1.0
    away = np.flatnonzero(fall >= NOTICEABLE)
    recovered = int(away[-1]) + 1
    recovery = None if recovered == len(fall) else max(0, recovered - (begin + duration))
    return depth, recovery, float(np.clip(1.0 - fall[-1] / depth, 0.0, 1.0))
