"""The Agent protocol: everything that plays a seat, from a constant to a language model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from coopgym.agents.streams import EpisodeDraws
from coopgym.games.actions import ROUNDING, real_numbers
from coopgym.games.game import AnyGame, Game
from coopgym.games.spec import GameSpec, View
from coopgym.typing import FloatArray
from coopgym.user_code import home_of


@dataclass(frozen=True, eq=False)
class Seat:
    """An agent's place in a game: what it may know before play starts."""

    game: GameSpec
    index: int
    view: View
    reward: str
    columns: dict[str, list[int]]
    """Observation columns of each named block, e.g. ``own_action``, ``partner_actions``, ``trust``, ``time``."""
    partner_scale: FloatArray
    """``(N - 1,)`` factors from the partners' actions as observed to shares of their endowments."""
    own_scale: float
    observation_size: int

    @classmethod
    def of(cls, game: Game[Any], index: int, view: View, reward: str) -> Seat:
        """Describe seat ``index`` of a game under a view and reward mode.

        Raises:
            ValueError: no such seat.

        >>> seat = Seat.of(coopgym.make_game("PartnerHoldUp-v1"), 1, view="own", reward="private")
        >>> seat.endowment, seat.norm, seat.columns["partner_actions"]
        (80.0, 0.2, [1])
        """
        if not 0 <= index < game.n_agents:
            raise ValueError(f"seat={index}: {game.id} has seats 0 to {game.n_agents - 1}")
        others = [j for j in range(game.n_agents) if j != index]
        low, _ = game.seat_observation_bounds(view, index)
        return cls(
            game=game.spec,
            index=index,
            view=view,
            reward=reward,
            columns=game.observation_columns(view, index),
            partner_scale=game.action_scale[others],
            own_scale=float(game.action_scale[index]),
            observation_size=low.shape[-1],
        )

    @cached_property
    def endowment(self) -> float:
        """Largest action e_i, in units."""
        return float(self.game.endowments[self.index])

    @cached_property
    def norm(self) -> float:
        """Baseline as a share of the own endowment."""
        return float(self.game.baselines[self.index]) / self.endowment

    @cached_property
    def partners_norm(self) -> float:
        """Mean of the partners' baselines as shares of their endowments."""
        norms = np.delete(self.game.baselines / self.game.endowments, self.index)
        return float(norms.mean())

    def own_cooperation(self, observation: FloatArray) -> FloatArray:
        """Own last action as a share of endowment, ``(episodes,)``."""
        return observation[:, self.columns["own_action"][0]] * self.own_scale

    def partners_cooperation(self, observation: FloatArray) -> FloatArray:
        """Partners' last actions as shares of their endowments, ``(episodes, N - 1)``, ascending.

        Raises:
            ValueError: the view hides them.
        """
        if "partner_actions" not in self.columns:
            raise ValueError(
                f"the {self.view!r} view of {self.game.id} does not show partners' actions; use view='own' or 'full'"
            )
        return observation[:, self._partner_columns] * self.partner_scale

    def trust_received(self, observation: FloatArray) -> FloatArray:
        """Mean trust of the partners in this seat, ``(episodes,)``; where it is hidden, this seat's trust in them."""
        trust = observation[:, self.columns.get("trust_received", self.columns["trust"])]
        return trust.sum(axis=1) / trust.shape[1]

    @cached_property
    def _partner_columns(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.columns["partner_actions"], dtype=np.int64)


@runtime_checkable
class Agent(Protocol):
    """Anything that plays: told where it sits, then asked for one action per episode and step.

    >>> from coopgym import make_game, play
    >>> class Half:
    ...     def begin(self, seat, episodes, rng):
    ...         self.episodes = episodes
    ...     def act(self, observation):
    ...         return np.full(self.episodes, 0.5)
    >>> play.play(make_game("TrustDilemma-v1"), [Half(), Half()], episodes=2).cooperation
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Start ``episodes`` parallel episodes in a seat; all randomness must come from ``rng``.

        An episode that shall not depend on how many are played draws from a stream of its own, as
        `coopgym.agents.streams.EpisodeDraws` does, or from ``rng.spawn(episodes)[k]``.
        """

    def act(self, observation: FloatArray) -> npt.ArrayLike:
        """Return the shares of its endowment that it plays, ``(episodes,)`` in [0, 1].

        Args:
            observation: what its seat sees, ``(episodes, obs_dim)``, a copy of its own.

        An agent that draws its actions may have an ``action_logprob``, ``(episodes,)``: the log-density of the shares
        it returned last, or the log-probability of those that have one. Recordings keep it.
        """


