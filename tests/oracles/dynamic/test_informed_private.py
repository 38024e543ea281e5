"""Private play of the informed: equilibria of every draw, best replies to them, and the score between the two ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import make_agent
from coopgym.games.game import ResetOptions
from coopgym.games.registry import games, make_game
from coopgym.oracles.dynamic.informed import constant_returns, drawn_states
from coopgym.oracles.dynamic.informed_private import best_replies, informed_equilibria, known_equilibria, known_replies
from coopgym.oracles.dynamic.opening_dilemmas import opening_dilemmas
from coopgym.oracles.dynamic.world_scores import PrivateAnchors, private_anchors, private_score
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.dilemma import dilemma
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame
from coopgym.oracles.games.rollout import initial_state, plan_returns, repeated
from coopgym.play import NOMINAL, play
from coopgym.rewards import MODES

FACTOR = st.floats(0.5, 2.0)
ONE_OF_EACH_CLASS = ("SLCD-v1", "PartnerHoldUp-v1", "PublicGoods-v1", "ReciprocalDilemma-v1")


@pytest.mark.parametrize("world", ["fixed", "common", "private"])
@pytest.mark.parametrize("id", ONE_OF_EACH_CLASS)
def test_with_factors_of_one_the_equilibrium_is_that_of_the_fixed_game(id: str, world: str) -> None:
    game, fixed = make_game(id, world=world, max_steps=30), make_game(id, max_steps=30)
    expected = find_equilibria(CommitmentGame(fixed)).best_paying()
    assert expected is not None
    found = informed_equilibria(game, repeated(game, initial_state(game), (2,)))
    np.testing.assert_allclose(found.profiles, np.tile(expected.profile, (2, 1)), atol=2e-3)
    np.testing.assert_allclose(found.utilities.mean(-1), expected.welfare, atol=3e-3)


@pytest.mark.slow
@pytest.mark.parametrize("id", games("formal"))
def test_in_every_game_it_is_what_the_oracle_of_commitments_plays(id: str) -> None:
    expected = find_equilibria(CommitmentGame(make_game(id))).best_paying()
    assert expected is not None
    game = make_game(id, world="common")
    found = informed_equilibria(game, repeated(game, initial_state(game), (1,)))
    np.testing.assert_allclose(found.profiles[0], expected.profile, atol=2e-3)


@settings(max_examples=5)
@given(m=FACTOR, g=FACTOR)
def test_the_equilibrium_of_a_common_draw_is_that_of_the_game_with_multiplied_parameters(m: float, g: float) -> None:
    game = make_game("PublicGoods-v1", world="common", max_steps=12)
    options = ResetOptions(world={"cost": np.asarray(m), "synergy": np.asarray(g)})
    state = game.initial_state((), options, *NOMINAL.reset(game, ()))
    found = informed_equilibria(game, repeated(game, state, (1,)))
    fixed = CommitmentGame(make_game("PublicGoods-v1", max_steps=12).multiplied(m, g))
    assert regret(fixed, found.profiles[0], levels=201) < 1e-3
    np.testing.assert_allclose(fixed.utilities(found.profiles[0]), found.utilities[0], rtol=1e-12)


def test_rows_do_not_disturb_each_other() -> None:
    game = make_game("PartnerHoldUp-v1", world="private", max_steps=15)
    together = informed_equilibria(game, drawn_states(game, range(4)))
    for row in range(4):
        alone = informed_equilibria(game, drawn_states(game, [row]))
        np.testing.assert_array_equal(alone.profiles[0], together.profiles[row])
        assert alone.regret[0] == together.regret[row]


@pytest.mark.parametrize("id", ONE_OF_EACH_CLASS)
def test_no_level_beats_the_equilibrium_and_no_share_of_it_the_best_reply(id: str) -> None:
    game = make_game(id, world="private", max_steps=20)
    openings = drawn_states(game, range(5))
    found = informed_equilibria(game, openings)
    assert found.settled.all()
    for seat in range(2):
        deviating = np.repeat(found.profiles[None], 41, axis=0)
        deviating[..., seat] = np.linspace(0.0, 1.0, 41)[:, None]
        gains = constant_returns(game, openings, deviating)[..., seat].max(0) / 20 - found.utilities[:, seat]
        assert gains.max() < 1e-3
        replies = best_replies(game, openings, found.profiles, seat)
        assert (replies.returns >= 20 * found.utilities[:, seat] - 1e-9).all()
        plans = np.repeat(found.profiles[None], 20, axis=0)
        plans[..., seat] = replies.shares
        (returns,) = plan_returns(game, openings, plans, [MODES["private"]])
        np.testing.assert_allclose(returns[:, seat], replies.returns, rtol=1e-9)


@pytest.mark.parametrize("world", ["common", "private", "shifting"])
def test_the_two_ends_are_what_the_informed_and_the_best_level_earn(world: str) -> None:
    game, seeds = make_game("PublicGoods-v1", world=world, max_steps=15), range(60, 68)
    anchors = private_anchors(game, seeds, 1)
    assert anchors.best.sum() > anchors.uninformed.sum()
    assert private_score(game, make_agent("Constant", level=anchors.level), anchors) == pytest.approx(0.0, abs=1e-9)
    for level in (0.0, anchors.level - 0.1, anchors.level + 0.1, 1.0):
        assert private_score(game, make_agent("Constant", level=float(np.clip(level, 0.0, 1.0))), anchors) < 0.0
    if world != "shifting":
        openings = drawn_states(game, seeds)
        held = constant_returns(game, openings, known_equilibria(game, openings)[None])[0][:, 1]
        plans = np.repeat(known_equilibria(game, openings)[None], 15, axis=0)
        plans[..., 1] = known_replies(game, openings, 1)
        (replied,) = plan_returns(game, openings, plans, [MODES["private"]])
        np.testing.assert_allclose(replied[:, 1], anchors.best, rtol=1e-9)
        expected = (held - anchors.uninformed).sum() / (anchors.best - anchors.uninformed).sum()
        informed = private_score(game, make_agent("Oracle_Informed"), anchors, "full")
        assert informed == pytest.approx(expected, abs=1e-6)
        assert 0.0 < informed <= 1.0


def test_informed_agents_play_the_equilibrium_of_what_was_drawn() -> None:
    game = make_game("PublicGoods-v1", world="shifting", max_steps=12)
    agents = [make_agent("Oracle_Informed") for _ in range(game.n_agents)]
    played = play(game, agents, views="full", episodes=4, seed=3, record=True).trajectory
    assert played is not None
    openings = drawn_states(game, range(3, 7))
    np.testing.assert_allclose(played.shares[0], known_equilibria(game, openings), atol=1e-9)
    assert np.ptp(played.shares, axis=0).max() > 0.0


def test_where_the_informed_earn_no_more_than_the_best_level_there_is_no_score() -> None:
    game, same = make_game("PublicGoods-v1", world="common", max_steps=3), np.ones(2)
    anchors = PrivateAnchors(range(5, 7), 0, 0.5, uninformed=same, best=same)
    with pytest.raises(ValueError, match="PublicGoods-v1 in 'common': informed replies earn no more"):
        private_score(game, make_agent("Constant", level=0.5), anchors)


def test_there_must_be_such_a_seat() -> None:
    with pytest.raises(ValueError, match="seat=2: SLCD-v1 has seats 0 to 1"):
        private_anchors(make_game("SLCD-v1", world="common"), range(4), 2)


@pytest.mark.parametrize("id", ONE_OF_EACH_CLASS)
def test_the_opening_of_a_draw_without_factors_is_that_of_the_certificate(id: str) -> None:
    game = make_game(id, world="private")
    found = opening_dilemmas(game, repeated(game, initial_state(game), (1,)))
    expected = dilemma(make_game(id))
    price = found.optimum[0] / found.nash.utilities[0].sum()
    assert price == pytest.approx(expected.price_of_anarchy, rel=2e-3)
    assert found.at_price(price - 0.01)[0]
    assert not found.at_price(price + 0.01)[0]
