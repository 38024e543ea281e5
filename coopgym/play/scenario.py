"""Scenarios: who plays whom, as frozen records, and one tidy row per episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coopgym.agents.base import Agent
from coopgym.agents.registry import make_agent
from coopgym.games.registry import make_game
from coopgym.play.episodes import play
from coopgym.rewards import reward_layer

PlayerT = TypeVar("PlayerT")


@dataclass(frozen=True)
class Scenario:
    """A game in which focal agents meet partners they never trained with."""

    name: str
    game: str
    focal_seats: tuple[int, ...]
    background: tuple[str, ...]
    """Agent names for the other seats in ascending order; one name stands for all of them."""
    reward: str = "integrated"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        game = make_game(self.game, **self.parameters)
        seats = self.focal_seats
        if not seats or len(set(seats)) != len(seats) or not all(0 <= seat < game.n_agents for seat in seats):
            raise ValueError(
                f"scenario {self.name!r}: focal_seats={seats} must be distinct seats of {game.id}, "
                f"0 to {game.n_agents - 1}"
            )
        others = game.n_agents - len(seats)
        if len(self.background) not in ({1, others} if others else {0, 1}):
            raise ValueError(
                f"scenario {self.name!r}: expected one background agent or {others}, got {len(self.background)}"
            )
        reward_layer(self.reward)

    def seated(self, focal: Sequence[PlayerT]) -> list[PlayerT | str]:
        """Return who sits in each seat: the focal players, one per focal seat, and the background by name.

        >>> Scenario("guests", "TeamProduction-v1", focal_seats=(1,), background=("TitForTat",)).seated(["me"])
        ['TitForTat', 'me', 'TitForTat', 'TitForTat']
        """
        game = make_game(self.game, **self.parameters)
        others = [seat for seat in range(game.n_agents) if seat not in self.focal_seats]
        names = self.background * len(others) if len(self.background) == 1 else self.background
        players: dict[int, PlayerT | str] = dict(zip(others, names, strict=True))
        players.update(zip(self.focal_seats, focal, strict=True))
        return [players[seat] for seat in range(game.n_agents)]

    def run(self, focal: Sequence[Agent], episodes: int = 1, seed: int = 0) -> list[dict[str, Any]]:
        """Play the scenario and return one row per episode, focal and background means side by side.

        Args:
            focal: one agent per focal seat.
            episodes: parallel episodes.
            seed: of games and agents.

        Raises:
            ValueError: the number of focal agents is wrong.

        >>> scenario = Scenario("meets a defector", "TrustDilemma-v1", focal_seats=(0,), background=("Constant_00",))
        >>> (row,) = scenario.run([make_agent("TitForTat")])
        >>> row["focal_cooperation"], round(row["focal_payoff"], 2), round(row["background_payoff"], 2)
        (0.005, 101.88, 102.64)
        """
        if len(focal) != len(self.focal_seats):
            raise ValueError(f"scenario {self.name!r}: expected {len(self.focal_seats)} focal agents, got {len(focal)}")
        game = make_game(self.game, **self.parameters)
        others = [seat for seat in range(game.n_agents) if seat not in self.focal_seats]
        result = play(
            game,
            [make_agent(player) if isinstance(player, str) else player for player in self.seated(focal)],
            reward=self.reward,
            views="own",
            episodes=episodes,
            seed=seed,
        )
        reward = reward_layer(self.reward).mode.name
        rows = []
        for episode in range(episodes):
            row: dict[str, Any] = {"scenario": self.name, "game": game.id, "reward": reward, "episode": episode}
            for role, seats in (("focal", list(self.focal_seats)), ("background", others)):
                at = (episode, seats)
                row[f"{role}_return"] = float(result.returns[reward][at].mean()) if seats else None
                row[f"{role}_payoff"] = float(result.payoffs[at].mean()) if seats else None
                row[f"{role}_cooperation"] = float(result.cooperation[at].mean()) if seats else None
            row["welfare"] = float(result.payoffs[episode].sum())
            row["length"] = int(result.lengths[episode])
            row["final_trust"] = float(result.final["mean_trust"][episode])
            rows.append(row)
        return rows
