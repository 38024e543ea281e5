"""LOLA: its gradient is the one it claims, and it reaches cooperation where naive learners defect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.squashed_gaussian import pre_tanh_log_prob
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.reinforce import IndependentREINFORCE
from coopgym.algorithms.marl.opponent_shaping.lola import LOLA, LOLASeats
from coopgym.algorithms.marl.opponent_shaping.lola_exact import ExactLOLASeats
from tests.algorithms.iterated_dilemma import SITUATIONS, Donations, MemoryOne


def trainer(settings: LOLA, environments: Any, **parameters: Any) -> Trainer:
    make = environment_factory(environments, parameters, None)
    return Trainer(settings, make, cross(["private"], [0, 1]), torch.device("cpu"))


def log_probs(seats: LOLASeats, block: Rollout) -> torch.Tensor:
    """Log-densities (R, n, T, B) of a block, differentiable in the policies."""
    mean, log_sigma = seats.policy(block.observation.flatten(2, 3))
    return pre_tanh_log_prob(seats.pre_tanh.flatten(2), mean, log_sigma).view_as(seats.pre_tanh)


def loaded_dice(log_prob: torch.Tensor, advantage: torch.Tensor, length: int) -> torch.Tensor:
    """Return J (n,) summed over replicas: the objective as Farquhar et al. 2019 write it, with magic boxes."""
    joint = log_prob.sum(1, keepdim=True)  # of all seats
    episodes = torch.cat([part.cumsum(2) for part in joint.split(length, dim=2)], dim=2)

    def box(w: torch.Tensor) -> torch.Tensor:
        return torch.exp(w - w.detach())

    return ((box(episodes) - box(episodes - joint)) * advantage).mean((2, 3)).sum(0)


def test_the_shaping_gradient_is_that_of_second_order_autograd(quadratic: Any) -> None:
    settings = LOLA(hidden=(4,), num_envs=3, rollout_steps=6)
    run = trainer(settings, quadratic, horizon=3, agents=3)
    block, seats = run.collect(), run.seats
    assert isinstance(seats, LOLASeats)
    advantage = torch.randn(block.signal.shape, generator=torch.Generator().manual_seed(0))
    weights = seats.shaping(block, advantage)
    views = seats.parameters.views
    found = seats.parameters.gradient((weights * log_probs(seats, block)).mean((2, 3)).sum())

    def flat(parts: Any) -> torch.Tensor:
        return torch.cat([part.flatten(2) for part in parts], dim=-1)  # (R, n, P)

    values = loaded_dice(log_probs(seats, block), advantage, length=3)
    slopes = [flat(torch.autograd.grad(value, views, create_graph=True)) for value in values]
    for i in range(3):
        pairs = [(slopes[j][:, j] * slopes[i][:, j].detach()).sum() for j in range(3) if j != i]
        expected = flat(torch.autograd.grad(torch.stack(pairs).sum(), views, retain_graph=True))[:, i]
        assert expected.norm() > 1e-3
        torch.testing.assert_close(found[:, i, : expected.shape[-1]], expected, rtol=1e-3, atol=1e-5)


def test_shaping_never_outweighs_the_advantages_by_more_than_the_limit() -> None:
    run = trainer(LOLA(shaping=1e3, shaping_limit=0.5), Donations, horizon=5)
    block, seats = run.collect(), run.seats
    assert isinstance(seats, LOLASeats)
    weights = seats.weights(block)
    own = seats.advantages(block)
    assert 0.0 < (weights - own).square().mean((-2, -1)).sqrt().max() < 0.6


def test_without_shaping_lola_is_reinforce(quadratic: Any) -> None:
    common: dict[str, Any] = {"hidden": (8,), "num_envs": 8, "learning_rate": 1e-3}
    policies: list[tuple[torch.Tensor, torch.Tensor]] = []
    for settings in (LOLA(shaping=0.0, **common), LOLA(shaping=0.3, **common), IndependentREINFORCE(**common)):
        make = environment_factory(quadratic, {"horizon": 4}, None)
        run = Trainer(settings, make, cross(["private"], [0]), torch.device("cpu"))
        # Streams are keyed by the learner's name: give all of them the same noise and the same first policies.
        run.seats.parameters.flat.copy_(policies[0][0] if policies else run.seats.parameters.flat)  # type: ignore[attr-defined]
        first = run.seats.parameters.flat.clone()  # type: ignore[attr-defined]
        noise = torch.randn(1, 2, 4, 8, generator=torch.Generator().manual_seed(0))
        run.seats.context.streams.normal = lambda shape, noise=noise: noise  # type: ignore[method-assign, misc]
        run.learn(0.0)
        policies.append((first, run.seats.parameters.flat.clone()))  # type: ignore[attr-defined]
    assert torch.equal(policies[0][1], policies[2][1])
    assert not torch.equal(policies[1][1], policies[2][1])


def test_many_seats_look_at_a_draw_of_the_others(quadratic: Any) -> None:
    run = trainer(LOLA(opponents=4, num_envs=2), quadratic, horizon=2, agents=9)
    seats = run.seats
    assert isinstance(seats, LOLASeats)
    drawn = torch.stack([seats.offsets() for _ in range(20)])
    assert drawn.shape == (20, 2, 4)
    assert sorted(set(drawn.flatten().tolist())) == list(range(1, 9))
    assert all(len(set(row)) == 4 for row in drawn.flatten(0, 1).tolist())
    assert torch.isfinite(seats.shaping(run.collect(), torch.ones(2, 9, 2, 2))).all()


def test_the_exact_gradient_agrees_with_finite_differences() -> None:
    run = trainer(LOLA(estimator="exact", hidden=(4,), num_envs=1, shaping=1.0), MemoryOne)
    seats = run.seats
    assert isinstance(seats, ExactLOLASeats)
    generator = torch.Generator().manual_seed(0)
    seats.parameters.flat.add_(0.4 * torch.randn(seats.parameters.flat.shape, generator=generator))
    combined, _ = seats.gradient()
    value = seats.play()  # (R, 2, 1, 2)
    parts = torch.autograd.grad(value[:, 0, 0, 0].sum(), seats.copies.views)
    own, across = torch.cat([part.flatten(4) for part in parts], dim=-1)[:, 0, 0].unbind(1)  # of J_0, (R, P)
    shaping = combined[:, 0] - own  # (∇_0 ∇_1 J_1)ᵀ ∇_1 J_0

    start, step, size = seats.parameters.flat.clone(), 0.05, own.shape[-1]
    ways = torch.nn.functional.normalize(shaping, dim=-1), torch.nn.functional.normalize(across, dim=-1)
    mixed = torch.zeros(2)
    for sign_0, sign_1 in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        moved = start.clone()
        moved[:, 0, :size] += sign_0 * step * ways[0]
        moved[:, 1, :size] += sign_1 * step * ways[1]
        seats.copies.flat.copy_(moved[:, None, None])
        mixed += sign_0 * sign_1 * seats.play().detach()[:, 0, 0, 1] / (4.0 * step**2)
    expected = mixed * across.norm(dim=-1)
    torch.testing.assert_close(shaping.norm(dim=-1), expected, rtol=0.05, atol=1e-3)


dilemma: Any = Donations
strategies: Any = MemoryOne


def answers(result: Any, replica: int, observations: Any) -> np.ndarray:
    agents = result.agents(replica)
    return np.array([agent.act(np.array(observations)) for agent in agents])


@pytest.mark.slow
def test_sampled_shaping_reaches_cooperation_where_naive_gradients_do_not() -> None:
    def cooperation(shaping: float) -> list[float]:
        result = LOLA(shaping=shaping, learning_rate_decay=0.0).train(
            dilemma, ["private"], range(3), 64 * 20 * 200, game_parameters={"horizon": 20}, evaluations=0
        )
        levels = [[v for _, metric, v in result.curves(k) if metric == "cooperation"] for k in range(3)]
        return [float(np.mean(level[-40:])) for level in levels]

    assert max(cooperation(0.0)) < 0.05
    assert min(cooperation(0.3)) > 0.6


@pytest.mark.slow
def test_exact_shaping_reaches_cooperation_where_naive_gradients_do_not() -> None:
    def payoff(shaping: float) -> tuple[float, np.ndarray]:
        settings = LOLA(estimator="exact", shaping=shaping, num_envs=1, learning_rate_decay=0.5)
        result = settings.train(strategies, ["private"], range(4), SITUATIONS * 300, evaluations=0)
        named = np.array([answers(result, k, np.eye(SITUATIONS)) for k in range(4)])
        worth = MemoryOne(4, dtype=torch.float64).worth(torch.as_tensor(named)).mean()
        return float(worth), named

    naive, _ = payoff(0.0)
    shaped, named = payoff(0.3)
    assert naive < 1.1  # everybody defects for 1 per round
    assert shaped > 2.5  # of 3 for mutual cooperation
    assert named[:, :, 4].mean() < 0.2  # and they do not forgive mutual defection: they reciprocate


def test_inapplicable_settings_are_refused(quadratic: Any) -> None:
    with pytest.raises(ValueError, match="expected one of 'dice', 'exact'"):
        LOLA(estimator="guess")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 6 seats, but Quadratic-v0 has 7; use estimator='dice'"):
        LOLA(estimator="exact").train(quadratic, game_parameters={"agents": 7})
