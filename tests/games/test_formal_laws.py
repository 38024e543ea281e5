"""Laws that hold in every formal game: symmetries, batches, bounds, rewards, a Markov full view, gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.backend import torch_backend
from coopgym.games.game import Transition
from coopgym.games.state import map_arrays, state_arrays
from coopgym.mechanisms.membership import COOLDOWN
from tests.games.formal_play import (
    MODES,
    FloatArray,
    Game,
    after_random_play,
    every_game,
    make,
    random_actions,
    rewards,
    rollout,
    start,
)

few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 2**32 - 1)
plays = st.tuples(seeds, st.integers(1, 25))

# Symmetry

FIRST_EXCHANGEABLE = {
    "TrustDilemma-v1": 0,
    "PlatformEcosystem-v1": 1,
    "DynamicPartnerSelection-v1": 0,
    "RecoveryRace-v1": 0,
    "SynergySearch-v1": 0,
    "CooperativeNegotiation-v1": 0,
    "ReputationMarket-v1": 0,
    "TeamProduction-v1": 0,
    "LoyaltyTeam-v1": 0,
    "CoalitionFormation-v1": 0,
    "ApacheProject-v1": 0,
    "PublicGoods-v1": 0,
    "ReciprocalDilemma-v1": 0,
    "GraduatedSanction-v1": 0,
}
"""From this agent on, all play the same part."""


def assert_relabelled(plain: Transition, relabelled: Transition, game: Game, order: FloatArray) -> None:
    for mode in MODES:
        expected = rewards(game, plain, mode)[order]
        np.testing.assert_allclose(rewards(game, relabelled, mode), expected, rtol=1e-9, atol=1e-12)
    for name in state_arrays(plain.state):
        before, after = getattr(plain.state, name), getattr(relabelled.state, name)
        if name in ("trust", "damage"):
            before = before[np.ix_(order, order)]
        elif before.ndim:
            before = before[..., order]
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-12, err_msg=name)


def play_relabelled(game: Game, order: Any, seed: int) -> None:
    actions = random_actions(game, 25, seed=seed)
    pairs = zip(
        rollout(game, start(game, gamma=2.3 if game.id == "SynergySearch-v1" else None), actions),
        rollout(game, start(game, gamma=2.3 if game.id == "SynergySearch-v1" else None), actions[:, order]),
        strict=True,
    )
    for (_, plain), (_, relabelled) in pairs:
        assert_relabelled(plain, relabelled, game, order)


@pytest.mark.parametrize("game_id", FIRST_EXCHANGEABLE)
@few
@given(st.data(), seeds)
def test_relabelling_exchangeable_agents_relabels_everything(game_id: str, data: st.DataObject, seed: int) -> None:
    game, first = make(game_id), FIRST_EXCHANGEABLE[game_id]
    order = [*range(first), *data.draw(st.permutations(range(first, game.n_agents)))]
    play_relabelled(game, np.array(order), seed)


@few
@given(st.integers(0, 3), seeds)
def test_indirect_reciprocity_has_no_first_agent(shift: int, seed: int) -> None:
    play_relabelled(make("IndirectReciprocity-v1"), np.roll(np.arange(4), shift), seed)


@pytest.mark.parametrize("game_id", ["SLCD-v1", "RenaultNissan-v1"])
def test_relabelling_partners_with_their_parameters_relabels_everything(game_id: str) -> None:
    game = make(game_id)
    swapped = {
        name: value[::-1] if name != "dependence" else tuple(row[::-1] for row in value[::-1])
        for name, value in game.parameter_dict().items()
        if isinstance(value, tuple)
    }
    mirror, order = make(game_id, **swapped), np.array([1, 0])
    shares = np.random.default_rng(3).random((25, 2))
    played = rollout(game, start(game), shares * game.spec.endowments)
    mirrored = rollout(mirror, start(mirror), shares[:, order] * mirror.spec.endowments)
    for (_, plain), (_, relabelled) in zip(played, mirrored, strict=True):
        assert_relabelled(plain, relabelled, game, order)


# Batches


@every_game
@few
@given(play=plays, cut=st.integers(1, 4))
def test_splitting_a_batch_changes_nothing(kind: type[Game], play: tuple[int, int], cut: int) -> None:
    game, (seed, steps), size = make(kind.id), play, 5
    whole = start(game, (size,), seed)
    actions = random_actions(game, steps, (size,), seed)
    played = list(rollout(game, whole, actions))
    parts: list[Any] = [slice(0, cut), slice(cut, size), cut]
    for part in parts:
        own = map_arrays(lambda array, part=part: array[part], whole)
        for (_, together), (_, alone) in zip(played, rollout(game, own, actions[:, part]), strict=True):
            for mode in MODES:
                expected = rewards(game, together, mode)[part]
                np.testing.assert_allclose(rewards(game, alone, mode), expected, rtol=1e-12, atol=1e-14)
            for name in state_arrays(whole):
                expected = getattr(together.state, name)[part]
                actual = getattr(alone.state, name)
                np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14, err_msg=name)


# Bounds


@every_game
@few
@given(seeds, st.sampled_from([0.0, 0.5, 1.0]))
def test_trust_damage_and_observations_stay_in_bounds(kind: type[Game], seed: int, bias: float) -> None:
    game = make(kind.id)
    shares = np.random.default_rng(seed).beta(0.2 + bias, 1.2 - bias, (40, game.n_agents))
    own = np.eye(game.n_agents, dtype=bool)
    for before, transition in rollout(game, start(game, seed=seed), shares * game.spec.endowments):
        after = transition.state
        if not getattr(before, "gone", 0.0):  # then trust is frozen
            assert (after.trust[~own] <= 1.0 - before.damage[~own] + 1e-12).all()
        assert (after.trust >= 0.0).all()
        assert ((after.damage >= 0.0) & (after.damage <= 1.0)).all()
        np.testing.assert_array_equal(after.trust[own], 1.0)
        np.testing.assert_array_equal(after.damage[own], 0.0)
        np.testing.assert_array_equal(transition.weights[own], 0.0)
        assert np.isfinite(rewards(game, transition, "integrated")).all()
        for view in game.views:
            seen = game.observe(after, view)
            assert ((seen >= 0.0) & (seen <= 1.0)).all(), f"{view} view: {seen.min()} to {seen.max()}"


@every_game
def test_no_signal_is_saturated_by_uniform_play(kind: type[Game]) -> None:
    game = make(kind.id)
    for before, transition in rollout(game, start(game), random_actions(game, 50)):
        assert np.abs(game.signals(before, transition.state.last_action)).max() < 0.99


# Rewards of the formal edition


@every_game
@few
@given(play=plays)
def test_modes_redistribute_payoffs(kind: type[Game], play: tuple[int, int]) -> None:
    game, (seed, steps) = make(kind.id), play
    state = after_random_play(game, steps, seed=seed)
    transition = game.step(state, random_actions(game, 1, seed=seed + 1)[0])
    private, cooperative = rewards(game, transition, "private"), rewards(game, transition, "cooperative")
    np.testing.assert_allclose(cooperative.sum(), private.sum(), rtol=1e-12)
    np.testing.assert_array_equal(rewards(game, transition, "mutuality=0"), private)
    np.testing.assert_allclose(rewards(game, transition, "mutuality=1"), cooperative, rtol=1e-12)
    integrated = rewards(game, transition, "integrated") * game.reward_normaliser
    relational = 0.0 if transition.relational is None else transition.relational
    np.testing.assert_allclose(integrated - relational - private, transition.weights @ private, atol=1e-12)


@every_game
def test_without_trust_and_relational_utility_integrated_equals_private(kind: type[Game]) -> None:
    game = make(kind.id)
    transition = game.step(start(game, initial_trust=0.0), 0.7 * game.spec.endowments)
    np.testing.assert_array_equal(transition.weights, 0.0)
    if transition.relational is None:
        np.testing.assert_array_equal(rewards(game, transition, "integrated"), transition.payoffs)


# The full view is Markov


def memory_of(game: Game, block: FloatArray) -> FloatArray:
    return block.reshape(game.parameters.memory, game.n_agents)


def gamma_of(game: Game, block: FloatArray) -> FloatArray:
    low, high = game.parameters.gamma_range
    return low + (high - low) * block[0]


def scalar(game: Game, block: FloatArray) -> FloatArray:
    return block[0]


def vector(game: Game, block: FloatArray) -> FloatArray:
    return block


RESTORED: dict[str, dict[str, tuple[str, Any]]] = {
    "TrustDilemma-v1": {"gone": ("gone", scalar)},
    "PartnerHoldUp-v1": {"gone": ("gone", scalar), "asset": ("asset", scalar)},
    "PlatformEcosystem-v1": {"members": ("members", vector)},
    "DynamicPartnerSelection-v1": {"score": ("score", vector)},
    "RecoveryRace-v1": {},
    "SynergySearch-v1": {"gamma": ("gamma", gamma_of)},
    "SLCD-v1": {},
    "RenaultNissan-v1": {},
    "CooperativeNegotiation-v1": {"agreed": ("agreed", scalar), "level": ("level", scalar)},
    "ReputationMarket-v1": {"score": ("true_score", vector)},
    "TeamProduction-v1": {},
    "LoyaltyTeam-v1": {"loyalty": ("all_private", vector)},
    "CoalitionFormation-v1": {
        "members": ("members", vector),
        "timers": ("all_private", lambda game, block: np.round(block[::2] * COOLDOWN)),
        "loyalty": ("all_private", lambda game, block: block[1::2]),
    },
    "ApacheProject-v1": {"loyalty": ("all_private", vector)},
    "PublicGoods-v1": {"loyalty": ("all_private", vector)},
    "ReciprocalDilemma-v1": {"memory": ("memory_buffer", memory_of)},
    "GiftExchange-v1": {"memory": ("memory_buffer", memory_of), "wage": ("wage", scalar)},
    "IndirectReciprocity-v1": {"memory": ("memory_buffer", memory_of), "image": ("image", vector)},
    "GraduatedSanction-v1": {"memory": ("memory_buffer", memory_of), "record": ("record", vector)},
    "AppleAppStore-v1": {"memory": ("memory_buffer", memory_of), "members": ("members", vector)},
}
"""Stocks of a state: the block of the full view that tells them, and how to read it."""


def seen_in_full(game: Game, state: Any) -> Any:
    """A state in which everything that the full view does not tell is as at reset."""
    columns, observation = game.observation_columns("full", 0), game.observe(state, "full")[0]
    pairs = np.nonzero(~np.eye(game.n_agents, dtype=bool))
    trust, damage = np.eye(game.n_agents), np.zeros((game.n_agents, game.n_agents))
    trust[pairs] = observation[columns["all_trust"]]
    damage[pairs] = observation[columns["all_damage"]]
    stocks = {name: read(game, observation[columns[block]]) for name, (block, read) in RESTORED[game.id].items()}
    return dataclasses.replace(
        start(game, seed=99),
        t=np.round(observation[columns["time"]][0] * game.spec.horizon),
        last_action=observation[columns["actions"]],
        trust=trust,
        damage=damage,
        **stocks,
    )


@every_game
@few
@given(play=plays)
def test_the_full_view_is_all_that_the_future_depends_on(kind: type[Game], play: tuple[int, int]) -> None:
    game, (seed, steps) = make(kind.id), play
    state = after_random_play(game, steps, seed=seed)
    twin, actions = seen_in_full(game, state), random_actions(game, 3, seed=seed + 1)
    for (_, expected), (_, actual) in zip(rollout(game, state, actions), rollout(game, twin, actions), strict=True):
        for mode in MODES:
            np.testing.assert_allclose(rewards(game, actual, mode), rewards(game, expected, mode), atol=1e-9)
        seen, wanted = game.observe(actual.state, "full"), game.observe(expected.state, "full")
        np.testing.assert_allclose(seen, wanted, atol=1e-9)


# Gradients


@every_game
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_gradients_are_finite_everywhere(kind: type[Game], share: float) -> None:
    torch = pytest.importorskip("torch")
    game = make(kind.id, torch_backend(dtype=torch.float64))
    actions = (share * game.endowments).repeat(4, 1).requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    for _, transition in rollout(game, start(game), actions):
        total = total + rewards(game, transition, "integrated").sum()
    total.backward()
    assert torch.isfinite(actions.grad).all()
    assert (actions.grad != 0).any()
