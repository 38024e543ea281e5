"""Shared networks are the networks that the seats would own; products do not depend on company; states are compact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import coopgym
from coopgym.agents.streams import EpisodeDraws
from coopgym.algorithms.common.policies import POLICY_KINDS
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.stacked_networks import affine, mlp
from coopgym.algorithms.marl import IPPO
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.agent_networks import AgentNetworks
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.global_state import compact_state, state_size
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
    assert compact.shape == (3, state_size(n))
    assert ((compact >= -1.0) & (compact <= 1.0)).all()
    parts = (0.5 * (compact + 1.0)).split([n, n, n, n, n, 1], dim=-1)
    others = ~torch.eye(n, dtype=torch.bool)
    trust_given = torch.stack([state.trust[:, i, others[i]].mean(-1) for i in range(n)], -1)
    damage_received = torch.stack([state.damage[:, others[i], i].mean(-1) for i in range(n)], -1)
    for part, expected in ((parts[0], share), (parts[1], trust_given), (parts[4], damage_received)):
        assert torch.allclose(part, expected)
    assert torch.allclose(parts[5], torch.full((3, 1), 1.0 / environment.game.spec.horizon, dtype=torch.float64))


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
    plays, seen = policy(kind, outputs, **facts), np.zeros((4000, 1))
    assert plays.share(seen) == pytest.approx(best)  # type: ignore[attr-defined]
    drawn = plays.share(seen, EpisodeDraws(np.random.default_rng(0), len(seen)))  # type: ignore[attr-defined]
    assert drawn.mean() == pytest.approx(mean, abs=0.03)
