"""Learners with memory: they see the last observations of their own episode, and so do the policies that they leave."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl import IPPO, TrainedAgent, TrainingResult, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.observation_history import ObservationHistory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.mean_field_ac import partners_average
from coopgym.algorithms.marl.opponent_shaping.lola import LOLA
from coopgym.algorithms.marl.populations.mixed import Mixed
from coopgym.oracles.dynamic.deviation import best_deviation
from coopgym.oracles.dynamic.unilateral_play import UnilateralPlay
from coopgym.play import play
from coopgym.rewards import objective
from tests.algorithms.quadratic_game import Quadratic
from tests.algorithms.test_battery import (
    LONGER,
    LONGER_EXTRA,
    NAMES,
    TINY,
    TINY_EXTRA,
    same_policy,
    seats,
    settings,
)
from tests.algorithms.two_armed_game import TwoArmed

N, HORIZON, STEPS = 3, 5, 12
ARMS = 0.0, 1.0
SMALL = IPPO(hidden=(8,), num_envs=8, n_epochs=2, n_minibatches=2, history=N)


def remembering(name: str) -> Any:
    """Return a tiny learner that sees several observations at once."""
    return settings(name, TINY | {"history": N}, TINY_EXTRA)


def test_rows_start_apart() -> None:
    history = ObservationHistory(2)
    history.push(np.array([[1.0], [10.0]]))
    assert history.then(np.array([[2.0], [20.0]])).tolist() == [[1.0, 2.0], [10.0, 20.0]]
    assert history.push(np.array([[3.0], [30.0]]), np.array([[True], [False]])).tolist() == [[3.0, 3.0], [10.0, 30.0]]
    assert history.push(np.array([[4.0], [40.0]])).tolist() == [[3.0, 4.0], [30.0, 40.0]]


@pytest.mark.parametrize("bootstrap", [False, True])
def test_nothing_of_the_episode_before_is_seen(bootstrap: bool) -> None:
    """In rows that end apart, over the borders of blocks, every history is made of its own episode's observations."""
    learner = IPPO(hidden=(8,), num_envs=6, rollout_steps=STEPS, bootstrap_truncation=bootstrap, history=N)
    make = environment_factory(Quadratic, {"horizon": HORIZON}, None)
    trainer = Trainer(learner, make, cross(["private"], [0]), torch.device("cpu"))
    state, spread = trainer.collector.state(), torch.arange(6) % HORIZON
    trainer.collector.restore(state | {"elapsed": spread.view(1, 1, 6), "state.t": spread.view(1, 6).to(torch.float32)})
    blocks, heads, finals = [], [], []
    for _ in range(2):
        block = trainer.collect()
        blocks.append((block.observation[0, :, :, :, :].clone(), block.time[0].clone()))
        heads.append(block.last_observation[0, :, 0].clone())
        finals.append(None if block.final_observation is None else block.final_observation[0].clone())
    seen = torch.cat([observation for observation, _ in blocks], dim=1).unflatten(-1, (N, -1))  # (N seats, 2T, B, n, O)
    time = torch.cat([elapsed for _, elapsed in blocks])  # (2T, B)
    latest = seen[..., -1, :]
    assert torch.equal(heads[0], blocks[1][0][:, 0])
    for row in range(6):
        begins = int((time[:, row] == 0).nonzero()[0])
        for t in range(begins, 2 * STEPS):
            for back in range(N):
                expected = latest[:, t - min(back, int(time[t, row])), row]
                assert torch.equal(seen[:, t, row, N - 1 - back], expected), (row, t, back)
    for (observation, _), final in zip(blocks, finals, strict=True):
        width = observation.shape[-1] // N
        assert final is None or torch.equal(final[..., :-width], observation[..., width:])


@pytest.mark.parametrize("name", NAMES)
def test_every_learner_resumes_and_leaves_policies_that_remember(name: str, tmp_path: Path) -> None:
    def stop(done: int, planned: int) -> None:
        if 2 * done >= planned:
            raise KeyboardInterrupt

    game = {"horizon": 4, "agents": seats(name)}  # the run stops in mid-episode
    train = functools.partial(
        remembering(name).train, Quadratic, ["private"], [0], 480, game_parameters=game, evaluations=2
    )
    whole = train()
    assert whole.gradient_updates > 0
    with pytest.raises(KeyboardInterrupt):
        train(progress=stop, checkpoint=tmp_path / "run", checkpoint_every=1)
    resumed = train(checkpoint=tmp_path / "run", checkpoint_every=1)
    assert same_policy(whole, 0, resumed, 0)
    assert whole.record == resumed.record
    whole.save(tmp_path)
    observations = np.random.default_rng(0).random((4, 20, len(whole.tensors["observation.gain"][0])))
    for made, loaded in zip(whole.agents(0), load_agents(tmp_path), strict=True):
        assert made.classifier.memory_depth == N
        assert np.array_equal([made.act(seen) for seen in observations], [loaded.act(seen) for seen in observations])


