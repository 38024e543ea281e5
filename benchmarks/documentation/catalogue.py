"""What there is to choose from: games, oracles, learners and methods, from the classes themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from coopgym.algorithms import learners
from coopgym.algorithms.common.learner_contract import Learner
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.llm.method.registry import methods
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.algorithms.marl.external.sb3_learner import SB3Learner
from coopgym.benchmarks.documentation.wording import listed, paragraph, table
from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.oracles.agents import ORACLES, PublishedOracle

SMALL, LARGER = "TrustDilemma-v1", "TeamProduction-v1"
"""Games on which learners for two seats and for more are made to see what policies they leave."""


def games_table() -> str:
    """Return the games, one row each; both editions have the same."""
    specs = (make_game(game).spec for game in games("formal"))
    rows = ((spec.name, spec.mechanism_class, str(spec.n_agents), spec.summary.removesuffix(".")) for spec in specs)
    return table(("game", "class", "agents", "what it is about"), rows)


def learners_table(kinds: Mapping[str, type[Learner]] | None = None) -> str:
    """Return the learners with hyper-parameters that all have a default, one row each; all of them unless named."""
    chosen = learners() if kinds is None else kinds
    return table(
        ("learner", "source", "objective", "policy", "seats", "checked by"),
        (
            (name, *_learner_facts(kind))
            for name, kind in sorted(chosen.items())
            if issubclass(kind, ReplicaLearner) and _has_defaults(kind)
        ),
    )


def settings_table() -> str:
    """Return the settings of learners that ids of runs and files know by another name, one row each."""
    users: dict[tuple[str, str], list[str]] = {}
    for name, kind in sorted(learners().items()):
        for field in dataclasses.fields(kind):
            (recorded,) = kind.recorded({field.name: None})
            if recorded != field.name:
                users.setdefault((field.name, recorded), []).append(name)
    rows = ((f"`{name}`", f"`{recorded}`", ", ".join(users[name, recorded])) for name, recorded in sorted(users))
    return table(("setting", "in ids and files", "learners"), rows)


def methods_table() -> str:
    """Return the methods that train language models, one row each."""
    return table(
        ("method", "idea", "slot", "needs", "source", "stand-in for a part of it"),
        (
            (
                f"`{each['name']}`",
                each["idea"],
                each["slot"],
                ", ".join(each["needs"]),
                each["source"],
                each["stands_in"],
            )
            for each in methods()
        ),
    )


def oracles() -> str:
    """Say how many oracles there are."""
    published = sum(issubclass(oracle, PublishedOracle) for oracle in ORACLES)
    return paragraph(f"""
        {len(ORACLES)} oracles play in any study by name (`agents = ["Oracle_Nash", "Oracle_Planner"]`), the {published}
        of the published study among them. [docs/oracles.md](docs/oracles.md) has the whole tour,
        [docs/dynamic_optima.md](docs/dynamic_optima.md) what the episodes of all {len(games())} games are worth.
    """)


def published_oracles() -> str:
    """Say which published definitions are full cooperation in every game that they are for."""
    released = [make_game(game) for game in games("released")]
    full = [
        f"`{oracle.title()}`"
        for oracle in ORACLES
        if issubclass(oracle, PublishedOracle)
        and all(_plays_everything(oracle(), game) for game in released if oracle.published_in(game))
    ]
    return paragraph(f"Of the published definitions {listed(full)} are full cooperation in every game.")


def _plays_everything(oracle: PublishedOracle, game: AnyGame) -> bool:
    return np.allclose(oracle.reference(game), game.spec.endowments)


def _has_defaults(kind: type[ReplicaLearner]) -> bool:
    return all(field.default is not dataclasses.MISSING for field in dataclasses.fields(kind))


def _learner_facts(kind: type[ReplicaLearner]) -> tuple[str, ...]:
    learner = kind()
    game = SMALL if kind.min_agents <= 2 else LARGER
    make = environment_factory(game, None, None)
    trainer = Trainer(learner, make, cross(["private"], [0]), torch.device("cpu"))
    forms = sorted({facts["kind"].replace("_", " ") for facts in trainer.seats.policy_facts()})
    seats = f"{kind.min_agents}-{kind.max_agents}" if kind.max_agents else f"{kind.min_agents} or more"
    tests = "tests/algorithms/test_sb3.py" if issubclass(kind, SB3Learner) else "tests/algorithms/test_battery.py"
    return kind.sources, ", ".join(kind.objectives), ", ".join(forms), seats, f"`{tests}`"
