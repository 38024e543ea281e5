"""Recurrent learners: units are those of torch, episodes stay apart, and policies that are left remember alike."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

import coopgym
from coopgym.algorithms.common.gated_recurrence import recurrent, recurrent_shapes
from coopgym.algorithms.common.policy_tensors import check_tensors
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.squashed_gaussian import pre_tanh_log_prob
from coopgym.algorithms.common.training_record import check_record
from coopgym.algorithms.marl import IPPO, TrainingResult, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trained_agents import POLICIES_FILE
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.algorithms.marl.core.training_loop import Evaluator
from coopgym.algorithms.marl.off_policy.isac import ISAC
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticSeats
from coopgym.algorithms.marl.on_policy.ia2c import IA2C
from coopgym.algorithms.marl.on_policy.joint_ppo import JointPPO
from coopgym.algorithms.marl.on_policy.mappo import MAPPO
from coopgym.algorithms.marl.on_policy.recurrent_actor_critic import RecurrentPair
from coopgym.algorithms.marl.populations.mixed import Mixed
from coopgym.oracles.dynamic.deviation import best_deviation
from coopgym.play import play
from coopgym.record_fields import FieldError
from tests.algorithms.quadratic_game import Quadratic
from tests.algorithms.test_battery import same_policy
from tests.algorithms.test_observation_history import ARMS, last_answers
from tests.algorithms.two_armed_game import TwoArmed

HORIZON, STEPS, COPIES = 5, 12, 8
TINY: dict[str, Any] = {"hidden": (8, 8), "memory": "gru", "num_envs": COPIES, "rollout_steps": STEPS}
PPO: dict[str, Any] = TINY | {"n_epochs": 2, "n_minibatches": 2}
MEMBERS = [
    {"learner": "IPPO", "seats": [0], "memory": "gru", "hidden": [8], "n_epochs": 1, "n_minibatches": 2},
    {"learner": "MAPPO", "seats": [1], "hidden": [8], "n_epochs": 1, "n_minibatches": 2},
]
FAMILY = {
    "IA2C": IA2C(**TINY),
    "IPPO": IPPO(**PPO),
    "IPPO of one unit layer": IPPO(**PPO | {"hidden": (8,)}),
    "IPPO with history": IPPO(**PPO, history=2),
    "IPPO beyond the horizon": IPPO(**PPO, bootstrap_truncation=True),
    "IPPO of one policy": IPPO(**PPO, sharing=True),
    "JointPPO": JointPPO(**PPO),
    "MAPPO": MAPPO(**PPO),
    "MAPPO of many policies": MAPPO(**PPO, sharing=False, bootstrap_truncation=True),
}
MIXED = Mixed(members=MEMBERS, num_envs=COPIES, rollout_steps=STEPS)
everyone = pytest.mark.parametrize("learner", [*FAMILY.values(), MIXED], ids=[*FAMILY, "Mixed"])
family = pytest.mark.parametrize("learner", FAMILY.values(), ids=FAMILY)


def trainer_of(learner: ReplicaLearner) -> Trainer:
    """Return a trainer of two replicas whose episodes end apart."""
    make = environment_factory(Quadratic, {"horizon": HORIZON}, None)
    trainer = Trainer(learner, make, cross(["private"], [0, 1]), torch.device("cpu"))
    state, spread = trainer.collector.state(), (torch.arange(COPIES) % HORIZON).expand(2, -1)
    apart = {"elapsed": spread.unsqueeze(1), "state.t": spread.to(torch.float32)}
    trainer.collector.restore(state | apart)
    return trainer


def seats_of(trainer: Trainer) -> ActorCriticSeats:
    assert isinstance(trainer.seats, ActorCriticSeats)
    return trainer.seats


def a_network(lead: tuple[int, ...], inputs: int, hidden: tuple[int, ...]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = recurrent_shapes(inputs, hidden, 2)
    return {
        name: torch.randn(*lead, *shape, generator=generator, dtype=torch.float64).mul_(0.5).requires_grad_()
        for name, shape in shapes.items()
    }


def reference(parameters: dict[str, Tensor], k: int, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return what torch's own modules make of network k: outputs ``(T, M, out)``, and their parameters."""
    own = {name: tensor.detach()[k] for name, tensor in parameters.items()}
    units = own["recurrent_weight"].shape[0]
    encoder = torch.nn.Linear(*own["weight_0"].shape, dtype=torch.float64)
    unit = torch.nn.GRU(own["weight_1"].shape[0], units, dtype=torch.float64)
    head = torch.nn.Linear(units, 2, dtype=torch.float64)
    names = [
        ("weight_0", encoder.weight),
        ("bias_0", encoder.bias),
        ("weight_1", unit.weight_ih_l0),
        ("bias_1", unit.bias_ih_l0),
        ("recurrent_weight", unit.weight_hh_l0),
        ("recurrent_bias", unit.bias_hh_l0),
        ("weight_2", head.weight),
        ("bias_2", head.bias),
    ]
    with torch.no_grad():
        for name, tensor in names:
            tensor.copy_(own[name].mT if tensor.dim() == 2 else own[name].squeeze(0))
    remembered, _ = unit(torch.tanh(encoder(inputs)), hidden.unsqueeze(0))
    loss = (outputs := head(remembered)).square().sum()
    found = torch.autograd.grad(loss, [tensor for _, tensor in names])
    gradients = {name: each for (name, _), each in zip(names, found, strict=True)}
    return outputs, [gradients[name].mT if gradients[name].dim() == 2 else gradients[name].unsqueeze(0) for name in own]


