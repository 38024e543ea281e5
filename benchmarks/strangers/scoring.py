"""Score an agent among strangers: between the best single number and a best response to everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.agents import Agent, make_agent
from coopgym.benchmarks.score.strangers import best_level, normalised_returns, strangers_scores
from coopgym.benchmarks.strangers.anchors import may_draw
from coopgym.benchmarks.strangers.valued import ValuedScenarios, kept_values
from coopgym.oracles.dynamic.deviation_search import CONSTANTS
from coopgym.strangers import EPISODES, SEED, StrangersScenario
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class ScenarioResult:
    """An agent in one scenario; returns are means over seats and episodes, under private reward."""

    scenario: StrangersScenario
    focal_return: float
    partner_return: float
    """What a partner earned: beside the focal return it says who lived off whom."""
    ceiling: float
    random: float
    floor: float
    """Return of the best single number."""
    normalised: float
    """v: 0 is Random, 1 a best response; the search may be beaten, so it can be above."""
    standard_error: float | None
    """Of v, over episodes; None where they are all the same."""
    response: str
    """Kind of the best response: ``constant``, ``plan`` or ``feedback``."""

    @property
    def title(self) -> str:
        """Name of the partner, or the mix."""
        name = self.scenario.name.rpartition("/")[2]
        return f"mix {name}" if self.scenario.company == "mix" else name

    @property
    def left(self) -> float:
        """What a best response earns more: it was left on the table."""
        return self.ceiling - self.focal_return


@dataclass(frozen=True)
class StrangersResult:
    """An agent among the strangers of one game."""

    game: str
    population: str
    level: float
    """The best single number, a share of endowment."""
    scenarios: tuple[ScenarioResult, ...]
    untrained: tuple[str, ...]
    """Partners who are missing, because nobody has trained them in this game."""

    @property
    def score(self) -> float:
        """0 is the best single number, 1 a best response to everybody."""
        return _score(self.scenarios)

    @property
    def kinds(self) -> Mapping[str, float]:
        """The score among partners of one kind; NaN where the best single number is a best response to them all."""
        return {
            kind: _score([each for each in self.scenarios if each.scenario.kind == kind])
            for kind in dict.fromkeys(each.scenario.kind for each in self.scenarios)
        }

    @property
    def places(self) -> Mapping[str, Sequence[ScenarioResult]]:
        """Scenarios by where the focal agent sits, like ``visitor, seat 0`` or ``resident, seats 0, 2``."""
        found: dict[str, list[ScenarioResult]] = {}
        for each in self.scenarios:
            seats = each.scenario.focal_seats
            role = "visitor, seat" if len(seats) == 1 else "resident, seats"
            found.setdefault(f"{role} {', '.join(map(str, seats))}", []).append(each)
        return found

    @property
    def worst(self) -> ScenarioResult:
        """Where it earns least relative to a best response."""
        return min(self.scenarios, key=lambda each: each.normalised)


def strangers_score(
    game: str,
    agent: str | Callable[[], Agent],
    population: str = "test",
    *,
    episodes: int | None = None,
) -> StrangersResult:
    """Let an agent meet the strangers of a game and score it.

    Args:
        game: id of a game of the formal edition.
        agent: a name (`coopgym.agents.make_agent`), or what makes a fresh agent for any focal seat.
        population: ``"test"`` or ``"training"``.
        episodes: of each scenario; None for as many as its anchors had, and as for these where the agent may draw.

    Raises:
        MissingAnchorsError: scenarios have no anchors, or anchors of other partners.
        ValueError: as `coopgym.strangers.population` and `coopgym.play.play`.

    >>> result = strangers_score("TrustDilemma-v1", "TitForTat")
    >>> len(result.scenarios), result.score < 1.0, result.worst.scenario.kind in result.kinds
    (27, True, True)
    """
    return strangers_result(kept_values(game, population), agent, episodes)


def strangers_result(
    valued: ValuedScenarios, agent: str | Callable[[], Agent], episodes: int | None = None
) -> StrangersResult:
    """Let an agent play scenarios whose worth is known.

    Args:
        valued: the scenarios.
        agent, episodes: as in `strangers_score`.

    Raises:
        ValueError: as `coopgym.play.play`.

    >>> from coopgym.benchmarks.strangers.valued import values_against
    >>> valued = values_against("TrustDilemma-v1", ["strangers:test/exploiter-0.7-0.3"])
    >>> (met,) = strangers_result(valued, "TitForTat").scenarios
    >>> round(met.focal_return, 1), round(met.left, 1)
    (167.8, 45.9)
    """
    make = (lambda: make_agent(agent)) if isinstance(agent, str) else agent
    return play_valued(valued, lambda seat: make(), episodes or (EPISODES if may_draw(make()) else None))


def play_valued(valued: ValuedScenarios, make: Callable[[int], Agent], episodes: int | None) -> StrangersResult:
    """Let an agent that may differ from seat to seat play scenarios whose worth is known.

    Args:
        valued: the scenarios.
        make: makes a fresh agent for a focal seat.
        episodes: of each scenario; None for as many as its anchor had.

    Raises:
        ValueError: as `coopgym.play.play`.

    >>> from coopgym.benchmarks.strangers.valued import values_against
    >>> valued = values_against("TrustDilemma-v1", ["strangers:test/turns-good"])
    >>> round(play_valued(valued, lambda seat: make_agent("TitForTat"), episodes=None).scenarios[0].focal_return, 1)
    108.9
    """
    random, ceilings = (np.array([getattr(each, name) for each in valued.anchors]) for name in ("random", "ceiling"))
    levels = np.stack([each.constants for each in valued.anchors], axis=-1)  # (101, S)
    best = best_level(normalised_returns(levels, random, ceilings))
    results = []
    for scenario, anchor in zip(valued.scenarios, valued.anchors, strict=True):
        rows = scenario.run([make(seat) for seat in scenario.focal_seats], episodes or anchor.episodes, SEED)
        focal, partners = (np.array([row[f"{side}_return"] for row in rows]) for side in ("focal", "background"))
        scale = anchor.ceiling - anchor.random
        results.append(
            ScenarioResult(
                scenario,
                float(focal.mean()),
                float(partners.mean()),
                anchor.ceiling,
                anchor.random,
                float(anchor.constants[best]),
                float(focal.mean() - anchor.random) / scale,
                _standard_error(focal / scale),
                anchor.kind,
            )
        )
    return StrangersResult(valued.game, valued.population, float(CONSTANTS[best]), tuple(results), valued.untrained)


def _score(results: tuple[ScenarioResult, ...] | list[ScenarioResult]) -> float:
    """The score in some scenarios."""
    random, ceilings, floor, returns = (
        np.array([getattr(each, name) for each in results]) for name in ("random", "ceiling", "floor", "focal_return")
    )
    normalised = normalised_returns(np.stack([returns, floor]), random, ceilings)
    return float(strangers_scores(normalised[0], normalised[1]))


def _standard_error(values: FloatArray) -> float | None:
    """Of the mean of ``(E,)`` values; None where they do not differ."""
    if len(values) == 1 or np.ptp(values) == 0.0:
        return None
    return float(values.std(ddof=1) / np.sqrt(len(values)))
