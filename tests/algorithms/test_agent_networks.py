"""Shared networks are the networks that the seats would own; products do not depend on company; states are compact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import norm

import coopgym
from coopgym.agents.base import FloatArray
from coopgym.agents.streams import EpisodeDraws
from coopgym.algorithms.common.policies import POLICY_KINDS
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.stacked_networks import affine, mlp
from coopgym.algorithms.marl import IPPO
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context
from coopgym.algorithms.marl.core.environment import compact_state, environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer


def context(game: str = "PlatformEcosystem-v1") -> Context:
    make = environment_factory(game, None, None)
    trainer = Trainer(IPPO(hidden=(4,), num_envs=2), make, cross(["private"], [0, 1]), torch.device("cpu"))
    return trainer.seats.context


@pytest.mark.parametrize("ensemble", [None, 2])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 6)])
def test_a_shared_network_is_one_network_per_seat(hidden: tuple[int, ...], ensemble: int | None) -> None:
    place = context()
    seats = place.lead[1]
    shared = AgentNetworks(place, 5, hidden, 3, "relu", ensemble=ensemble, sharing=True, extra={"log_sigma": (1,)})
    shared.initialise(place, 1.0)
    lead = (2, seats) if ensemble is None else (2, 2, seats)
    owned = shared.per_seat()
    assert all(tensor.shape[: len(lead)] == lead for tensor in owned.values())
    inputs = torch.randn(2, seats, 7, 5)
    expected = mlp(
        owned, shared.layers, inputs.expand(2, *inputs.shape).transpose(0, 1) if ensemble else inputs, torch.relu_
    )
    assert torch.allclose(shared(inputs), expected, atol=1e-5)
    same = torch.randn(2, 1, 7, 5).expand(-1, seats, -1, -1)
    assert not torch.allclose(shared(same)[..., 0, :, :], shared(same)[..., 1, :, :])  # told their seats


@pytest.mark.parametrize("samples", [4, 80, 256])
def test_products_do_not_depend_on_company(samples: int) -> None:
    bias, values, weight = torch.randn(3, 1, 1), torch.randn(3, samples, 16), torch.randn(3, 16, 1)
    together = affine(bias, values, weight)
    assert torch.equal(affine(bias[:1], values[:1], weight[:1]), together[:1])


@pytest.mark.parametrize("game", ["PartnerHoldUp-v0", "PlatformEcosystem-v1"])
def test_the_compact_state_by_hand(game: str) -> None:
    environment = coopgym.torch_env(game, 3, reward="private", actions="units", dtype=torch.float64)
    environment.reset(seed=0)
    endowments = torch.tensor(environment.game.spec.endowments)
    n = len(endowments)
    share = torch.rand(3, n, dtype=torch.float64)
    environment.step(share * endowments)
    state, scale = environment.state, torch.tensor(environment.game.action_scale)
    compact = compact_state(state, scale, environment.game.spec.horizon)
    assert compact.shape == (3, 5 * n + 1)
    assert ((compact >= -1.0) & (compact <= 1.0)).all()
    parts = (0.5 * (compact + 1.0)).split([n, n, n, n, n, 1], dim=-1)
    others = ~torch.eye(n, dtype=torch.bool)
    trust_given = torch.stack([state.trust[:, i, others[i]].mean(-1) for i in range(n)], -1)
    damage_received = torch.stack([state.damage[:, others[i], i].mean(-1) for i in range(n)], -1)
    for part, expected in ((parts[0], share), (parts[1], trust_given), (parts[4], damage_received)):
        assert torch.allclose(part, expected)
    assert torch.allclose(parts[5], torch.full((3, 1), 1.0 / environment.game.spec.horizon, dtype=torch.float64))


def test_critics_see_what_a_world_has_drawn() -> None:
    environment = coopgym.torch_env(
        "TrustDilemma-v1", 2, reward="private", actions="units", dtype=torch.float64, world="private"
    )
    environment.reset(seed=0)
    state, scale = environment.state, torch.tensor(environment.game.action_scale)
    compact = compact_state(state, scale, environment.game.spec.horizon)
    drawn = torch.cat([state.cost_factor, state.synergy_factor[:, None]], dim=-1)
    assert compact.shape == (2, 5 * 2 + 1 + 3)
    assert torch.allclose(2.0 ** compact[:, -3:], drawn)


def policy(kind: str, outputs: list[float], **facts: float) -> object:
    """A policy whose outputs are the same whatever it sees."""
    return POLICY_KINDS[kind](
        game="any",
        seat=0,
        parameters={},
        gain=np.ones(1),
        offset=np.zeros(1),
        facts={"activation": "tanh", **facts},
        tensors={"weight_0": np.zeros((1, len(outputs))), "bias_0": np.array([outputs]), "log_sigma": np.array([-1.0])},
    )


@pytest.mark.parametrize(
    ("kind", "outputs", "facts", "best", "mean"),
    [
        ("squashed_gaussian", [0.0], {}, 0.5, 0.5),
        ("squashed_gaussian", [0.0, -3.0], {}, 0.5, 0.5),
        ("deterministic", [0.4], {"noise": 0.1}, 0.5 * (np.tanh(0.4) + 1.0), 0.5 * (np.tanh(0.4) + 1.0)),
        ("categorical", [0.0, 0.0, np.log(2.0)], {"epsilon": 0.0}, 1.0, 0.625),
        ("categorical", [0.0, 0.0, np.log(2.0)], {"epsilon": 1.0}, 1.0, 0.5),
        ("action_values", [0.0, 3.0, 1.0], {"epsilon": 0.0}, 0.5, 0.5),
        ("action_values", [3.0, 0.0, 1.0], {"epsilon": 0.5}, 0.0, 0.25),
    ],
)
def test_what_policies_play(kind: str, outputs: list[float], facts: dict[str, float], best: float, mean: float) -> None:
    plays, units = policy(kind, outputs, **facts), np.zeros((4000, 1))
    assert plays.share(units) == pytest.approx(best)  # type: ignore[attr-defined]
    drawn = plays.draw(units, EpisodeDraws(np.random.default_rng(0), len(units)))  # type: ignore[attr-defined]
    assert drawn.share.mean() == pytest.approx(mean, abs=0.03)


def squashed(mean: float, sigma: float, share: FloatArray) -> FloatArray:
    level = 2.0 * share - 1.0
    return norm.logpdf(np.arctanh(level), mean, sigma) - np.log(0.5 * (1.0 - level**2))


def clipped(mean: float, sigma: float, share: FloatArray) -> FloatArray:
    within = norm.logpdf(2.0 * share - 1.0, mean, sigma) + np.log(2.0)
    ends = np.where(share == 0.0, norm.logcdf(-1.0, mean, sigma), norm.logsf(1.0, mean, sigma))
    return np.where((share == 0.0) | (share == 1.0), ends, within)


def of_levels(probabilities: list[float], share: FloatArray) -> FloatArray:
    return np.log(probabilities)[np.rint(share * (len(probabilities) - 1)).astype(int)]


@pytest.mark.parametrize(
    ("kind", "outputs", "facts", "log_prob"),
    [
        ("squashed_gaussian", [0.7], {}, lambda z: squashed(0.7, np.exp(-1.0), z)),
        ("squashed_gaussian", [-0.7, 9.0], {}, lambda z: squashed(-0.7, np.e, z)),
        ("clipped_gaussian", [0.6], {}, lambda z: clipped(0.6, np.exp(-1.0), z)),
        ("deterministic", [-0.9], {"noise": 0.3}, lambda z: clipped(np.tanh(-0.9), 0.3, z)),
        ("deterministic", [0.9], {"noise": 0.0}, lambda z: np.full_like(z, np.nan)),
        ("categorical", [0.0, 0.0, np.log(2.0)], {"epsilon": 0.4}, lambda z: of_levels([17 / 60, 17 / 60, 26 / 60], z)),
        ("action_values", [3.0, 0.0, 1.0], {"epsilon": 0.6}, lambda z: of_levels([0.6, 0.2, 0.2], z)),
    ],
)
def test_draws_tell_how_likely_they_were(
    kind: str, outputs: list[float], facts: dict[str, float], log_prob: Callable[[FloatArray], FloatArray]
) -> None:
    draws = EpisodeDraws(np.random.default_rng(1), 500)
    drawn = policy(kind, outputs, **facts).draw(np.zeros((500, 1)), draws)  # type: ignore[attr-defined]
    moderate = np.abs(drawn.share - 0.5) < (0.499 if kind == "squashed_gaussian" else 1.0)  # inverting loses digits
    assert moderate.mean() > 0.7
    expected = log_prob(drawn.share[moderate])
    np.testing.assert_allclose(drawn.log_prob[moderate], expected, rtol=1e-9, atol=1e-9)
    assert (np.isfinite(drawn.log_prob) | np.isnan(expected).all()).all()
