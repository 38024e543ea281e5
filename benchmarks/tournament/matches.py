"""One agent among copies of another: what each side gets, on average over the seats it may sit in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from coopgym.benchmarks.tournament.entrants import Contestant
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play.episodes import Episodes, play
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Outcome:
    """What came of a match: means over episodes and seats of sums over steps."""

    focal_return: float
    """What the focal agent's reward mode made of its payoff."""
    focal_payoff: float
    background_return: float
    """Per seat."""
    background_payoff: float
    """Per seat."""
    welfare: float
    """Sum of all payoffs."""
    focal_cooperation: float
    """Mean share of endowment."""
    background_cooperation: float
    length: float
    """Steps until the relation ended."""


MEASURES = tuple(each.name for each in fields(Outcome))


@dataclass(frozen=True)
class Venue:
    """Where matches are played."""

    game: AnyGame
    layer: Rewards
    view: View | None
    episodes: int

    def match(self, focal: Contestant, background: Contestant, seed: int) -> Outcome:
        """Let one agent take every seat in turn among copies of another.

        Of seats that are alike one stands for all, with their number as its weight, unless an agent plays them
        differently. Among its own copies an agent is focal in all seats at once.

        Args:
            focal: sits alone.
            background: fills all other seats.
            seed: of games and agents. Matches with the same seed meet the same chance, so they compare as pairs.
        """
        if focal is background:
            every = list(range(self.game.n_agents))
            return self._read(self._play([focal] * self.game.n_agents, seed), every, every)
        seats = self._seats(focal.alike and background.alike)
        weighted = [(self._outcome(focal, background, seat, seed), weight) for seat, weight in seats]
        weights = [weight for _, weight in weighted]
        rows = np.array([[getattr(outcome, name) for name in MEASURES] for outcome, _ in weighted])
        return Outcome(*np.average(rows, axis=0, weights=weights).tolist())

    def _outcome(self, focal: Contestant, background: Contestant, seat: int, seed: int) -> Outcome:
        others = [other for other in range(self.game.n_agents) if other != seat]
        players = [focal if each == seat else background for each in range(self.game.n_agents)]
        return self._read(self._play(players, seed), [seat], others)

    def _play(self, players: list[Contestant], seed: int) -> Episodes:
        return play(
            self.game,
            [player.seated(seat) for seat, player in enumerate(players)],
            reward=self.layer,
            views=self.view,
            episodes=self.episodes,
            seed=seed,
        )

    def _read(self, episodes: Episodes, focal: list[int], background: list[int]) -> Outcome:
        returns = episodes.returns[self.layer.name]
        return Outcome(
            focal_return=_mean(returns, focal),
            focal_payoff=_mean(episodes.payoffs, focal),
            background_return=_mean(returns, background),
            background_payoff=_mean(episodes.payoffs, background),
            welfare=float(episodes.payoffs.sum(1).mean()),
            focal_cooperation=_mean(episodes.cooperation, focal),
            background_cooperation=_mean(episodes.cooperation, background),
            length=float(episodes.lengths.mean()),
        )

    def _seats(self, alike: bool) -> Iterator[tuple[int, float]]:
        """Yield the seats that the focal agent takes, with their weights."""
        if not alike:
            yield from ((seat, 1.0) for seat in range(self.game.n_agents))
            return
        for group in groups_in_state(self.game, initial_state(self.game), [self.layer]):
            yield group[0], float(len(group))


def _mean(values: FloatArray, seats: list[int]) -> float:
    return float(values[:, seats].mean())