def action_logprobs(agents: Sequence[Agent], episodes: int) -> FloatArray:
    """Return how likely agents were to choose what they answered last, ``(episodes, N)``; NaN where they do not say.

    Raises:
        ValueError: an ``action_logprob`` is not one number per episode.
    """
    logprobs = np.full((episodes, len(agents)), np.nan)
    for seat, agent in enumerate(agents):
        told = getattr(agent, "action_logprob", None)
        if told is None:
            continue
        if np.shape(told) != (episodes,):
            raise ValueError(
                f"{type(agent).__name__} in seat {seat}: expected one action_logprob per episode, shape ({episodes},); "
                f"got shape {np.shape(told)}{told_where(agent)}"
            )
        logprobs[:, seat] = told
    return logprobs


def agent_actions(game: AnyGame, seat: int, agent: Agent, observation: FloatArray) -> FloatArray:
    """Ask the agent in a seat what it plays, and return it in endowment units, ``(episodes,)``.

    What it sees is its own copy, and what is returned is none of its arrays: agents that write into arrays, or keep
    them, reach nobody else's.

    Raises:
        ValueError: its answer is not one share of its endowment per episode.
    """
    answer = agent.act(observation.copy())
    try:
        shares = playable_shares(answer, len(observation), float(game.spec.endowments[seat]))
    except ValueError as error:
        where = f"{type(agent).__name__} in seat {seat} of {game.id}"
        raise ValueError(f"{where}: act() {error}{told_where(agent)}") from error
    return shares * game.spec.endowments[seat]


def playable_shares(answer: Any, episodes: int, endowment: float) -> FloatArray:
    """Return what an agent answered as shares of its endowment, clipped where they miss [0, 1] by rounding only.

    Args:
        answer: what ``act`` returned.
        episodes: how many it was asked about.
        endowment: of its seat, in units.

    Raises:
        ValueError: something else; the message goes on from "act()".
    """
    try:
        shares = np.array(real_numbers(answer), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"must return numbers, one share of the endowment per episode: {error}") from error
    if shares.shape != (episodes,):
        raise ValueError(
            f"must return {episodes} shares, one per episode, as shape ({episodes},); got shape {shares.shape}"
        )
    if _all_shares(shares):
        return shares
    playable = (shares >= -ROUNDING) & (shares <= 1.0 + ROUNDING)
    if not playable.all():
        episode = int(np.flatnonzero(~playable)[0])
        wrong = float(shares[episode])
        raise ValueError(
            f"returned {wrong:g} in episode {episode}; expected shares of the endowment in [0, 1]"
            f"{_advice(wrong, endowment)}"
        )
    return np.minimum(np.maximum(shares, 0.0), 1.0)


def _all_shares(numbers: FloatArray) -> bool:
    if len(numbers) == 1:  # which is what single environments ask for
        return 0.0 <= numbers.item() <= 1.0
    return bool(((numbers >= 0.0) & (numbers <= 1.0)).all())


def _advice(wrong: float, endowment: float) -> str:
    if not np.isfinite(wrong):
        return ", finite ones"
    if 1.0 < wrong <= endowment * (1.0 + ROUNDING):
        return f". Agents answer in shares, no longer in endowment units: divide by seat.endowment, here {endowment:g}"
    return ": clip what lies outside"


def told_where(agent: Agent) -> str:
    """Return file and line of a user's agent in brackets, for the end of a message; empty for others."""
    home = home_of(agent)
    return "" if home is None else f" ({home})"


