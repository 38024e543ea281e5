"""What on-policy learners have to reach on the released edition within the reference's budgets."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import coopgym
from coopgym.agents.heuristics import Constant
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.coma import COMA
from coopgym.algorithms.marl.on_policy.ia2c import IA2C
from coopgym.algorithms.marl.on_policy.ippo import IPPO
from coopgym.algorithms.marl.on_policy.joint_ppo import JointPPO
from coopgym.algorithms.marl.on_policy.mappo import MAPPO
from coopgym.algorithms.marl.populations.fcp import FCP
from coopgym.algorithms.marl.populations.self_play_ppo import SelfPlayPPO
from coopgym.play.episodes import play

GAMES = ["TrustDilemma-v0", "SLCD-v0", "ReciprocalDilemma-v0", "LoyaltyTeam-v0"]
FLOORS = {COMA: 0.95, FCP: 0.95, IA2C: 0.95, IPPO: 0.95, JointPPO: 0.95, MAPPO: 0.98, SelfPlayPPO: 0.95}


@functools.cache
def constants(game_id: str) -> list[float]:
    """Sums of integrated returns when everybody plays 0, 1, …, 100 % of the endowment."""
    game = coopgym.make_game(game_id)
    everybody = ([Constant(level / 100) for _ in range(game.n_agents)] for level in range(101))
    return [float(play(game, agents).returns["integrated"].sum()) for agents in everybody]


@pytest.mark.slow
@pytest.mark.parametrize("game_id", GAMES)
@pytest.mark.parametrize("kind", FLOORS, ids=lambda kind: kind.__name__)
def test_a_team_comes_close_to_the_best_constant(kind: type[ReplicaLearner], game_id: str) -> None:
    result = kind(objective="team").train(game_id, ["integrated"], [0], 500_000, evaluations=0)
    returns = play(coopgym.make_game(game_id), result.agents(0)).returns["integrated"].sum()
    assert returns >= FLOORS[kind] * max(constants(game_id))
    assert returns > constants(game_id)[50]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind in FLOORS if kind not in (COMA, JointPPO)], ids=lambda kind: kind.__name__
)
def test_individual_learners_settle_at_the_stage_equilibrium(kind: type[ReplicaLearner]) -> None:
    """Under private rewards SLCD repeats a game of one step, whose equilibrium is 23.3 and 22.5 of 100."""
    game = coopgym.make_game("SLCD-v0")
    result = kind().train("SLCD-v0", ["private"], [0], 300_000, evaluations=0)
    played = play(game, result.agents(0)).cooperation[0] * game.spec.endowments
    assert np.abs(played - [23.3, 22.5]).max() < 2.0
