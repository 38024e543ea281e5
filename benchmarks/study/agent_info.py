"""What the plan needs to know about an agent before it plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from coopgym.agents import PUBLISHED, Agent, Seat, Strategy, constant_names, make_agent
from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.games.spec import View
from coopgym.play.engine import Engine
from coopgym.user_code import OURS


@dataclass(frozen=True)
class AgentInfo:
    """The kind of an agent, and whether it leaves anything to chance."""

    kind: str
    deterministic: bool
    """Surely plays without chance; of a user's agent nobody knows."""
    view: View | None = None
    """What it has to see, whatever the others of its block do; None for what they see."""
    step_cost: float = 1.0
    """As `Strategy.step_cost`."""


@cache
def fresh(name: str) -> Agent:
    """Make an agent to look at; nobody plays with it."""
    return make_agent(name)


def is_ours(agent: Agent) -> bool:
    """Whether an agent comes with the package: it has a version; of all others the source is hashed."""
    return type(agent).__module__.partition(".")[0] == OURS


def agent_info(name: str) -> AgentInfo:
    """Look at an agent by name."""
    agent = fresh(name)
    if not (isinstance(agent, Strategy) and is_ours(agent)):
        return AgentInfo("plugin", deterministic=False)
    scripted = "constant" if name.removeprefix(PUBLISHED) in constant_names() else "heuristic"
    oracle = type(agent).__module__.startswith("coopgym.oracles.") and not agent.learns
    return AgentInfo(
        "oracle" if oracle else scripted,
        not agent.classifier.stochastic,
        view=getattr(agent, "sees", None),
        step_cost=agent.step_cost,
    )


def _shortened(game: AnyGame) -> AnyGame:
    """Return a game that shows the same and ends soon, where its length can be set: some strategies plan to the end."""
    if "max_steps" not in game.parameter_dict():
        return game
    return make_game(game.id, **{**game.overridden(), "max_steps": 1})


def share_convention(ids: Iterable[str]) -> str:
    """Say what the levels of named agents are shares of, if it matters in any of some games; empty if not."""
    known = [id for id in ids if id in games()]
    unequal = [id for id in known if np.ptp(make_game(id).spec.endowments) > 0.0]
    if not unequal:
        return ""
    return (
        f"Where endowments differ ({', '.join(unequal)}), Random, TitForTat and Constant_k play shares of each seat's "
        f"own; {PUBLISHED}Random, {PUBLISHED}TitForTat and {PUBLISHED}Constant_k play shares of the largest, as in the "
        "published study."
    )


def require_view(name: str, game: AnyGame, view: View) -> None:
    """Make sure that a built-in strategy sees what it needs; others are trusted until they play.

    Raises:
        ValueError: the view hides it.
    """
    if agent_info(name).kind != "heuristic":
        return
    shown = _shortened(game)
    engine, agent = Engine(shown, batch=(1,)), make_agent(name)
    engine.reset(0)
    try:
        agent.begin(Seat.of(shown, 0, view, "private"), 1, np.random.default_rng(0))
        agent.act(shown.observe(engine.state, view)[:, 0])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
