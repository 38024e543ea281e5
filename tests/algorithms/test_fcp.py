"""Fictitious co-play: two stages on one budget, diverse partners, an ego that changes seats, and strangers."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.ippo import IPPO
from coopgym.algorithms.marl.populations.fcp import FCP, FCPSeats, History
from coopgym.algorithms.marl.populations.mixed import Mixed

SMALL = FCP(hidden=(8,), num_envs=12, teams=2, strangers=1, examined=2, n_minibatches=2, n_epochs=1)
SHORT = {"max_steps": 20}
BLOCK = 12 * 20
N, B = 4, 12


def trained(learner: FCP = SMALL, blocks: int = 0, game: str = "TeamProduction-v1") -> tuple[Trainer, FCPSeats]:
    """Train for some of ten blocks."""
    trainer = Trainer(learner, environment_factory(game, SHORT, None), cross(["private"], [0, 1]), torch.device("cpu"))
    seats = trainer.seats
    assert isinstance(seats, FCPSeats)
    for block in range(blocks):
        trainer.learn(block / 10)
    return trainer, seats


def test_the_budget_is_shared_by_the_stages_and_counts_every_joint_step() -> None:
    result = SMALL.train("TeamProduction-v1", ["private"], [0], 10 * BLOCK, game_parameters=SHORT, evaluations=0)
    assert result.env_steps == 10 * BLOCK
    co_play = [step for step, metric, _ in result.curves() if metric == "reward_gap"]
    assert co_play == [BLOCK * block for block in range(5, 11)]  # 60 % of the budget
    assert result.gradient_updates == 6 * 2  # of the ego, which took more than any team


def test_teams_share_out_the_copies() -> None:
    trainer, seats = trained()
    trainer.collect(0.0)
    assert seats.own.shape == (2, 3, N * B // 3)
    assert torch.equal(seats.own.flatten().sort().values, seats.slots.numbers.flatten())
    copies = seats.own % B
    assert [sorted(set(copies[0, team].tolist())) for team in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_teams_are_as_independent_as_replicas() -> None:
    """What one team earned never reaches another one."""
    policies = []
    for spoilt in (False, True):
        trainer, seats = trained()
        block = trainer.collect(0.0)
        if spoilt:
            block.signal[..., :4].mul_(-1.0)  # of the first team
        seats.update(block, 0.0)
        policies.append(seats.teams.networks.policy()["weight_0"].unflatten(0, (2, 3)))
    changed = (policies[0] != policies[1]).flatten(2).any(-1)
    assert changed.tolist() == [[True, False, False]] * 2
    assert not torch.equal(policies[0][:, 1], policies[0][:, 2])


def test_the_ego_changes_seats_and_has_one_per_copy() -> None:
    trainer, seats = trained(blocks=4)
    trainer.collect(0.4)
    first = seats.own.clone()
    played = (first // B % N)[:, 0]  # (R, B - 2m)
    assert all(len(set(row.tolist())) > 1 for row in played)
    assert torch.equal((first % B)[0, 0].sort().values, torch.arange(8))
    trainer.collect(0.5)
    assert not torch.equal(first, seats.own)


@pytest.mark.parametrize("mixed", [False, True])
def test_every_place_of_the_second_stage_is_played_once(mixed: bool) -> None:
    trainer, seats = trained(dataclasses.replace(SMALL, mixed=mixed), blocks=4)
    trainer.collect(0.4)
    slots = torch.cat([seats.own.flatten(), *(players.slots.flatten() for players in seats.players)])
    assert torch.equal(slots.sort().values, seats.slots.numbers.flatten())
    partners = seats.players[0].slots[:, :8] % B  # copies that a partner plays in, (R, B - 2m, n - 1)
    alike = (partners == partners[..., :1]).all(-1)
    assert alike.all() != mixed


def test_partners_are_fixed_and_strangers_are_only_met_to_be_examined() -> None:
    trainer, seats = trained(blocks=4)
    trainer.learn(0.4)
    kept = {name: tensor.clone() for name, tensor in seats.history.three().items()}
    trainer.learn(0.5)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in seats.history.three().items())
    biases = kept["bias_0"].flatten(2).unflatten(0, (2, 3))  # (R, P, 3, hidden)
    met = seats.players[0].policy["bias_0"].flatten(2)  # (R, B - m, hidden)
    for replica in range(2):
        known = biases[replica, :2].flatten(0, 1)
        assert all((known == bias).all(-1).any() for bias in met[replica, :8])
        assert all(torch.equal(bias, biases[replica, 2, 2]) for bias in met[replica, 8:])


def test_only_the_ego_learns_in_the_second_stage_and_only_from_its_own_slots() -> None:
    policies = []
    for spoilt in (False, True):
        trainer, seats = trained(blocks=4)
        teams = seats.teams.networks.policy()["weight_0"]
        block = trainer.collect(0.4)
        if spoilt:
            others = torch.ones(2 * N * B).index_fill(0, seats.own.flatten(), 0.0).view(2, N, 1, B)
            block.signal.add_(100.0 * others)
        seats.update(block, 0.4)
        assert torch.equal(seats.teams.networks.policy()["weight_0"], teams)
        policies.append(seats.ego.networks.policy()["weight_0"])
    assert torch.equal(*policies)


def test_metrics_report_how_the_ego_does_with_whom() -> None:
    trainer, seats = trained(blocks=4)
    block = trainer.collect(0.4)
    metrics = seats.update(block, 0.4)
    reward = block.reward.mean(2)[0]
    assert metrics["reward_with_itself"][0] == pytest.approx(reward[:, 10:].mean().item(), rel=1e-5)
    among = seats.among_strangers[0, 0]
    assert metrics["reward_with_strangers"][0] == pytest.approx(reward[among // B, among % B].mean().item(), rel=1e-5)
    gap = metrics["reward_with_itself"] - metrics["reward_with_strangers"]
    assert torch.equal(metrics["reward_gap"], gap)


def test_the_middle_policy_is_the_one_half_way_to_the_last_return() -> None:
    def policy(value: float) -> dict[str, torch.Tensor]:
        return {"bias_0": torch.tensor([[[value]], [[value]]])}

    history = History(policy(0.0), marks=8)
    returns = [(0.0, 5.0), (1.0, 7.0), (4.5, 9.0), (8.0, 9.5), (8.0, 10.0)]
    for mark, values in enumerate(returns):
        history.mark(mark / 8, policy(float(mark)), torch.tensor(values))
        history.mark(mark / 8 + 0.01, policy(-1.0), torch.tensor([7.0, 7.0]))  # too late for this mark
    history.close(policy(5.0))
    history.close(policy(6.0))  # closed already
    assert history.three()["bias_0"].squeeze(-1).tolist() == [[0.0, 2.0, 5.0], [0.0, 1.0, 5.0]]


def test_a_diverged_team_freezes_its_replica_and_no_other() -> None:
    trainer, seats = trained()
    block = trainer.collect(0.0)
    block.signal[1, :, :, 0] = torch.nan
    seats.update(block, 0.0)
    assert trainer.alive.tolist() == [True, False]
    before = seats.teams.networks.policy()["weight_0"].unflatten(0, (2, 3))
    trainer.learn(0.1)
    after = seats.teams.networks.policy()["weight_0"].unflatten(0, (2, 3))
    assert [torch.equal(before[replica], after[replica]) for replica in range(2)] == [False, True]


@pytest.mark.parametrize("blocks", [2, 6])
def test_resuming_in_either_stage_goes_on_as_if_nothing_had_happened(blocks: int) -> None:
    _, seats = trained(blocks=8)
    half, _ = trained(blocks=blocks)
    again, resumed = trained()
    again.restore(half.state())
    for block in range(blocks, 8):
        again.learn(block / 10)
    for name, tensor in seats.policy_tensors().items():
        assert torch.equal(tensor, resumed.policy_tensors()[name])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 64}, r"num_envs=64: expected a multiple of teams \+ strangers = 10"),
        ({"examined": 40}, "examined=40: expected less than half of num_envs=40"),
        ({"population_share": 1.0}, r"population_share=1\.0: expected a share between 0 and 1"),
    ],
)
def test_impossible_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FCP(**settings)  # type: ignore[arg-type]


def test_there_is_no_co_play_in_one_seat() -> None:
    members = [(FCP(num_envs=20, examined=2), [0]), (IPPO(num_envs=20), [1])]
    with pytest.raises(ValueError, match=r"FCP with seats \[0\]: expected two at least"):
        Mixed(num_envs=20, members=members).train("TrustDilemma-v1", env_steps=1)  # type: ignore[arg-type]
