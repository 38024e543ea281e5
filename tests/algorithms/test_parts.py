"""The shared parts of learners, each against a known answer."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from coopgym.algorithms.common.advantage_estimation import generalised_advantages
from coopgym.algorithms.common.checkpoint import read_checkpoint, write_checkpoint
from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.random_streams import Streams, cross
from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.squashed_gaussian import drawn_log_prob, entropy, log_prob, pre_tanh_log_prob, share
from coopgym.algorithms.common.stacked_networks import ParameterStack, initialise_mlp, mlp, mlp_shapes
from coopgym.algorithms.common.value_normalisation import ValueNormaliser
from coopgym.algorithms.marl.core.environment import environment_factory, observation_map, reward_scales
from coopgym.record_fields import named, plain

CPU = torch.device("cpu")


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 0.5), (-1.2, 0.1), (0.7, 1.0)])
def test_density_of_the_share_integrates_to_one(mean: float, sigma: float) -> None:
    z = torch.linspace(1e-9, 1.0 - 1e-9, 400_001, dtype=torch.float64)
    u = torch.atanh(2.0 * z - 1.0)
    density = log_prob(u, torch.tensor(mean), torch.tensor(math.log(sigma), dtype=torch.float64)).exp()
    assert torch.trapezoid(density, z).item() == pytest.approx(1.0, abs=1e-5)
    assert torch.allclose(share(u), z)


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 0.5), (-1.2, 0.1), (0.7, 1.0)])
def test_entropy_agrees_with_integration(mean: float, sigma: float) -> None:
    u = torch.linspace(-12.0, 12.0, 400_001, dtype=torch.float64)
    log_sigma = torch.tensor(math.log(sigma), dtype=torch.float64)
    weight = pre_tanh_log_prob(u, torch.tensor(mean), log_sigma).exp()
    exact = -torch.trapezoid(weight * log_prob(u, torch.tensor(mean), log_sigma), u)
    estimate = entropy(torch.tensor(mean, dtype=torch.float64), log_sigma)
    assert estimate.item() == pytest.approx(exact.item(), abs=0.03)


def test_densities_stay_finite_far_out() -> None:
    u = torch.tensor([-60.0, 60.0])
    assert torch.isfinite(log_prob(u, torch.zeros(2), torch.zeros(2))).all()


def test_drawn_and_evaluated_densities_agree() -> None:
    noise, mean, log_sigma = torch.randn(100), torch.randn(100), torch.full((100,), -0.7)
    u = mean + log_sigma.exp() * noise
    assert torch.allclose(drawn_log_prob(noise, log_sigma), pre_tanh_log_prob(u, mean, log_sigma), atol=1e-5)


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1)


def test_advantages_by_hand() -> None:
    gamma, lam = 0.9, 0.5
    reward, value, following = column(1.0, 2.0, 3.0), column(0.5, 1.0, 1.5), column(1.0, 1.5, 2.0)
    never = torch.zeros(3, 1, dtype=torch.bool)
    delta = [1.0 + 0.9 * 1.0 - 0.5, 2.0 + 0.9 * 1.5 - 1.0, 3.0 + 0.9 * 2.0 - 1.5]  # the block is cut: it bootstraps
    expected = column(delta[0] + 0.45 * (delta[1] + 0.45 * delta[2]), delta[1] + 0.45 * delta[2], delta[2])
    assert torch.allclose(generalised_advantages(reward, value, following, never, never, gamma, lam), expected)


def test_advantages_stop_where_an_episode_ends() -> None:
    gamma, lam = 0.9, 0.5
    reward, value, following = column(1.0, 2.0, 3.0), column(0.5, 1.0, 1.5), column(1.0, 7.0, 2.0)
    ended = torch.tensor([[False], [True], [False]])
    terminal = generalised_advantages(reward, value, following, ended, ended, gamma, lam)
    assert terminal[1].item() == pytest.approx(2.0 - 1.0)
    assert terminal[0].item() == pytest.approx(1.4 + 0.45 * 1.0)
    truncated = generalised_advantages(reward, value, following, torch.zeros_like(ended), ended, gamma, lam)
    assert truncated[1].item() == pytest.approx(2.0 + 0.9 * 7.0 - 1.0)
    assert truncated[0].item() == pytest.approx(1.4 + 0.45 * 7.3)


def test_stacked_networks_equal_single_ones() -> None:
    stack = ParameterStack((3, 2), mlp_shapes(4, (8,), 1), CPU)
    initialise_mlp(stack, 2, [np.random.default_rng(r) for r in range(3)], output_gain=0.5)
    inputs = torch.randn(3, 2, 5, 4)
    outputs = mlp(stack, 2, inputs)
    weights = [stack[f"weight_{layer}"][1, 0] for layer in range(2)]
    assert torch.allclose(outputs[1, 0], torch.tanh(inputs[1, 0] @ weights[0]) @ weights[1], atol=1e-6)
    assert torch.allclose(weights[0] @ weights[0].mT, 2.0 * torch.eye(4), atol=1e-6)


def test_stacked_adam_equals_torch_adam() -> None:
    torch.manual_seed(0)
    stack = ParameterStack((2, 1), {"w": (3, 2)}, CPU)
    ours = StackedAdam(stack, max_norm=0.5, epsilon=1e-5)
    reference = [torch.zeros(3, 2, requires_grad=True) for _ in range(2)]
    theirs = [torch.optim.Adam([w], lr=0.1, eps=1e-5) for w in reference]
    for _ in range(5):
        pull = torch.randn(2, 1, 3, 2)
        loss = (stack["w"] * pull).sum((1, 2, 3))
        ours.step(stack.gradient(loss.sum()), loss, 0.1)
        for r, (w, adam) in enumerate(zip(reference, theirs, strict=True)):
            w.grad = pull[r, 0].clone()
            torch.nn.utils.clip_grad_norm_([w], 0.5)
            adam.step()
    for r in range(2):
        assert torch.allclose(stack["w"][r, 0], reference[r], atol=1e-6)


def test_a_replica_with_a_broken_loss_freezes_alone() -> None:
    stack = ParameterStack((2, 1), {"w": (3,)}, CPU)
    adam = StackedAdam(stack, max_norm=1.0)
    loss = (stack["w"] + torch.tensor([1.0, math.nan]).view(2, 1, 1)).square().sum((1, 2))
    adam.step(stack.gradient(loss.sum()), loss, 0.1)
    assert adam.alive.tolist() == [True, False]
    assert (stack["w"][0] < 0).all()
    assert torch.equal(stack["w"][1], torch.zeros(1, 3))


def test_streams_do_not_depend_on_their_neighbours() -> None:
    together, alone = Streams([3, 5, 8], "test", CPU), Streams([5], "test", CPU)
    assert torch.equal(together.normal((4, 7))[1], alone.normal((4, 7))[0])
    assert torch.equal(together.shuffles(2, 50)[1], alone.shuffles(2, 50)[0])
    assert together.seeds(4)[4:8] == alone.seeds(4)
    assert together.initial[1].random() == alone.initial[0].random()
    assert not torch.equal(Streams([5], "other", CPU).normal((4, 7))[0], Streams([5], "test", CPU).normal((4, 7))[0])


def test_shuffles_are_permutations() -> None:
    orders = Streams([0, 1], "test", CPU).shuffles(3, 100)
    assert torch.equal(orders.sort(dim=-1).values, torch.arange(100).expand(2, 3, 100))


def test_value_scale_holds_mean_returns_by_time_and_keeps_the_rest() -> None:
    scale = ValueNormaliser((1, 1, 3), memory=4.0, device=CPU)
    time = torch.arange(3).repeat(8).view(1, -1)
    returns = (10.0 - time).unsqueeze(1) + torch.randn(1, 1, 24)
    weight, bias = torch.ones(1, 1, 2, 1), torch.ones(1, 1, 1, 1)
    scale.update(returns, time, weight, bias)
    assert weight.unique().item() == 1.0  # the first block keeps the layer
    expected = torch.stack([returns[0, 0, time[0] == t].mean() for t in range(3)])
    assert torch.allclose(scale.mean[0, 0], expected, atol=1e-6)
    assert torch.allclose(scale.denormalise(scale.normalise(returns, time), time), returns, atol=1e-5)
    before = scale.std * weight[..., 0, 0]
    scale.update(3.0 * returns, time, weight, bias)
    assert torch.allclose(scale.std * weight[..., 0, 0], before)


def test_reward_scale_is_that_of_constant_half(quadratic: type) -> None:
    make = environment_factory(quadratic, {"scale": 8.0}, None)
    scales = reward_scales(make, cross(["private"], [0, 1]), "individual")
    assert scales.tolist() == pytest.approx([8.0 * (1.0 - 0.13**2)] * 2)
    team = reward_scales(make, cross(["private"], [0]), "team")
    assert team.tolist() == pytest.approx([16.0 * (1.0 - 0.13**2)])


def test_observations_are_mapped_to_the_unit_interval(quadratic: type) -> None:
    gain, offset = observation_map(quadratic(1))
    assert np.array_equal(gain * 0.0 + offset, -np.ones((2, 3)))
    assert np.array_equal(gain * 1.0 + offset, np.ones((2, 3)))


def test_annealing_holds_then_falls() -> None:
    assert [annealed(2.0, progress, 0.5) for progress in (0.0, 0.5, 0.75, 1.0)] == [2.0, 2.0, 1.0, 0.0]
    assert annealed(2.0, 0.9, 0.0) == 2.0


@pytest.mark.parametrize(
    ("rewards", "seeds", "error", "message"),
    [
        (["privat"], [0], ValueError, "did you mean 'private'"),
        ([], [0], ValueError, "nothing to train"),
        (["private"], [], ValueError, "nothing to train"),
        (["private"], [-1], ValueError, "seed=-1"),
        (["private"], [0.5], TypeError, "seed=0.5"),
        (["private", "private"], [0], ValueError, "2 times"),
        ("private", [0], TypeError, r"\['private'\]"),
    ],
)
def test_replicas_are_checked(rewards: list[str], seeds: list[int], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cross(rewards, seeds)


def test_rewards_are_slowest() -> None:
    names = [replica.name for replica in cross(["private", "cooperative"], range(2))]
    assert names == [("private", 0), ("private", 1), ("cooperative", 0), ("cooperative", 1)]


def test_checkpoints_hold_tensors_that_share_memory(tmp_path: Path) -> None:
    """ReputationMarket-v1 shows its public score as it is, so that two parts of its state are one tensor."""
    score = torch.arange(4.0)
    write_checkpoint(tmp_path, {"run": 1}, {"steps": 2}, {"score": score, "shown": score, "part": score[1:3]})
    found = read_checkpoint(tmp_path, {"run": 1}, named(plain), dict)
    assert found is not None
    progress, state = found
    assert progress == {"steps": 2}
    assert torch.equal(state["shown"], score)
    assert torch.equal(state["part"], score[1:3])
