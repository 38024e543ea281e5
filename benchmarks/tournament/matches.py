"""One agent among copies of another: what each side gets, on average over the seats it may sit in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import product
from typing import Any, Self

import numpy as np

from coopgym.benchmarks.study import canonical_json, seed_from
from coopgym.benchmarks.tournament.participants import Player
from coopgym.games.game import AnyGame, checked_view
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play.episodes import Episodes, play
from coopgym.rewards import Rewards, reward_layer
from coopgym.typing import FloatArray

Measures = Mapping[str, FloatArray]
"""Arrays ``(S, K, P)`` under the names of `MatchOutcome`: seeds, focal agents, those among whose copies they sit."""


@dataclass(frozen=True)
class MatchOutcome:
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


MEASURES = tuple(each.name for each in fields(MatchOutcome))


def match_seed(game: str, parameters: str, seed: int) -> int:
    """Return the seed of the plays of a replicate: whoever meets there, they meet the same chance.

    Args:
        game: id.
        parameters: what differs from the game's defaults, as canonical JSON.
        seed: of the replicate.
    """
    return seed_from("tournament", game, parameters, seed)


@dataclass(frozen=True)
class Venue:
    """Where matches are played."""

    game: AnyGame
    layer: Rewards
    view: View
    seeds: tuple[int, ...]
    """One replicate each."""
    episodes: int
    """Per match, seat and seed."""

    @classmethod
    def of(
        cls,
        game: str,
        reward: str,
        seeds: Iterable[int],
        episodes: int,
        parameters: Mapping[str, Any] | None,
        view: View | None,
    ) -> Self:
        """Check what somebody asks for.

        Raises:
            ValueError: an unknown game, reward or view, no seeds or one twice, or fewer than one episode.
            TypeError: an unknown parameter.
        """
        place, layer, replicates = make_game(game, **(parameters or {})), reward_layer(reward).evaluated, tuple(seeds)
        layer.check(place)
        if not replicates or len(set(replicates)) != len(replicates):
            raise ValueError(f"seeds={replicates}: expected at least one seed, each once")
        if episodes < 1:
            raise ValueError(f"episodes={episodes!r}: expected a whole number of at least 1")
        return cls(place, layer, checked_view(place, view), replicates, episodes)

    @property
    def parameters(self) -> str:
        """What differs from the game's defaults, as canonical JSON."""
        return canonical_json(self.game.overridden())

    @property
    def facts(self) -> dict[str, Any]:
        """What results say of it, by the names of `coopgym.benchmarks.tournament.record.Matches`."""
        return {
            "game": self.game.id,
            "parameters": json.loads(self.parameters),
            "reward": self.layer.name,
            "view": self.view,
            "seeds": self.seeds,
            "episodes": self.episodes,
        }

    def draws(self, *players: Player) -> bool:
        """Whether chance has a part in a match, so that seeds are no copies of one."""
        return self.game.stochastic or not all(player.deterministic for player in players)

    def measures(
        self, focal: Sequence[Player], background: Sequence[Player], report: Callable[[float], None]
    ) -> Measures:
        """Play every match of K focal agents with each of P others.

        Args:
            focal: sit alone.
            background: fill all other seats.
            report: told the finished fraction after every match.
        """
        chances = [match_seed(self.game.id, self.parameters, seed) for seed in self.seeds]
        pairs = list(product(focal, background))
        cells = []
        for pair in pairs:
            copies = 1 if self.draws(*pair) else len(chances)
            cells.append([self.match(*pair, chance) for chance in chances[::copies]] * copies)
            report(len(cells) / len(pairs))
        values = np.array([[astuple(outcome) for outcome in outcomes] for outcomes in cells])
        tables = np.moveaxis(values, 0, -1).swapaxes(0, 1).reshape(len(MEASURES), -1, len(focal), len(background))
        return dict(zip(MEASURES, tables, strict=True))

    def match(self, focal: Player, background: Player, seed: int) -> MatchOutcome:
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
        return MatchOutcome(*np.average(rows, axis=0, weights=weights).tolist())

    def _outcome(self, focal: Player, background: Player, seat: int, seed: int) -> MatchOutcome:
        others = [other for other in range(self.game.n_agents) if other != seat]
        players = [focal if each == seat else background for each in range(self.game.n_agents)]
        return self._read(self._play(players, seed), [seat], others)

    def _play(self, players: list[Player], seed: int) -> Episodes:
        return play(
            self.game,
            [player.seated(seat) for seat, player in enumerate(players)],
            reward=self.layer,
            views=self.view,
            episodes=self.episodes,
            seed=seed,
        )

    def _read(self, episodes: Episodes, focal: list[int], background: list[int]) -> MatchOutcome:
        returns = episodes.returns[self.layer.name]
        return MatchOutcome(
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
