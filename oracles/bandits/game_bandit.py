"""A repeated game seen from one seat: a grid of shares as arms, a step or an episode as a round."""

from __future__ import annotations

import copy
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from coopgym.agents import Seat
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.bandits.arms import Arms, Outcome
from coopgym.oracles.bandits.learner import Instance, Process
from coopgym.oracles.bandits.others import Others, OthersLike, others_of
from coopgym.oracles.bandits.reward_bounds import LEVELS, reward_bounds, square_root_grid
from coopgym.oracles.games.rollout import repeated
from coopgym.play import Engine, Seeded, counted, unroll
from coopgym.play.unroll import opened, played
from coopgym.rewards import RewardLayer, Rewards, reward_layer
from coopgym.typing import FloatArray, IntArray

Round: TypeAlias = Literal["step", "episode"]

PROBED = 50
"""Rounds in which it is looked whether a game answers to what is played, at most."""
STILL = 1e-9
"""Largest move of a reward, in units of its range, that rounding explains."""


class GameBandit(Arms):
    """Arms are shares of the seat's endowment, the reward is what the seat is paid, scaled by fixed bounds to [0, 1].

    In a step round one step of the game is played, and episodes follow one another; in an episode round one share is
    held for a whole episode, and others begin afresh. Trust and reputation make rewards of step rounds move with what
    was played before, so that the two are kept apart. Whoever plays it knows nothing of the game but its rewards.

    >>> from coopgym.oracles.bandits import UCB1, play_bandit
    >>> bandit = GameBandit(coopgym.make_game("TrustDilemma-v1"), others="TitForTat")
    >>> ledger = play_bandit(UCB1(), bandit, horizon=200, resimulate=True)
    >>> ledger.external_regret.round(1), ledger.policy_regret.round(1)  # it learns to defect, which is answered
    (array([2.]), array([67.4]))
    """

    def __init__(
        self,
        game: AnyGame,
        seat: int = 0,
        others: OthersLike = "TitForTat",
        *,
        levels: int | npt.ArrayLike = LEVELS,
        reward: str | RewardLayer = "private",
        round: Round = "step",
        process: Process | None = None,
        counterfactuals: bool = True,
    ) -> None:
        """Choose a game, a seat and whom to play with.

        Args:
            game: on the NumPy backend, in a world or not.
            seat: of the learner.
            others: agents or their names; shares ``(T, N - 1)`` that were fixed before, a row a round; or learners.
            levels: how many shares, evenly spaced in their square root, or the shares themselves, ``(K,)`` ascending.
            reward: mode of the seat's reward; transforms are left out.
            round: a step, or an episode of one share.
            process: where rewards come from, for bounds; None is "oblivious" with a schedule, if what was played
                before leaves rewards as they are or each round is an episode, and "adaptive" else. "stochastic" claims
                that every arm brings the same at all times, and is checked in every round.
            counterfactuals: compute what every arm would have brought; without it the ledger knows no external regret.

        Raises:
            ValueError: another seat, shares outside [0, 1], others that do not fit, or an unknown process.
        """
        if round not in ("step", "episode"):
            raise ValueError(f"round={round!r}: expected 'step' or 'episode'")
        if not 0 <= seat < game.n_agents:
            raise ValueError(f"seat={seat!r}: {game.id} has seats 0 to {game.n_agents - 1}")
        if process not in (None, *get_args(Process)):
            raise ValueError(f"process={process!r}: expected one of {', '.join(get_args(Process))}, or None")
        if process == "stochastic" and not counterfactuals:
            raise ValueError("process='stochastic' is checked by what all arms would bring: it needs counterfactuals")
        self.game, self.seat, self.round = game, seat, round
        self.rewards: Rewards = reward_layer(reward).evaluated
        self.rewards.check(game)
        self.levels = square_root_grid(levels) if isinstance(levels, int) else _checked_levels(levels)
        """``(K,)`` shares of the endowment that arms stand for."""
        self.count = len(self.levels)
        self.bounds = reward_bounds(game, self.rewards, self.levels, episodes=round == "episode")
        """``(N, 2)`` least and greatest reward of a step, by which rewards are scaled."""
        self._others: Others = others_of(game, seat, others, self.rewards, self.levels, self.bounds, round == "episode")
        self._view = Seat.of(game, seat, "own", self.rewards.name)
        self._process: Process = process or self._others.process
        self._counterfactuals = counterfactuals
        self._means: FloatArray | None = None
        self.clipped = 0.0
        """Part of rewards, of arms that were chosen, that lay outside the bounds and were clipped."""
        if process == "stochastic":
            self._means = self._first_rewards()
        elif process is None and self._process == "oblivious" and round == "step" and self._answers():
            # The schedule answers to nobody, but the state of the game does.
            self._process = "adaptive"

    @property
    def instance(self) -> Instance:
        means = None if self._means is None else tuple(self._means.tolist())
        return Instance(self.count, means, process=self._process)

    def gaps(self) -> FloatArray | None:
        if self._means is None:
            return None
        return np.broadcast_to(self._means.max() - self._means, (self._replicas, self.count))

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        self._horizon, self._replicas, self._pulled, self.clipped = horizon, replicas, 0, 0.0
        self._offered = np.zeros((replicas, self.count))
        self._seed = int(rng.integers(2**32))
        self._begin(replicas)

    def context(self) -> FloatArray:
        """Return what the seat sees of its trust in others, their last shares and the time gone, ``(R, 2 N - 1)``.

        All are in [0, 1]. In an episode round it is what an episode begins with.
        """
        observed = np.asarray(self.game.observe(self._state, "own"), dtype=np.float64)[:, self.seat]
        return seat_context(self._view, observed, np.broadcast_to(self._state.t, len(self._rows)))

    def pull(self, chosen: IntArray) -> Outcome:
        paid, table = self._play_round(chosen, self._counterfactuals)
        scaled = self._scaled(paid)
        self._pulled += 1
        self.clipped += (float(((scaled < 0.0) | (scaled > 1.0)).mean()) - self.clipped) / self._pulled
        rest = None if table is None else np.clip(self._scaled(table), 0.0, 1.0)
        if rest is not None:
            self._offered = self._offered + rest
        if self._means is not None and rest is not None:
            self._require_still(rest)
        return Outcome(np.clip(scaled, 0.0, 1.0), rest)

    def always(self) -> FloatArray:
        """Return what each share, held in all rounds so far, would have brought, ``(R, K)``.

        The play is repeated under the same chance, once for each arm, side by side; others answer to what is held.
        """
        if self.round == "episode" and self._counterfactuals and not self._others.remember:
            # Every episode was played under all arms already, and others keep nothing of it.
            return np.array(self._offered)
        again = copy.copy(self)
        again._others = copy.deepcopy(self._others)
        rows = self.count * self._replicas
        again._begin(rows)
        held = np.repeat(np.arange(self.count), self._replicas)
        totals = np.zeros(rows)
        for _ in range(self._pulled):
            paid, _ = again._play_round(held, counterfactuals=False)
            totals += np.clip(self._scaled(paid), 0.0, 1.0)
        return totals.reshape(self.count, self._replicas).T

    def _begin(self, rows: int) -> None:
        """Begin a play of some rows, of which as many as there are replicas differ in their chance."""
        self._rows = np.arange(rows)
        self._rng = np.random.default_rng(self._seed)
        self._others.reset(self._horizon, rows, self._replicas, self._seed)
        if self.round == "step":
            self._engine = Engine(self.game, self.rewards, (rows,))
            self._engine.reset(seed=self._seeds())
        else:
            self._open_episode()

    def _seeds(self) -> list[int]:
        """Seeds of every row's chance, the same in all copies of a replica."""
        seeds = self._rng.integers(2**32, size=self._replicas)
        return np.tile(seeds, len(self._rows) // self._replicas).tolist()

    def _open_episode(self) -> None:
        self._episode_seeds = self._seeds()
        self._opening = opened(self.game, Seeded(self._episode_seeds), (len(self._rows),))

    @property
    def _state(self) -> State:
        return self._engine.state if self.round == "step" else self._opening

    def _play_round(self, chosen: IntArray, counterfactuals: bool) -> tuple[FloatArray, FloatArray | None]:
        """Play arms ``(rows,)`` and return the seat's reward, and those of all arms ``(rows, K)`` if wanted."""
        play = self._episode if self.round == "episode" else self._step
        paid, table = play(chosen, counterfactuals)
        self._others.learn(paid)
        return paid[:, self.seat], table

    def _step(self, chosen: IntArray, counterfactuals: bool) -> tuple[FloatArray, FloatArray | None]:
        game, engine, state = self.game, self._engine, self._engine.state
        self._others.next_round(copies=1)
        actions = self._joint(self.levels[chosen], self._others.shares(state))
        normals = engine.draw() if game.step_normals else None
        step = engine.step_from(state, actions, normals)
        table = None
        if counterfactuals:
            table = counterfactual_rewards(game, self.seat, self.rewards, self.levels, state, actions, normals)
        engine.state = step.transition.state
        if bool(step.ended.any()):
            engine.reset_where(step.ended)
            self._others.next_episode(step.ended)
        return step.rewards, table

    def _episode(self, chosen: IntArray, counterfactuals: bool) -> tuple[FloatArray, FloatArray | None]:
        game, rows = self.game, len(self._rows)
        copies = self.count if counterfactuals else 1
        self._others.next_round(copies)
        own = np.repeat(self.levels, rows) if counterfactuals else self.levels[chosen]
        totals = np.zeros((copies * rows, game.n_agents))
        for step in unroll(
            game,
            lambda _, state: self._joint(own, self._others.shares(state)),
            batch=(copies * rows,),
            draws=Seeded(self._episode_seeds * copies),
            rewards=self.rewards,
        ):
            totals += counted(step, step.rewards)
        self._open_episode()
        paid = totals.reshape(copies, rows, game.n_agents) / game.spec.horizon
        if not counterfactuals:
            return paid[0], None
        return paid[chosen, self._rows], paid[..., self.seat].T

    def _joint(self, own: FloatArray, others: FloatArray) -> FloatArray:
        """Joint actions ``(rows, N)`` in units, of shares."""
        return np.insert(others, self.seat, own, axis=1) * self.game.spec.endowments

    def _scaled(self, paid: FloatArray) -> FloatArray:
        low, high = self.bounds[self.seat]
        return (paid - low) / (high - low)

    def _first_rewards(self) -> FloatArray:
        """What every arm brings in the first round, ``(K,)``."""
        probe = copy.copy(self)
        probe._others, probe._means = copy.deepcopy(self._others), None
        probe.reset(1, 1, np.random.default_rng(0))
        table = probe.pull(np.zeros(1, dtype=np.int64)).all_rewards
        assert table is not None
        return table[0]

    def _answers(self) -> bool:
        """Whether what arms bring in an episode differs between holding the least and the greatest share."""
        probe = copy.copy(self)
        probe._others, probe._counterfactuals = copy.deepcopy(self._others), True
        offered = []
        for arm in (0, self.count - 1):
            probe.reset(self.game.spec.horizon, 1, np.random.default_rng(0))
            for _ in range(min(self.game.spec.horizon, PROBED)):
                probe.pull(np.array([arm]))
            offered.append(probe._offered)
        return bool(np.abs(offered[0] - offered[1]).max() > STILL)

    def _require_still(self, table: FloatArray) -> None:
        assert self._means is not None
        moved = np.abs(table - self._means)
        if moved.max() > STILL:
            arm = int(moved.max(0).argmax())
            raise ValueError(
                f"{self.game.id} from seat {self.seat} under {self.rewards.name} reward: arm {arm} brought "
                f"{self._means[arm]:.6f} in the first round and {table[:, arm].min():.6f} to {table[:, arm].max():.6f} "
                f"in round {self._pulled}, so they are not stochastic; leave process out, or play whole episodes"
            )


def counterfactual_rewards(
    game: AnyGame,
    seat: int,
    rewards: Rewards,
    levels: FloatArray,
    state: State,
    actions: FloatArray,
    normals: FloatArray | None = None,
) -> FloatArray:
    """Return what every share would have paid a seat in a step, others playing what they played, ``(R, K)``.

    Args:
        game: on the NumPy backend.
        seat: whose share is another.
        rewards: a mode without transforms.
        levels: ``(K,)`` shares of the endowment.
        state: ``(R)`` before the step.
        actions: ``(R, N)`` joint actions in units.
        normals: ``(R, step_normals)`` chance of the step, which stays the same.
    """
    rivals = np.repeat(actions[None], len(levels), axis=0)
    rivals[..., seat] = (levels * game.spec.endowments[seat])[:, None]
    states = repeated(game, state, (len(levels),))
    chance = None if normals is None else np.broadcast_to(normals, (len(levels), *normals.shape))
    table: FloatArray = played(game, states.t, states, rivals, chance, rewards=rewards).rewards[..., seat].T
    return table


def seat_context(seat: Seat, observed: FloatArray, t: IntArray) -> FloatArray:
    """Return own trust in others, their last shares and the time gone, each in [0, 1], ``(R, 2 N - 1)``.

    Args:
        seat: that looks.
        observed: ``(R, obs_dim)`` what it sees.
        t: ``(R,)`` steps played.
    """
    gone = np.reshape(t / seat.game.horizon, (-1, 1))
    return np.concatenate([observed[:, seat.columns["trust"]], seat.partners_cooperation(observed), gone], axis=1)


def _checked_levels(levels: npt.ArrayLike) -> FloatArray:
    shares = np.asarray(levels, dtype=np.float64)
    inside = shares.ndim == 1 and len(shares) > 1 and ((shares >= 0.0) & (shares <= 1.0)).all()
    if not inside or not (np.diff(shares) > 0.0).all():
        raise ValueError(f"levels={levels!r}: expected at least two ascending shares in [0, 1], or how many of them")
    return shares
