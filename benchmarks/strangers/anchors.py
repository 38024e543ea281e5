"""What a scenario is worth: to a best response that was searched, to every constant level, and to Random.

The ceiling is a lower bound on the return of the best response: what a response earns that was found, and is kept with
it. Where partners or the game draw, it is searched on some draws and valued on others, those that agents are scored on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym.agents import Agent, Strategy, make_agent
from coopgym.benchmarks.study.hashing import content_hash, plain
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.deviation import best_deviation
from coopgym.oracles.dynamic.deviation_search import CONSTANTS, EFFORTS, SEARCH_VERSION, EffortName
from coopgym.oracles.dynamic.unilateral_play import Responses, UnilateralPlay
from coopgym.rewards import objective
from coopgym.strangers import EPISODES, SEED, Anchor, Population, StrangersScenario, strangers_folder
from coopgym.strangers.policies import policies_of, policy_digest

ANCHORS_VERSION = 1
"""Raise it when the same scenario may be valued otherwise than before."""
SEARCH_SEED = 0
STAND_IN, STAND_IN_LEVEL = "Constant_50", 0.5
"""Who sits in the focal seats while a best response is searched, and what it plays."""
DECIMALS = 4
"""Of the shares in a plan that is kept: what is valued is the plan as it is kept."""


def anchored(scenario: StrangersScenario, digest: str = "", effort: EffortName = "full") -> Anchor:
    """Compute the worth of a scenario.

    Args:
        scenario: of a game of the formal edition.
        digest: of `scenario_digest`.
        effort: of the search for a best response.

    >>> from coopgym.strangers import StrangersScenario
    >>> grim = StrangersScenario(
    ...     "grim", "TrustDilemma-v1", (0,), ("GrimTrigger",), "private", parameters={"max_steps": 6}
    ... )
    >>> worth = anchored(grim, effort="quick")
    >>> round(worth.ceiling, 2), round(float(worth.constants.max()), 2), worth.plan.round(1)  # at the norm, to the end
    (11.47, 11.46, array([0.3, 0.3, 0.3, 0.3, 0.3, 0.2]))
    """
    game, (seat, *others) = make_game(scenario.game, **scenario.parameters), scenario.focal_seats
    found = best_deviation(
        game,
        lambda: seated(scenario, STAND_IN),
        seat,
        scenario.reward,
        view="own",
        seed=SEARCH_SEED,
        effort=effort,
        together=tuple(others),
        paired=True,
    )
    episodes = EPISODES if is_random(scenario) else 1
    play = valuation(scenario, episodes)
    kept = Responses(found.response.plan.round(DECIMALS), found.response.follow, found.response.gains)
    constants = play.values(play.plans(CONSTANTS[:, None]))
    searched, best = float(play.values(kept)[0]), int(constants.argmax())
    if searched < constants[best]:
        kept = play.plans(CONSTANTS[best : best + 1, None])
    return Anchor(
        scenario=scenario.name,
        digest=digest,
        effort=effort,
        episodes=episodes,
        random=float(np.mean([row["focal_return"] for row in scenario.run(random_agents(scenario), EPISODES, SEED)])),
        constants=constants,
        ceiling=max(searched, float(constants[best])),
        kind="constant" if searched < constants[best] else found.kind,
        plan=kept.plan[0],
        follow=float(kept.follow[0]),
        gains=kept.gains[0],
    )


def response(anchor: Anchor) -> Responses:
    """Return the response that earns the ceiling."""
    return Responses(anchor.plan[None], np.array([anchor.follow]), anchor.gains[None])


def valuation(scenario: StrangersScenario, episodes: int) -> UnilateralPlay:
    """Return the play in which responses in the focal seats are valued, on the draws that agents are scored on."""
    game, (seat, *together) = make_game(scenario.game, **scenario.parameters), scenario.focal_seats
    return UnilateralPlay(
        game,
        lambda: seated(scenario, STAND_IN),
        seat,
        objective(scenario.reward),
        "own",
        episodes,
        SEED,
        together=tuple(together),
        paired=True,
    )


def seated(scenario: StrangersScenario, focal: str) -> Sequence[Agent]:
    """Return fresh agents for all seats, those of the focal seats by name."""
    names = scenario.seated([focal] * len(scenario.focal_seats))
    return [make_agent(name) for name in names]


def random_agents(scenario: StrangersScenario) -> list[Agent]:
    """Return Random for every focal seat."""
    return [make_agent("Random") for _ in scenario.focal_seats]


def is_random(scenario: StrangersScenario) -> bool:
    """Whether the game or a partner draws, so that episodes differ."""
    game = make_game(scenario.game, **scenario.parameters)
    return game.stochastic or any(may_draw(make_agent(name)) for name in set(scenario.background))


def may_draw(agent: Agent) -> bool:
    """Whether an agent may play otherwise in another episode; of one that does not say nobody knows."""
    classifier = getattr(agent, "classifier", None)
    return classifier is None or classifier.stochastic


def scenario_digest(scenario: StrangersScenario, population: Population) -> str:
    """Return the hash of everything that determines the worth of a scenario: game, partners, search, draws.

    Args:
        scenario: of the population.
        population: who is met.
    """
    game = make_game(scenario.game, **scenario.parameters)
    trained = policies_of(strangers_folder(), population.game)
    partners = []
    for card in (population[name] for name in scenario.partners):
        if card.training:
            partners.append({"policy": policy_digest(trained[f"{population.name}/{card.name}"])})
        else:
            partners.append(_identity(card.agent))
    return content_hash(
        {
            "versions": [ANCHORS_VERSION, SEARCH_VERSION, game.version],
            "draws": [EPISODES, SEED, SEARCH_SEED],
            "game": [scenario.game, plain(game.parameter_dict())],
            "focal_seats": scenario.focal_seats,
            "reward": scenario.reward,
            "partners": partners,
        }
    )


def fits(anchor: Anchor, digest: str, effort: EffortName) -> bool:
    """Whether an anchor is of the very scenario that has a digest, and was searched as thoroughly as somebody asks."""
    thoroughness = list(EFFORTS)  # in ascending order
    return anchor.digest == digest and anchor.effort in thoroughness[thoroughness.index(effort) :]


def _identity(name: str) -> dict[str, Any]:
    agent = make_agent(name)
    assert isinstance(agent, Strategy), "partners that nobody trained are shipped strategies"
    return {"agent": type(agent).__name__, "version": agent.version, "settings": plain(agent.identity())}