def test_outputs_and_gradients_through_time_are_those_of_torch() -> None:
    parameters = a_network((3,), inputs=4, hidden=(6, 5))
    inputs, hidden = torch.randn(3, 9, 7, 4, dtype=torch.float64), torch.randn(3, 7, 5, dtype=torch.float64)
    outputs, _ = recurrent(parameters, 3, inputs, hidden)
    gradients = torch.autograd.grad(outputs.square().sum(), list(parameters.values()))
    for k in range(3):
        expected, slopes = reference(parameters, k, inputs[k], hidden[k])
        assert torch.allclose(outputs[k], expected, rtol=0.0, atol=1e-6)
        for name, found, slope in zip(parameters, gradients, slopes, strict=True):
            assert torch.allclose(found[k], slope, rtol=1e-6, atol=1e-6), name


def test_after_the_end_of_an_episode_a_row_is_as_if_it_had_just_begun() -> None:
    parameters = a_network((2,), inputs=3, hidden=(5,))
    inputs, hidden = torch.randn(2, 8, 4, 3, dtype=torch.float64), torch.randn(2, 4, 5, dtype=torch.float64)
    ended = torch.zeros(2, 8, 4, dtype=torch.bool)
    ended[:, 2, 1] = True
    apart, units = recurrent(parameters, 2, inputs, hidden, ended)
    on, _ = recurrent(parameters, 2, inputs, hidden)
    fresh, again = recurrent(parameters, 2, inputs[:, 3:], torch.zeros_like(hidden))
    assert torch.equal(units[:, 3:, 1], again[:, :, 1])
    assert torch.equal(apart[:, 3:, 1], fresh[:, :, 1])
    assert torch.equal(apart[:, :3], on[:, :3])
    assert torch.equal(apart[..., [0, 2, 3], :], on[..., [0, 2, 3], :])
    assert not torch.allclose(apart[:, 3:, 1], on[:, 3:, 1])
    past = torch.autograd.grad(apart[:, 3:, 1].sum(), parameters["weight_0"], retain_graph=True)[0]
    own = torch.autograd.grad(fresh[:, :, 1].sum(), parameters["weight_0"])[0]
    assert torch.allclose(past, own)


@family
def test_a_block_is_seen_again_as_it_was_played(learner: ReplicaLearner) -> None:
    """From what was remembered when it began, over the ends of episodes: ratios are 1 before the first step."""
    trainer = trainer_of(learner)
    trainer.learn(0.0)
    block, seats = trainer.collect(0.1), seats_of(trainer)
    networks = seats.networks
    mean, _ = networks.outputs(*seats.inputs(block), *networks.remembered(block))
    again = pre_tanh_log_prob(seats.pre_tanh.flatten(2), mean, networks.log_sigma)
    assert torch.allclose(again, seats.log_prob().flatten(2), rtol=0.0, atol=2e-5)
    assert networks.remembered(block)[-1].abs().sum() > 0.0


@family
def test_rows_that_start_an_episode_remember_nothing(learner: ReplicaLearner) -> None:
    trainer = trainer_of(learner)
    for progress in (0.0, 0.3):
        trainer.learn(progress)
        now = seats_of(trainer).networks.parts["hidden"].state()["now"]
        starts = trainer.collector.rollout.last_time[:, 0] == 0  # (R, B)
        remembers = now.abs().sum(-1) > 0.0  # (R, ..., B)
        assert starts.any()
        assert torch.equal(remembers, ~starts.view(2, *(1,) * (remembers.dim() - 2), COPIES).expand_as(remembers))


