"""Reversion to a bad equilibrium as a threat: gains against a plain re-computation, and where deterrence ends."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.grim import GrimEquilibrium, grim_equilibrium
from coopgym.oracles.games.rollout import initial_state, plan_returns
from coopgym.play import state_after
from coopgym.rewards import reward_layer

STEPS = 12


def plain_gain(game: AnyGame, shares: np.ndarray, punishment: np.ndarray, reward: str, t: int, seat: int) -> float:
    """The gain of one seat's best deviation in step t, one whole episode at a time."""
    layer = reward_layer(reward)
    honest = plan_returns(game, initial_state(game), shares, [layer])[0][seat]
    deviant = np.concatenate([shares[: t + 1], np.repeat(punishment[None], len(shares) - t - 1, axis=0)])
    best = -np.inf
    for share in np.linspace(0.0, 1.0, 5):
        deviant[t, seat] = share
        best = max(best, plan_returns(game, initial_state(game), deviant, [layer])[0][seat])
    return float(best - honest)


@pytest.mark.parametrize(("id", "reward"), [("TrustDilemma-v1", "private"), ("PlatformEcosystem-v1", "integrated")])
def test_gains_are_those_of_whole_episodes(id: str, reward: str) -> None:
    game = make_game(id, max_steps=STEPS)
    rng = np.random.default_rng(3)
    shares, punishment = rng.random((STEPS, game.n_agents)), rng.random(game.n_agents)
    found = grim_equilibrium(game, shares, punishment, reward, levels=5)
    for t in (0, 4, STEPS - 1):
        for seat in range(2):
            assert found.gains[t, seat] == pytest.approx(plain_gain(game, shares, punishment, reward, t, seat))


def test_nobody_gains_or_loses_once_the_plan_has_ended_the_episode() -> None:
    game = make_game("TrustDilemma-v0")
    selfish, punishment = np.zeros((100, 2)), np.array([0.42, 0.42])
    found = grim_equilibrium(game, selfish, punishment, "private", levels=5)
    ends = next(t for t in range(100) if not found.gains[t:].any())
    assert 1 < ends < 20
    for t in range(ends):
        assert found.gains[t, 0] == pytest.approx(plain_gain(game, selfish, punishment, "private", t, 0))


@cache
def team_threat() -> GrimEquilibrium:
    game = make_game("TeamProduction-v1", max_steps=STEPS)
    return grim_equilibrium(game, np.full((STEPS, 4), 0.83), np.full(4, 0.1168), levels=101)


def test_the_last_step_tempts_as_much_as_the_stage_does() -> None:
    found, game = team_threat(), make_game("TeamProduction-v1", max_steps=STEPS)
    profiles = np.full((101, 4), 0.83)
    profiles[:, 0] = np.linspace(0.0, 1.0, 101)
    stage = game.stage(game.initial_state((101,)), profiles * game.spec.endowments).payoffs[:, 0]
    assert found.gains[-1, 0] == pytest.approx(stage.max() - stage[83])
    assert found.deviations[-1, 0] == profiles[stage.argmax(), 0]
    assert found.largest[0] == found.gains[-1, 0]


def test_deterrence_lasts_until_the_end_game() -> None:
    found = team_threat()
    # A deviation gains 0.436 once and costs 0.318 per step that is left, so one step left is too few and two deter.
    assert found.first_failures == (STEPS - 2,) * 4
    assert found.prefix == STEPS - 2
    assert not found.holds
    assert found.deterred[: STEPS - 2].all()


def test_a_stage_equilibrium_needs_no_threat() -> None:
    game = make_game("PublicGoods-v1", max_steps=STEPS, q=0.0, theta=0.0)  # contributing nothing dominates
    nothing = np.zeros(5)
    found = grim_equilibrium(game, np.zeros((STEPS, 5)), nothing)
    assert found.holds
    assert found.prefix == STEPS
    assert found.first_failures == (None,) * 5
    tempted = grim_equilibrium(game, np.full((STEPS, 5), 0.5), np.ones(5))
    assert tempted.first_failures == (0,) * 5


def test_a_stand_in_for_exchangeable_seats_changes_nothing() -> None:
    game = make_game("IndirectReciprocity-v1", max_steps=STEPS)
    shares, punishment = np.full((STEPS, 4), 0.7), np.full(4, 0.12)
    short = grim_equilibrium(game, shares, punishment, "integrated")
    full = grim_equilibrium(game, shares, punishment, "integrated", initial_state(game))
    np.testing.assert_allclose(short.gains, full.gains, atol=1e-12)
    uneven = np.array([0.7, 0.7, 0.7, 0.2]) + 0.0 * shares
    short = grim_equilibrium(game, uneven, punishment, "integrated")
    full = grim_equilibrium(game, uneven, punishment, "integrated", initial_state(game))
    np.testing.assert_allclose(short.gains, full.gains, atol=1e-12)


def test_a_plan_may_start_later() -> None:
    game = make_game("TrustDilemma-v1", max_steps=STEPS)
    shares, punishment = np.full((STEPS, 2), 0.8), np.full(2, 0.35)
    state = state_after(game, shares[:5], initial_state(game))
    whole = grim_equilibrium(game, shares, punishment)
    rest = grim_equilibrium(game, shares[5:], punishment, "private", state)
    np.testing.assert_allclose(rest.gains, whole.gains[5:], atol=1e-12)


def test_errors_say_what_to_change() -> None:
    game = make_game("TrustDilemma-v1", max_steps=STEPS)
    shares, punishment = np.full((STEPS, 2), 0.5), np.full(2, 0.3)
    with pytest.raises(ValueError, match=r"plan: expected shares of endowment in \[0, 1\] of shape \(12, 2\)"):
        grim_equilibrium(game, shares[:5], punishment)
    with pytest.raises(ValueError, match="reversion: expected shares"):
        grim_equilibrium(game, shares, punishment * 100)
    with pytest.raises(ValueError, match="levels=1"):
        grim_equilibrium(game, shares, punishment, levels=1)
    with pytest.raises(ValueError, match="unknown reward"):
        grim_equilibrium(game, shares, punishment, "grim")