def joint_actions(game: AnyGame, asked: Sequence[tuple[int, Agent, FloatArray]]) -> list[FloatArray]:
    """Ask several agents what they play, and return it in endowment units, ``(episodes,)`` each.

    Agents that wait for something, such as a server, may have ``act_async(observation)``, which begins what ``act``
    with the same observation then ends, and ``cancel()``, which gives it up: they wait side by side.

    Args:
        game: that they play.
        asked: seats, the agents in them, and what these see.

    Raises:
        ValueError: as `agent_actions`.
    """
    slow: list[tuple[Any, FloatArray]] = [(agent, seen) for _, agent, seen in asked if hasattr(agent, "act_async")]
    try:
        for agent, observation in slow:
            agent.act_async(observation.copy())
        return [agent_actions(game, seat, agent, observation) for seat, agent, observation in asked]
    except BaseException:
        for agent, _ in slow:
            agent.cancel()
        raise


def check_distinct_agents(game: AnyGame, agents: Sequence[Agent]) -> None:
    """Make sure that every seat has an agent of its own.

    Raises:
        ValueError: the same object sits in two seats, whose memories it would mix.
    """
    for i, agent in enumerate(agents):
        if any(agent is other for other in agents[:i]):
            raise ValueError(
                f"{game.id}: the same {type(agent).__name__} object sits in several seats; make one agent per seat"
            )


@dataclass(frozen=True)
class Classifier:
    """What a strategy uses, in the terms of the tournament literature."""

    memory_depth: float
    """Rounds remembered; ``inf`` for the whole episode."""
    stochastic: bool = False
    uses_horizon: bool = False


class Strategy(ABC):
    """Base of scripted agents: keeps the seat and generator, and counts the rounds of every episode.

    >>> from coopgym import make_game, play
    >>> class Fading(Strategy):
    ...     def cooperate(self, observation):
    ...         return 1.0 / (1.0 + self.round)
    >>> game, agents = make_game("TrustDilemma-v1", max_steps=4), [Fading(), Fading()]
    >>> play.play(game, agents, record=True).trajectory.shares[:, 0, 0].round(2)
    array([1.  , 0.5 , 0.33, 0.25])
    """

    citation: ClassVar[str] = ""
    version: ClassVar[int] = 1
    """Raise it when the same settings may play otherwise than before: it is part of the identity of every run."""
    learns: ClassVar[bool] = False
    """Whether it learns while it plays and knows nothing else of what is best: a learning baseline, not an oracle."""
    step_cost: ClassVar[float] = 1.0
    """How much longer a decision takes than a glance at an observation, roughly, for estimates of time."""

    seat: Seat
    rng: np.random.Generator
    draws: EpisodeDraws
    """Random numbers, one per episode, from the episode's own stream."""
    episodes: int
    round: npt.NDArray[np.int64]
    """``(episodes,)`` actions taken so far in each episode."""

    @property
    def classifier(self) -> Classifier:
        """What it uses; a class whose agents all use the same says so in an attribute of this name."""
        return Classifier(memory_depth=0)

    def identity(self) -> dict[str, Any]:
        """Return the settings that, beside its class and version, determine how an agent plays that has not begun.

        Of a user's agent this counts only where its class says it itself: weights or tables that it loads, for example.
        """
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Start afresh in a seat."""
        self.seat, self.episodes, self.rng = seat, episodes, rng
        self.draws = EpisodeDraws(rng, episodes)
        self.round = np.zeros(episodes, dtype=np.int64)
        self.prepare()

    def prepare(self) -> None:
        """Set up whatever the strategy remembers per episode."""

    def restart(self, rows: npt.NDArray[np.bool_]) -> None:
        """Start new episodes in some rows."""
        self.round[rows] = 0
        self.forget(rows)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        """Clear what the strategy remembers of some episodes."""

    def act(self, observation: FloatArray) -> FloatArray:
        """Return shares of the endowment, ``(episodes,)``."""
        share = self.cooperate(observation)
        self.round += 1
        shares: FloatArray = np.minimum(np.maximum(share, 0.0), 1.0)
        return shares if shares.shape == (self.episodes,) else np.broadcast_to(shares, (self.episodes,)).copy()

    @abstractmethod
    def cooperate(self, observation: FloatArray) -> float | FloatArray:
        """Return the share of the own endowment to play, a number or ``(episodes,)``."""

    def opening(self, first: float, later: FloatArray) -> FloatArray:
        """Play ``first`` in the first round of an episode and ``later`` after it."""
        return np.where(self.round == 0, first, later)