def test_the_mean_action_of_the_others_is_that_of_the_last_observation() -> None:
    make = environment_factory(Quadratic, {"horizon": HORIZON, "agents": 3}, None)
    trainer = Trainer(remembering("MeanFieldAC"), make, cross(["private"], [0]), torch.device("cpu"))
    average = partners_average(trainer.seats.context).view(3, N, -1)
    assert not average[:, :-1].any()
    assert torch.equal(average[:, -1, 3:], torch.full((3, 2), 0.5))


def test_exact_derivatives_see_the_history_too() -> None:
    result = LOLA(estimator="exact", hidden=(8,), num_envs=4, history=N).train(
        Quadratic, ["private"], [0], 40, game_parameters={"horizon": HORIZON}
    )
    assert result.status() == "trained"


@pytest.fixture(scope="module")
def trained() -> TrainingResult:
    return SMALL.train("TrustDilemma-v1", ["private"], [0], 1600, game_parameters={"max_steps": 20}, evaluations=50)


def test_policies_play_what_was_evaluated_in_training(trained: TrainingResult) -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=20)
    welfare = [value for _, metric, value in trained.curves(0) if metric == "eval_welfare"][-1]
    assert play(game, trained.agents(0)).payoffs.sum() == pytest.approx(welfare, rel=1e-5)


def test_an_agent_begins_every_game_without_memories(trained: TrainingResult) -> None:
    game, agents = coopgym.make_game("TrustDilemma-v1", max_steps=20), trained.agents(0)
    first, again = play(game, agents, episodes=2).payoffs, play(game, agents, episodes=2).payoffs
    assert np.array_equal(first, again)


def test_agents_act_on_more_than_the_last_observation(trained: TrainingResult) -> None:
    agent = trained.agents(0)[0]
    past, now = np.random.default_rng(0).random((2, 6, len(agent.policy.gain)))
    without = agent.act(now)
    agent = agent.fresh()
    agent.act(past)
    assert not np.allclose(agent.act(now), without, rtol=1e-6)


def test_searches_of_deviations_ask_row_by_row_in_the_order_of_time(trained: TrainingResult) -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=20)
    own = play(game, trained.agents(0), reward="private").payoffs[0, 0]
    frozen = UnilateralPlay(game, lambda: trained.agents(0), 0, objective("private"), "own")
    np.testing.assert_allclose(frozen.returns(frozen.own_play(copies=3)), own, rtol=1e-12)
    found = best_deviation(game, lambda: trained.agents(0), 0, view="own", effort="quick")
    assert found.baseline == pytest.approx(own, rel=1e-12)
    assert not found.random


def test_one_observation_leaves_records_as_they_were() -> None:
    assert "history" not in IPPO().values()
    assert "history" not in IPPO.recorded({"history": 1, "gamma": 0.9})
    assert IPPO(history=4).values() == IPPO().values() | {"history": 4}
    members = [{"learner": "IPPO", "seats": [0]}, {"learner": "MADDPG", "seats": [1]}]
    assert "history" not in str(Mixed(members=members).values())
    remembered = Mixed(members=members, history=2)
    assert [member.learner.history for member in remembered.members] == [2, 2]
    assert Mixed(**Mixed.current(remembered.values())) == remembered
    facts = SMALL.train(Quadratic, env_steps=1).record["policies"]
    assert [group["history"] for group in facts] == [N]
    assert "history" not in IPPO(hidden=(8,), num_envs=8).train(Quadratic, env_steps=1).record["policies"][0]


@pytest.mark.parametrize("history", [0, 1.5])
def test_a_history_is_a_number_of_observations(history: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"history={history}"):
        IPPO(history=history)


def last_answers(agents: Sequence[TrainedAgent]) -> np.ndarray:
    """Play the two-armed task with both arms, and return what each seat plays in the last step, ``(seats, 2)``."""
    answers = []
    for seat, agent in enumerate(agents):
        for t, payoff in enumerate([(0.5, 0.5), ARMS, (0.5, 0.5)]):
            seen = np.full((2, len(agent.policy.gain)), 0.5)
            seen[:, 0], seen[:, 1], seen[:, 2] = payoff, seat, t / 3
            answer = agent.act(seen)
        answers.append(answer)
    return np.array(answers)


@pytest.mark.parametrize("history", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_only_memory_solves_the_two_armed_task(history: int) -> None:
    learner = IPPO(hidden=(16,), n_minibatches=2, history=history)
    result = learner.train(TwoArmed, ["private"], [0], 12_000, evaluations=0)
    wanted = ARMS if history > 1 else (0.5, 0.5)
    np.testing.assert_allclose(last_answers(result.agents(0)), [wanted] * 2, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_learner_with_memory_solves_the_two_armed_task(name: str) -> None:
    extra = {learner: given for learner, given in LONGER_EXTRA.items() if learner != "IA2C"}
    learner = settings(name, LONGER | {"rollout_steps": 3, "history": 2}, extra)
    result = learner.train(TwoArmed, ["private"], [0], 20_000, evaluations=0, game_parameters={"agents": seats(name)})
    np.testing.assert_allclose(last_answers(result.agents(0)), [ARMS] * seats(name), atol=0.25)
