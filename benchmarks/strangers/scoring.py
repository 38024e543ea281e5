"""Score an agent among strangers: between the best single number and a best response to everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coopgym.agents import Agent, make_agent
from coopgym.benchmarks.score.strangers import best_level, normalised_returns, strangers_scores
from coopgym.benchmarks.strangers.anchors import may_draw, scenario_digest
from coopgym.oracles.dynamic.deviation_search import CONSTANTS
from coopgym.strangers import EPISODES, SEED, Anchor, Population, StrangersScenario, read_anchors, scenarios
from coopgym.strangers import population as population_of
from coopgym.typing import FloatArray


class MissingAnchorsError(ValueError):
    """Scenarios have no anchors, or others than theirs; the message says what to do."""


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
    make = (lambda: make_agent(agent)) if isinstance(agent, str) else agent
    return met(
        population_of(game, population), lambda seat: make(), episodes or (EPISODES if may_draw(make()) else None)
    )


def met(strangers: Population, make: Callable[[int], Agent], episodes: int | None) -> StrangersResult:
    """Let an agent meet a population.

    Args:
        strangers: whom it meets.
        make: makes a fresh agent for a focal seat.
        episodes: of each scenario; None for as many as its anchors had.

    Raises:
        MissingAnchorsError: scenarios have no anchors, or anchors of other partners.
        ValueError: as `coopgym.play.play`.
    """
    there = scenarios(strangers)
    anchors = _fitting_anchors(strangers, there)
    random, ceilings = (np.array([getattr(each, name) for each in anchors]) for name in ("random", "ceiling"))
    levels = np.stack([each.constants for each in anchors], axis=-1)  # (101, S)
    best = best_level(normalised_returns(levels, random, ceilings))
    results = []
    for scenario, anchor in zip(there, anchors, strict=True):
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
            )
        )
    return StrangersResult(strangers.game, strangers.name, float(CONSTANTS[best]), tuple(results), strangers.untrained)


def _fitting_anchors(strangers: Population, there: tuple[StrangersScenario, ...]) -> list[Anchor]:
    held = read_anchors(strangers)
    lacking = [scenario.name for scenario in there if scenario.name not in held]
    stale = [
        scenario.name
        for scenario in there
        if scenario.name in held and held[scenario.name].digest != scenario_digest(scenario, strangers)
    ]
    if lacking or stale:
        raise MissingAnchorsError(
            f"{strangers.game}, {strangers.name} population: {len(lacking)} of {len(there)} scenarios have no anchors, "
            f"{len(stale)} have those of other partners, such as {(lacking + stale)[0]}; "
            f"`coopgym strangers build {strangers.game}` computes them"
        )
    return [held[scenario.name] for scenario in there]


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
