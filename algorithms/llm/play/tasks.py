"""Tasks: a decision, or a few in a row, in a game from a given start; all rollouts of a group see the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from coopgym.agents import make_agent
from coopgym.algorithms.llm.play.reference_actions import (
    SCALE,
    correct,
    graded,
    oracle_for,
    oracle_returns,
    oracle_shares,
)
from coopgym.games.game import AnyGame, checked_view
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.interfaces.text import Rules, SeatOutcome, Snapshot, TextMatch, chat_format_named
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray

OutcomeKind = Literal["graded", "final", "payoff", "welfare"]
"""``graded``: nearness to the oracle's level, decision by decision; ``final``: that of the last decision alone;
``payoff``: the seat's reward between disagreement and optimum; ``welfare``: the same of everybody's payoffs."""
OUTCOMES: tuple[OutcomeKind, ...] = get_args(OutcomeKind)


@dataclass(frozen=True)
class TaskSettings:
    """What all tasks of a training share.

    Attributes:
        game: registered id.
        parameters: overridden game parameters.
        reward: reward mode.
        view: what the seat sees; None is the game's default.
        partners: names of agents; a task draws who sits in the other seats, and who played before it starts.
        decisions: decisions H in a row.
        latest_start: most steps that have been played before a task starts.
        dialect: how the text interface words things.
        rules: turns allowed and what an unreadable answer leads to.
        outcome: what a rollout is worth.
        oracle: who says what is right; None is the oracle of the reward mode.

    Raises:
        ValueError: any of these is unknown or does not fit the game.
    """

    game: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reward: str = "integrated"
    view: View | None = None
    partners: tuple[str, ...] = ("Random", "TitForTat", "Constant_25", "Constant_50", "Constant_75")
    decisions: int = 1
    latest_start: int = 20
    dialect: str = "compact"
    rules: Rules = field(default_factory=Rules)
    outcome: OutcomeKind = "graded"
    oracle: str | None = None

    def __post_init__(self) -> None:
        made = self.made
        object.__setattr__(self, "reward", reward_layer(self.reward).name)
        object.__setattr__(self, "view", checked_view(made, self.view))
        if not 1 <= self.decisions <= made.spec.horizon:
            raise ValueError(f"decisions={self.decisions}: {self.game} has 1 to {made.spec.horizon}")
        if self.latest_start < 0:
            raise ValueError(f"latest_start={self.latest_start}: expected at least 0")
        if not self.partners:
            raise ValueError("partners is empty; expected at least one agent")
        for name in self.partners:
            make_agent(name)
        chat_format_named(self.dialect)
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome={self.outcome!r}: expected one of {', '.join(OUTCOMES)}")
        oracle_shares(*self._key, oracle_for(self.reward, self.oracle))

    def values(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self) | {"parameters": dict(self.parameters)}

    @cached_property
    def made(self) -> AnyGame:
        """The game."""
        return make_game(self.game, **self.parameters)

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.game, json.dumps(dict(self.parameters), sort_keys=True), self.reward

    def gold(self, step: int, seat: int) -> float:
        """Return the share of endowment that the oracle plays in a seat at a step."""
        shares = oracle_shares(*self._key, oracle_for(self.reward, self.oracle))
        return float(shares[min(step, len(shares) - 1), seat])

    @property
    def disagreement(self) -> tuple[FloatArray, FloatArray]:
        """Payoffs and rewards ``(N,)`` per step where everybody plays the private equilibrium."""
        return oracle_returns(*self._key, SCALE[0])

    @property
    def ideal(self) -> tuple[FloatArray, FloatArray]:
        """Payoffs and rewards ``(N,)`` per step where everybody plays the social optimum."""
        return oracle_returns(*self._key, SCALE[1])

    def draw(self, rng: np.random.Generator) -> Task:
        """Draw a task: seat, partners, start and chance. Where the relation would end before the start, it is 0."""
        spec = self.made.spec
        task = Task(
            settings=self,
            seat=int(rng.integers(spec.n_agents)),
            partner=self.partners[int(rng.integers(len(self.partners)))],
            start=int(rng.integers(min(self.latest_start, spec.horizon - self.decisions) + 1)),
            seed=int(rng.integers(2**31)),
        )
        return task if task.reachable else replace(task, start=0)


@dataclass(frozen=True)
class Judgement:
    """What a rollout came to."""

    outcome: float
    correct: bool


@dataclass(frozen=True)
class Task:
    """One start: everything that a rollout needs to be the same as its group's others."""

    settings: TaskSettings
    seat: int
    partner: str
    start: int
    seed: int

    @property
    def uid(self) -> str:
        """A name that tells the task from all others."""
        return f"{self.settings.game}/{self.settings.reward}/{self.seat}/{self.partner}/{self.start}/{self.seed}"

    @property
    def cluster(self) -> str:
        """Tasks of one cluster have the same answers: what counts are kept by."""
        return f"{self.settings.game}/{self.settings.reward}/{self.seat}"

    @property
    def gold(self) -> float:
        """The oracle's share of endowment at the last decision."""
        return self.settings.gold(self.start + self.settings.decisions - 1, self.seat)

    @cached_property
    def reachable(self) -> bool:
        """Whether the relation lasts until the start."""
        try:
            _ = self._start
        except ValueError:
            return False
        return True

    def open(self) -> TextMatch:
        """Start a rollout in the task's seat, among agents."""
        return TextMatch.restore(self._start)

    @cached_property
    def _start(self) -> Snapshot:
        return Snapshot(self.table((self.seat,)))

    def table(self, seats: tuple[int, ...]) -> TextMatch:
        """Start a match with talkers in some seats and agents in the others."""
        settings = self.settings
        return TextMatch(
            settings.game,
            parameters=dict(settings.parameters),
            seats=seats,
            reward=settings.reward,
            view=settings.view,
            partners=self.partner,
            seed=self.seed,
            start=self.start,
            decisions=settings.decisions,
            dialect=settings.dialect,
            rules=settings.rules,
        )

    def judge(self, outcome: SeatOutcome, answers: tuple[float | None, ...], seat: int | None = None) -> Judgement:
        """Say what a rollout is worth.

        Args:
            outcome: what was played and earned.
            answers: level submitted at every decision; None where there was none.
            seat: who is judged; None is the task's seat.
        """
        settings = self.settings
        seat = self.seat if seat is None else seat
        golds = [settings.gold(self.start + number, seat) for number in range(len(answers))]
        right = all(level is not None and correct(level, gold) for level, gold in zip(answers, golds, strict=True))
        grades = [0.0 if level is None else graded(level, gold) for level, gold in zip(answers, golds, strict=True)]
        if settings.outcome == "graded":
            worth = float(np.mean(grades))
        elif settings.outcome == "final":
            worth = grades[-1]
        elif settings.outcome == "payoff":
            worth = _between(outcome.rewards.mean(), settings.disagreement[1][seat], settings.ideal[1][seat])
        else:
            payoffs = outcome.payoffs.mean(0).sum()
            worth = _between(payoffs, settings.disagreement[0].sum(), settings.ideal[0].sum())
        return Judgement(max(0.0, worth - float(outcome.penalties.mean())), right)

    def payoff_share(self, payoffs: FloatArray) -> float:
        """Return where the seat's payoff per decision, of all ``(N,)``, lies between disagreement and optimum."""
        low, high = (stage[0][self.seat] for stage in (self.settings.disagreement, self.settings.ideal))
        return _between(payoffs[self.seat], low, high)

    def unanswered(self) -> Judgement:
        """Say what a rollout without an end is worth."""
        return Judgement(0.0, False)


def _between(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, clipped to [0, 1]."""
    return float(np.clip((value - low) / (high - low), 0.0, 1.0)) if high > low else 0.0
