"""What a scenario is worth: to a best response that was searched, to every constant level, and to Random.

The ceiling is a lower bound on the return of the best response: what a response earns that was found, and is kept with
it. Where partners or the game draw, it is searched on some draws and valued on others, those that agents are scored on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.agents import Agent, Strategy, make_agent
from coopgym.benchmarks.study.hashing import content_hash, plain
from coopgym.corpus.writer import write_atomically
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.deviation import best_deviation
from coopgym.oracles.dynamic.deviation_search import CONSTANTS, EFFORTS, SEARCH_VERSION, EffortName
from coopgym.oracles.dynamic.unilateral_play import Responses, UnilateralPlay
from coopgym.rewards import objective
from coopgym.strangers import Population, StrangersScenario, strangers_folder
from coopgym.strangers.policies import policies_of, policy_digest
from coopgym.typing import FloatArray
from coopgym.worlds import TEST_SEEDS

ANCHORS_VERSION = 1
"""Raise it when the same scenario may be valued otherwise than before."""
ANCHORS = "anchors"
"""Folder of the files, each named after its population and game."""
EPISODES = 32
"""Episodes that are played where anything is drawn; one otherwise."""
SEED = TEST_SEEDS[0]
"""Of what agents are scored on; learners refuse to train with it."""
SEARCH_SEED = 0
STAND_IN, STAND_IN_LEVEL = "Constant_50", 0.5
"""Who sits in the focal seats while a best response is searched, and what it plays."""
DECIMALS = 4
"""Of the shares in a plan that is kept: what is valued is the plan as it is kept."""


@dataclass(frozen=True, eq=False)
class Anchor:
    """The worth of one scenario. Returns are means over focal seats and episodes, under private reward."""

    scenario: str
    digest: str
    """Of everything that determines it."""
    effort: EffortName
    """Of the search."""
    episodes: int
    random: float
    """Return of Random, over `EPISODES` episodes."""
    constants: FloatArray
    """``(101,)`` returns of the levels 0, 0.01, … 1."""
    ceiling: float
    """Return of the response below."""
    kind: str
    """Of the response: ``constant``, ``plan`` or ``feedback``."""
    plan: FloatArray
    """``(T,)`` shares of endowment."""
    follow: float
    """Weight on what the stand-in would play."""
    gains: FloatArray
    """``(F,)`` weights on features of the observation."""

    @property
    def response(self) -> Responses:
        """The response that earns the ceiling."""
        return Responses(self.plan[None], np.array([self.follow]), self.gains[None])


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
    response = Responses(found.response.plan.round(DECIMALS), found.response.follow, found.response.gains)
    constants = play.values(play.plans(CONSTANTS[:, None]))
    searched, best = float(play.values(response)[0]), int(constants.argmax())
    if searched < constants[best]:
        response = play.plans(CONSTANTS[best : best + 1, None])
    return Anchor(
        scenario=scenario.name,
        digest=digest,
        effort=effort,
        episodes=episodes,
        random=float(np.mean([row["focal_return"] for row in scenario.run(random_agents(scenario), EPISODES, SEED)])),
        constants=constants,
        ceiling=max(searched, float(constants[best])),
        kind="constant" if searched < constants[best] else found.kind,
        plan=response.plan[0],
        follow=float(response.follow[0]),
        gains=response.gains[0],
    )


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
    return anchor.digest == digest and thoroughness.index(anchor.effort) >= thoroughness.index(effort)


def _identity(name: str) -> dict[str, Any]:
    agent = make_agent(name)
    assert isinstance(agent, Strategy), "partners that nobody trained are shipped strategies"
    return {"agent": type(agent).__name__, "version": agent.version, "settings": plain(agent.identity())}


def anchors_file(population: Population) -> Path:
    """Return the place of the anchors of a population."""
    return strangers_folder() / ANCHORS / population.name / f"{population.game}.parquet"


def read_anchors(population: Population) -> Mapping[str, Anchor]:
    """Return the anchors that are kept of a population, by scenario; whether they fit it their digests tell.

    >>> from coopgym.strangers import population
    >>> worth = read_anchors(population("TrustDilemma-v1"))["visitor/0/grim-0.6"]
    >>> float(worth.constants.max()) < worth.ceiling, worth.plan.shape  # at the end there is nothing to lose
    (True, (100,))
    """
    file = anchors_file(population)
    rows = pq.read_table(file).to_pylist() if file.is_file() else []
    return {row["scenario"]: Anchor(**{**row, **_arrays(row)}) for row in rows}


def _arrays(row: Mapping[str, Any]) -> dict[str, FloatArray]:
    return {name: np.asarray(row[name], dtype=np.float64) for name in ("constants", "plan", "gains")}


def write_anchors(population: Population, anchors: Iterable[Anchor]) -> None:
    """Write the anchors of a population, in place of those that were there."""
    rows = [asdict(anchor) for anchor in anchors]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    file = anchors_file(population)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, sink.getvalue().to_pybytes())
