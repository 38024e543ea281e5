"""A person plays a seat: the state in words, an amount typed in, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from coopgym.agents.base import Agent, Seat
from coopgym.agents.registry import make_agent
from coopgym.games.game import AnyGame
from coopgym.games.spec import GameSpec
from coopgym.interfaces.text.game_rules_text import company, describe, introduce
from coopgym.play import Seeded, seated, unroll
from coopgym.play.unroll import opened
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray

Ask = Callable[[str], str]
"""Shows a prompt and returns the line typed; raises EOFError when there is no more input."""
Say = Callable[[str], None]

SHOWN_DIAGNOSTICS = ("mean_trust", "mean_reputation_damage")


class HasLeftError(Exception):
    """The person does not want to go on."""


@dataclass
class Person:
    """An agent that asks a person for every share."""

    ask: Ask
    say: Say
    seat: Seat = field(init=False)
    round: int = field(default=0, init=False)

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Take a seat; a person plays one episode at a time."""
        self.seat, self.round = seat, 0

    def act(self, observation: FloatArray) -> FloatArray:
        """Describe what the seat sees and return the share typed, ``(1,)``.

        Raises:
            HasLeftError: the person typed q or the input ended.
        """
        self.round += 1
        self.say(f"\nRound {self.round} of {self.seat.game.horizon}")
        for line in describe(self.seat, observation[0]):
            self.say(f"  {line}")
        return np.array([self._share()])

    def _share(self) -> float:
        endowment, norm = self.seat.endowment, self.seat.norm
        question = f"  Your share, 0 to 100 % of {endowment:g} (Enter: {in_percent(norm)}, the norm; q: leave): "
        while True:
            try:
                typed = self.ask(question).strip()
            except EOFError:
                raise HasLeftError from None
            if typed.lower() in ("q", "quit", "exit"):
                raise HasLeftError
            share = share_typed(typed) if typed else norm
            if share is not None:
                self.say(f"  You put in {in_percent(share)} of your endowment, {share * endowment:g} units.")
                return share
            self.say(f"  {typed!r} is not playable: type 60, 60% or 0.6 for 60 % of your endowment, at most 100 %.")


def share_typed(text: str) -> float | None:
    """Read a share of the endowment: ``60``, ``60%`` and ``0.6`` are the same; a bare number up to 1 is the share.

    Returns:
        The share in [0, 1], None where there is none to read.
    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    share = number / 100.0 if text.endswith("%") or number > 1.0 else number
    return share if 0.0 <= share <= 1.0 else None


def in_percent(share: float) -> str:
    """Write a share as people say it, ``12.5 %``."""
    return f"{100.0 * share:.4g} %"


@dataclass(frozen=True)
class HumanEpisode:
    """What happened until the game ended or the person left."""

    rounds: int
    payoffs: FloatArray
    """``(N,)`` payoffs so far."""
    rewards: FloatArray
    cooperation: FloatArray
    """``(N,)`` mean share of endowment played."""
    ended_early: bool
    final: Mapping[str, float]


def partners(name: str) -> Callable[[], Agent]:
    """Return what makes the agents that a person meets.

    A person would take the fallback of a model that is gone for its move, so the first answer that fails ends the game.
    """
    options = {"patience": 0} if name.startswith("llm:") else {}
    return lambda: make_agent(name, **options)


def play_with_person(
    game: AnyGame, person: Person, seat: int, partner: Callable[[], Agent], reward: Rewards, seed: int
) -> HumanEpisode:
    """Play one episode with a person in one seat and a fresh partner in each of the others."""
    view, n = game.spec.default_view, game.n_agents
    agents: list[Agent] = [person if i == seat else partner() for i in range(n)]
    policy, chance = seated(game, agents, [view] * n, reward.name, 1, seed), Seeded([seed])
    state = opened(game, chance, (1,))
    payoffs, rewards, shares = np.zeros(n), np.zeros(n), np.zeros(n)
    rounds, ended_early = 0, False
    with suppress(HasLeftError):
        for step in unroll(game, policy, start=state, draws=chance, rewards=reward):
            earned, state = step.transition.payoffs[0], step.transition.state
            others = np.delete(earned, seat).mean()
            person.say(f"  You earn {earned[seat]:.2f}; the others earn {others:.2f} on average.")
            payoffs, rewards = payoffs + earned, rewards + step.rewards[0]
            shares = shares + step.actions[0] / game.spec.endowments
            rounds, ended_early = rounds + 1, bool(step.transition.terminated[0])
    diagnostics = game.diagnostics(state)
    final = {name: float(np.mean(diagnostics[name])) for name in SHOWN_DIAGNOSTICS}
    return HumanEpisode(rounds, payoffs, rewards, shares / max(1, rounds), ended_early, final)


def introduction(game: AnyGame, seat: int, partner: str, reward: str) -> list[str]:
    """Tell a person what they are about to play."""
    spec = game.spec
    return [
        *introduce(spec, seat),
        f"You meet {company(spec)} played by {partner}, for {spec.horizon} rounds. Your reward is {reward}.",
        *game.circumstances(),
    ]


def farewell(spec: GameSpec, seat: int, episode: HumanEpisode) -> list[str]:
    """Tell a person how it went."""
    if not episode.rounds:
        return ["No round was played."]
    end = "The relation broke down" if episode.ended_early else "The game ended"
    head = f"{end} after {episode.rounds} rounds." if episode.rounds < spec.horizon else "All rounds are played."
    if episode.rounds < spec.horizon and not episode.ended_early:
        head = f"You left after {episode.rounds} of {spec.horizon} rounds."
    place = 1 + int((episode.payoffs > episode.payoffs[seat]).sum())
    return [
        head,
        f"Your payoff: {episode.payoffs[seat]:.1f} (place {place} of {spec.n_agents}); everybody's: "
        f"{episode.payoffs.sum():.1f}.",
        f"Your reward: {episode.rewards[seat]:.1f}.",
        f"You put in {episode.cooperation[seat]:.0%} of your endowment on average, the others "
        f"{np.delete(episode.cooperation, seat).mean():.0%}.",
        *(f"{name.replace('_', ' ').capitalize()} at the end: {value:.2f}." for name, value in episode.final.items()),
    ]
