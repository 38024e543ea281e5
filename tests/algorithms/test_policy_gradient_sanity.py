"""What REINFORCE and LOLA have to reach on the released edition, and that they and MeanFieldAC train forty seats."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.mean_field_ac import MeanFieldAC
from coopgym.algorithms.marl.on_policy.reinforce import IndependentREINFORCE
from coopgym.algorithms.marl.opponent_shaping.lola import LOLA
from coopgym.play.episodes import play
from tests.algorithms.test_benchmark_sanity import GAMES, constants

KINDS: list[type[ReplicaLearner]] = [IndependentREINFORCE, LOLA]


@pytest.mark.slow
@pytest.mark.parametrize("game_id", GAMES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_team_comes_close_to_the_best_constant(kind: type[ReplicaLearner], game_id: str) -> None:
    result = kind(objective="team").train(game_id, ["integrated"], [0], 500_000, evaluations=0)
    returns = play(coopgym.make_game(game_id), result.agents(0)).returns["integrated"].sum()
    assert returns >= 0.95 * max(constants(game_id))
    assert returns > constants(game_id)[50]


@pytest.mark.slow
@pytest.mark.parametrize(
    "learner", [IndependentREINFORCE(), LOLA(shaping=0.05)], ids=lambda learner: type(learner).__name__
)
def test_individual_learners_settle_at_the_stage_equilibrium(learner: ReplicaLearner) -> None:
    """Under private rewards SLCD repeats a game of one step, whose equilibrium is 23.3 and 22.5 of 100."""
    game = coopgym.make_game("SLCD-v0")
    result = learner.train("SLCD-v0", ["private"], [0], 500_000, evaluations=0)
    played = play(game, result.agents(0)).cooperation[0] * game.spec.endowments
    assert np.abs(played - [23.3, 22.5]).max() < 2.0


@pytest.mark.parametrize("kind", [IndependentREINFORCE, LOLA, MeanFieldAC], ids=lambda kind: kind.__name__)
def test_forty_seats_train(kind: type[ReplicaLearner]) -> None:
    result = kind(num_envs=2, hidden=(16,)).train("ApacheProject-v1", ["private"], [0], 120, evaluations=0)
    assert result.status(0) == "trained"
    assert result.gradient_updates > 0
    assert len(result.agents(0)) == 40