@pytest.mark.parametrize("bootstrap", [False, True])
def test_values_know_what_their_own_episode_showed(bootstrap: bool) -> None:
    trainer = trainer_of(IPPO(**PPO, bootstrap_truncation=bootstrap))
    trainer.learn(0.0)
    block, seats = trainer.collect(0.5), seats_of(trainer)
    networks = seats.networks
    assert isinstance(networks, RecurrentPair)
    recalled = networks.recalled(block)
    values = networks.values(recalled.observation.flatten(2, 3))
    _, at_once = networks.outputs(*seats.inputs(block), *networks.remembered(block))
    assert torch.allclose(values, at_once, atol=1e-6)
    following = recalled.next_values(lambda seen, _: networks.values(seen), values.view_as(block.signal))
    inner = ~block.ended[:, :, :-1].expand_as(following[:, :, :-1])
    assert torch.allclose(following[:, :, :-1][inner], values.view_as(block.signal)[:, :, 1:][inner], atol=1e-6)
    kept = networks.hidden.now.clone()
    after = trainer.collect(0.5)
    again = networks.recalled(after)
    assert torch.equal(networks.hidden.start, kept)
    assert torch.equal(again.observation[:, :, 0], recalled.last_observation[:, :, 0])


def test_minibatches_are_whole_sequences_of_some_copies() -> None:
    trainer = trainer_of(IPPO(**PPO))
    seats = seats_of(trainer)
    numbers = torch.arange(STEPS * COPIES).expand(2, 2, -1)
    for batches in seats.batches([numbers, torch.arange(COPIES).expand(2, 2, -1)]):
        assert len(batches) == 2
        for steps, copies in batches:
            in_time = steps.unflatten(2, (STEPS, -1))
            assert torch.equal(in_time, COPIES * torch.arange(STEPS).view(-1, 1) + copies.unsqueeze(2))
        together = torch.cat([steps for steps, _ in batches], dim=2)
        assert torch.equal(together.sort(dim=-1).values, numbers)


@everyone
def test_a_replica_depends_on_its_own_seed_only(learner: ReplicaLearner) -> None:
    train = functools.partial(learner.train, env_steps=300, game_parameters={"horizon": HORIZON}, evaluations=2)
    rewards = ["private", "cooperative"] if learner.objective == "individual" else ["private", "integrated"]
    stacked, alone = train(Quadratic, rewards, [0, 7]), train(Quadratic, rewards[1:], [0])
    assert same_policy(alone, 0, stacked, 2)
    assert alone.curves(0) == stacked.curves(2)
    assert not same_policy(stacked, 0, stacked, 1)
    struck = learner.train(Quadratic, rewards, [0, 7], 300, game_parameters={"horizon": HORIZON, "poison": 17})
    assert [struck.status(k) for k in range(4)] == ["diverged", "trained", "trained", "trained"]
    assert all(same_policy(stacked, k, struck, k) for k in (1, 2, 3))


@everyone
def test_training_resumes_in_mid_episode_and_policies_are_loaded_as_they_were(
    learner: ReplicaLearner, tmp_path: Path
) -> None:
    def stop(done: int, planned: int) -> None:
        if 2 * done >= planned:
            raise KeyboardInterrupt

    train = functools.partial(
        learner.train, Quadratic, ["private"], [0], 300, game_parameters={"horizon": HORIZON}, evaluations=2
    )
    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(progress=stop, checkpoint=tmp_path / "run", checkpoint_every=1)
    resumed = train(checkpoint=tmp_path / "run", checkpoint_every=1)
    assert same_policy(whole, 0, resumed, 0)
    assert whole.record == resumed.record
    whole.save(tmp_path)
    observations = np.random.default_rng(0).random((4, 20, len(whole.tensors["observation.gain"][0])))
    for made, loaded in zip(whole.agents(0), load_agents(tmp_path), strict=True):
        played = [made.act(seen) for seen in observations]
        assert np.array_equal(played, [loaded.act(seen) for seen in observations])
        assert loaded.classifier.memory_depth == (math.inf if loaded.policy.recurrent else 1)
        assert np.array_equal(made.fresh().act(observations[0]), played[0])
    assert whole.agents(0)[0].policy.recurrent


@pytest.fixture(scope="module")
def trained() -> TrainingResult:
    learner = IPPO(hidden=(8, 8), num_envs=8, n_epochs=2, n_minibatches=2, memory="gru", learning_rate=0.02)
    game = {"max_steps": 20, "world": "common"}
    return learner.train("TrustDilemma-v1", ["private"], [0], 640, game_parameters=game, evaluations=0)


def test_policies_play_what_was_seen_in_training(trained: TrainingResult) -> None:
    """Agents in NumPy, asked step by step, play what the recurrent networks play on whole sequences."""
    seen = np.random.default_rng(0).random((20, 6, 2, trained.tensors["observation.gain"].shape[1]))
    for seat, agent in enumerate(trained.agents(0)):
        tensors = {
            name.removeprefix("policy."): torch.as_tensor(array[:1, seat], dtype=torch.float64)
            for name, array in trained.tensors.items()
            if name.startswith("policy.")
        }
        inputs = torch.as_tensor(seen[:, :, seat] * agent.policy.gain + agent.policy.offset).unsqueeze(0)
        outputs, _ = recurrent(tensors, 3, inputs, torch.zeros(1, 6, 8, dtype=torch.float64))
        expected = 0.5 * (torch.tanh(outputs[0, ..., 0]) + 1.0)
        np.testing.assert_allclose([agent.act(each) for each in seen[:, :, seat]], expected, atol=1e-12)


def test_policies_play_what_was_evaluated_in_training() -> None:
    learner = IPPO(hidden=(8,), num_envs=8, n_epochs=2, n_minibatches=2, memory="gru")
    result = learner.train("TrustDilemma-v1", ["private"], [0], 1600, game_parameters={"max_steps": 20})
    game = coopgym.make_game("TrustDilemma-v1", max_steps=20)
    welfare = [value for _, metric, value in result.curves(0) if metric == "eval_welfare"][-1]
    agents = result.agents(0)
    first, again = (play(game, agents, episodes=2).payoffs for _ in range(2))
    assert first[0].sum() == pytest.approx(welfare, rel=1e-5)
    assert np.array_equal(first, again)  # nothing of the first episodes is remembered
    found = best_deviation(game, lambda: result.agents(0), 0, view="own", effort="quick")
    own = play(game, agents, reward="private").payoffs[0, 0]
    assert found.baseline == pytest.approx(own, rel=1e-12)


def test_evaluation_forgets_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(FAMILY["IPPO"])
    evaluator, remembered = trainer.evaluator(), []
    shares = Evaluator._shares

    def watched(self: Evaluator, policies: Any, inputs: Tensor, units: dict[str, Tensor]) -> Tensor:
        remembered.append(units[""].abs().sum() > 0.0 if units else None)
        return shares(self, policies, inputs, units)

    monkeypatch.setattr(Evaluator, "_shares", watched)
    evaluator.horizon = HORIZON + 2
    evaluator.snapshot(0, trainer.policies())
    evaluator.results()
    assert remembered == [None, *[True] * (HORIZON - 1), False, True]


def test_tensors_and_records_of_others_are_refused_by_name(trained: TrainingResult, tmp_path: Path) -> None:
    trained.save(tmp_path)
    tensors, record = load_file(tmp_path / POLICIES_FILE), dict(trained.record)
    check_tensors(record, tensors)
    name = "policy.recurrent_weight"
    for broken, message in (
        ({key: tensor for key, tensor in tensors.items() if key != name}, "recurrent_weight' is missing"),
        (tensors | {name: tensors[name][..., :-1]}, "recurrent_weight': found shape"),
        (tensors | {"policy.weight_1": tensors["policy.weight_1"][..., :-1]}, "found shape"),
    ):
        with pytest.raises(FieldError, match=message):
            check_tensors(record, broken)
    forgetful = copy.deepcopy(record)
    del forgetful["policies"][0]["memory"]
    with pytest.raises(FieldError, match="recurrent_bias' is unknown"):
        check_tensors(forgetful, tensors)
    forgetful["policies"][0]["memory"] = "lstm"
    with pytest.raises(FieldError, match="memory"):
        check_record(forgetful)


def test_no_memory_leaves_records_as_they_were() -> None:
    assert "memory" not in IPPO().values()
    assert IPPO(memory="gru").values() == IPPO().values() | {"memory": "gru"}
    assert "memory" not in IPPO(hidden=(8,), num_envs=8).train(Quadratic, env_steps=1).record["policies"][0]
    assert Mixed(**Mixed.current(MIXED.values())) == MIXED
    assert [facts.get("memory") for facts in trainer_of(MIXED).identity()["policies"]] == ["gru", None]


def test_memories_that_are_not_there_are_refused_in_plain_words() -> None:
    with pytest.raises(ValueError, match="memory='lstm': expected one of 'none', 'gru'"):
        IPPO(memory="lstm")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"memory='gru': ISAC .*expected 'none'; history=n"):
        ISAC(memory="gru")
    with pytest.raises(ValueError, match="memory='gru': Mixed"):
        dataclasses.replace(MIXED, memory="gru")


@pytest.mark.parametrize(
    "learner",
    [
        pytest.param(IPPO(hidden=(16,), n_minibatches=2, memory="gru"), marks=pytest.mark.slow),
        pytest.param(MAPPO(hidden=(16,), n_minibatches=2, memory="gru"), marks=pytest.mark.slow),
        IPPO(hidden=(16,), n_minibatches=2, memory="gru", rollout_steps=2, bootstrap_truncation=True),
    ],
    ids=["IPPO", "MAPPO", "IPPO in blocks that end in mid-episode"],
)
def test_units_solve_the_two_armed_task(learner: ReplicaLearner) -> None:
    result = learner.train(TwoArmed, ["private"], [0], 12_000, evaluations=0)
    np.testing.assert_allclose(last_answers(result.agents(0)), [ARMS] * 2, atol=0.15)
