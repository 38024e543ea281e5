"""Worlds: factors in the places of costs and synergy, drawn by seed, shown to whom they should be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.games.formal.payoff_range import payoff_range
from coopgym.games.game import AnyGame, ResetOptions
from coopgym.games.registry import GAME_IDS, make_game
from coopgym.games.state import State, state_arrays
from coopgym.interfaces.torch import TorchEnv
from coopgym.oracles.agents.base import drawn_world
from coopgym.play import NOMINAL, open_loop, unroll
from coopgym.play.engine import Engine
from coopgym.worlds import SHIFT, TEST_SEEDS, WORLDS
from tests.interfaces.playing import COMPILER

FORMAL = [game_id for game_id in GAME_IDS if game_id.endswith("-v1")]
FACTOR = st.floats(0.5, 2.0)
every_game = pytest.mark.parametrize("game_id", FORMAL)
every_world = pytest.mark.parametrize("world", WORLDS)


def opening(game: AnyGame, **factors: Any) -> State:
    drawn = np.full(game.reset_uniforms, 0.5)
    return game.initial_state((), ResetOptions(world={k: np.asarray(v) for k, v in factors.items()}), drawn)


@every_game
@given(m=FACTOR, g=FACTOR, seed=st.integers(0, 99))
def test_common_factors_are_multiplied_parameters(game_id: str, m: float, g: float, seed: int) -> None:
    game, fixed = make_game(game_id, world="common"), make_game(game_id).multiplied(m, g)
    plan = np.random.default_rng(seed).random((4, game.n_agents))
    one, other = (
        unroll(each, open_loop(each, plan), start=start, draws=NOMINAL, horizon=4)
        for each, start in ((game, opening(game, cost=m, synergy=g)), (fixed, opening(fixed)))
    )
    for step, alike in zip(one, other, strict=True):
        results = {"payoffs": alike.transition.payoffs, "relational": alike.transition.relational}
        for name, expected in results.items():
            if expected is not None:
                np.testing.assert_allclose(getattr(step.transition, name), expected, rtol=1e-12, atol=1e-12)
        for name, array in state_arrays(alike.transition.state).items():
            if name != "gamma":
                found = getattr(step.transition.state, name)
                np.testing.assert_allclose(found, array, rtol=1e-12, atol=1e-12, err_msg=name)


@every_game
def test_a_seat_pays_its_own_cost_only(game_id: str) -> None:
    private, common = make_game(game_id, world="private"), make_game(game_id, world="common")
    costs = np.linspace(0.6, 1.8, private.n_agents)
    actions = np.linspace(0.2, 0.9, private.n_agents) * private.endowments
    paid = private.step(opening(private, cost=costs, synergy=1.3), actions).payoffs
    alone = [common.step(opening(common, cost=m, synergy=1.3), actions).payoffs[i] for i, m in enumerate(costs)]
    np.testing.assert_allclose(paid, alone, rtol=1e-12)


@every_game
@every_world
def test_rows_of_a_batch_are_single_environments(game_id: str, world: str) -> None:
    game = make_game(game_id, world=world)
    batch = Engine(game, "private", (3,))
    batch.reset(seed=5)
    singles = [Engine(game, "private", ()) for _ in range(3)]
    for k, single in enumerate(singles):
        single.reset(seed=5 + k)
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = rng.random((3, game.n_agents)) * game.endowments
        together, _ = batch.step(actions)
        for k, single in enumerate(singles):
            alone, _ = single.step(actions[k])
            np.testing.assert_allclose(alone.payoffs, together.payoffs[k], rtol=1e-12)
            for name, array in state_arrays(single.state).items():
                np.testing.assert_allclose(array, getattr(batch.state, name)[k], rtol=1e-12, err_msg=name)


@every_world
def test_factors_are_log_uniform_and_mean_what_they_say(world: str) -> None:
    game = make_game("PublicGoods-v1", world=world, world_spread=3.0)
    engine = Engine(game, "private", (4000,))
    engine.reset(seed=1)
    for factor in (engine.state.cost_factor, engine.state.synergy_factor):
        share = 0.5 * (np.log(factor) / math.log(3.0) + 1.0)
        assert (share >= 0.0).all()
        assert (share <= 1.0).all()
        np.testing.assert_allclose(np.quantile(share, (0.1, 0.5, 0.9)), (0.1, 0.5, 0.9), atol=0.03)
    differ = (engine.state.cost_factor != engine.state.cost_factor[:, :1]).any()
    assert differ == (world != "common")


def test_a_spread_of_a_game_s_own_is_recorded_only_where_it_is_another() -> None:
    for game_id, own in (("IndirectReciprocity-v1", 3.0), ("GraduatedSanction-v1", 2.0)):
        game = make_game(game_id, world="private")
        assert drawn_world(game).spread == own
        assert "world_spread" not in game.parameter_dict()
        assert "world_spread" not in make_game(game_id).parameter_dict()
        other = make_game(game_id, world="private", world_spread=1.5)
        assert other.parameter_dict()["world_spread"] == drawn_world(other).spread == 1.5


def test_only_a_shifting_world_shifts_and_as_often_as_it_says() -> None:
    changes = {}
    for world in WORLDS:
        engine = Engine(make_game("TrustDilemma-v1", world=world), "private", (500,))
        engine.reset(seed=2)
        factors = []
        for _ in range(40):
            engine.step(np.zeros((500, 2)))
            factors.append(np.concatenate((engine.state.cost_factor, engine.state.synergy_factor[:, None]), axis=1))
        moved = np.diff(np.array(factors), axis=0) != 0.0
        assert (moved.any(-1) == moved.all(-1)).all()
        changes[world] = moved.mean()
    assert changes["common"] == changes["private"] == 0.0
    assert changes["shifting"] == pytest.approx(SHIFT, abs=0.005)


@every_game
@every_world
def test_seats_see_what_they_should(game_id: str, world: str) -> None:
    game, fixed = make_game(game_id, world=world), make_game(game_id)
    columns, usual = game.observation_columns("own", 1), fixed.observation_columns("own", 1)
    seen = ["payoff_share"] if world == "common" else ["payoff_share", "cost_factor"]
    assert sorted(set(columns) - set(usual)) == sorted(seen)
    costs = 0.8 if world == "common" else np.linspace(0.6, 1.8, game.n_agents)
    state, spread = opening(game, cost=costs, synergy=1.5), drawn_world(game).spread
    own = game.observe(state, "own")
    np.testing.assert_array_equal(own[:, columns["payoff_share"]], 0.5)
    if world != "common":
        expected = 0.5 * (np.log(costs) / math.log(spread) + 1.0)
        np.testing.assert_allclose(own[:, columns["cost_factor"]][:, 0], expected)
    elsewhere = game.observe(opening(game, cost=costs, synergy=0.7), "own")
    np.testing.assert_array_equal(own, elsewhere)
    full = game.observation_columns("full", 0)
    shown = game.observe(state, "full")[0][full["synergy_factor"]]
    np.testing.assert_allclose(shown, 0.5 * (math.log(1.5) / math.log(spread) + 1.0))
    transition = game.step(state, game.endowments * 0.5, np.zeros(game.step_normals))
    low, high = payoff_range(type(game), game.parameters)
    share = np.clip((transition.payoffs - low) / (high - low), 0.0, 1.0)
    np.testing.assert_allclose(game.observe(transition.state, "own")[:, columns["payoff_share"]][:, 0], share)


@every_game
@given(data=st.data())
def test_no_stage_payoff_of_the_opening_is_out_of_its_range(game_id: str, data: st.DataObject) -> None:
    game = make_game(game_id, world="private")
    low, high = payoff_range(type(game), game.parameters)
    share, factor = st.floats(0.0, 1.0), FACTOR
    cooperation = np.array([data.draw(share) for _ in range(game.n_agents)])
    costs = np.array([data.draw(factor) for _ in range(game.n_agents)])
    state, actions = opening(game, cost=costs, synergy=data.draw(factor)), cooperation * game.endowments
    paid = game.stage(game.at_steady_state(state, actions), actions).payoffs
    slack = 0.01 * (high - low)
    assert (paid >= low - slack).all()
    assert (paid <= high + slack).all()


def test_the_range_of_payoffs_holds_its_own_factors_only() -> None:
    narrow, wide = (
        payoff_range(type(make_game("SLCD-v1")), replace(make_game("SLCD-v1").parameters, world_spread=spread))
        for spread in (1.1, 3.0)
    )
    assert (wide[0] < narrow[0]).all()
    assert (narrow[1] < wide[1]).all()


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="world='privat': did you mean 'private'"):
        make_game("TrustDilemma-v1", world="privat")
    with pytest.raises(TypeError, match="unexpected keyword argument 'world'"):
        make_game("TrustDilemma-v0", world="common")
    with pytest.raises(ValueError, match="world_spread"):
        make_game("TrustDilemma-v1", world="common", world_spread=1.0)
    env = gymnasium.make("coopgym/TrustDilemma-v1", world="common")
    for wrong, message in (
        ({"cost": -1.0}, "cost"),
        ({"costs": 1.0}, "cost and synergy"),
        (2.0, "mapping"),
        ({"cost": [0.5, 2.0]}, "one cost factor"),
    ):
        with pytest.raises(ValueError, match=message):
            env.reset(options={"world": wrong})
    with pytest.raises(ValueError, match="fixed; make the game with world='common'"):
        gymnasium.make("coopgym/TrustDilemma-v1").reset(options={"world": {"cost": 1.0}})
    with pytest.raises(ValueError, match="no worlds"):
        gymnasium.make("coopgym/TrustDilemma-v0").reset(options={"world": {"cost": 1.0}})


def test_factors_that_make_no_game_are_refused() -> None:
    with pytest.raises(ValueError, match="expected positive factors"):
        make_game("TrustDilemma-v1").multiplied(cost=0.0)
    with pytest.raises(ValueError, match="has no worlds"):
        make_game("TrustDilemma-v0").multiplied(cost=2.0)
    twice = make_game("SLCD-v1").multiplied(cost=2.0, synergy=0.5).parameters
    usual = make_game("SLCD-v1").parameters
    assert (twice.k, twice.q, twice.gamma) == (2.0 * usual.k, 2.0 * usual.q, 0.5 * usual.gamma)


def test_a_reset_option_sets_factors_through_interfaces() -> None:
    factors = {"cost": 1.4, "synergy": 0.7}
    env = gymnasium.make("coopgym/TeamProduction-v1", world="common", view="full")
    seen, _ = env.reset(seed=1, options={"world": factors})
    again, _ = env.reset(seed=2, options={"world": factors})
    other, _ = env.reset(seed=2)
    np.testing.assert_array_equal(seen, again)
    assert (seen != other).any()
    parallel = coopgym.parallel_env("TeamProduction-v1", world="private")
    observations, _ = parallel.reset(seed=1, options={"world": {"cost": [0.5, 1.0, 2.0, 1.0]}})
    columns = make_game("TeamProduction-v1", world="private").observation_columns("own", 0)["cost_factor"]
    np.testing.assert_allclose([observations[a][columns[0]] for a in parallel.agents], (0.0, 0.5, 1.0, 0.5), atol=1e-6)


@every_world
def test_torch_plays_as_numpy_does_and_gradients_reach_the_factors(world: str) -> None:
    env = TorchEnv("TrustDilemma-v1", 3, reward="private", dtype=torch.float64, actions="units", world=world)
    env.reset(seed=7)
    engine = Engine(make_game("TrustDilemma-v1", world=world), "private", (3,))
    engine.reset(seed=7)
    for level in (20.0, 70.0, 40.0):
        _, rewards, *_ = env.step(torch.full((3, 2), level, dtype=torch.float64))
        _, expected = engine.step(np.full((3, 2), level))
        np.testing.assert_allclose(rewards.numpy(), expected, rtol=1e-12)
    cost = env.state.cost_factor.clone().requires_grad_()
    state = replace(env.state, cost_factor=cost)
    env.game.stage(state, torch.full((3, 2), 50.0, dtype=torch.float64)).payoffs.sum().backward()
    assert (cost.grad < 0.0).all()


def test_nobody_trains_on_the_seeds_that_scores_are_made_of() -> None:
    assert len(TEST_SEEDS) == 256
    assert len(cross(["private"], [TEST_SEEDS.start - 1, TEST_SEEDS.stop])) == 2
    with pytest.raises(ValueError, match="the seeds that play in worlds is scored on; train on others"):
        cross(["private"], [TEST_SEEDS[100]])


def plays_alike_compiled(game_id: str, world: str) -> None:
    double = {"dtype": torch.float64, "reward": "integrated", "world": world, "max_steps": 4}
    compiled, eager = (TorchEnv(game_id, 8, compile=fused, **double) for fused in (True, False))
    compiled.reset(seed=1)
    eager.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = torch.from_numpy(rng.uniform(-1.0, 1.0, (8, eager.game.n_agents)))
        for one, other in zip(compiled.step(actions)[:2], eager.step(actions)[:2], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize(
    ("game_id", "world"), [("TrustDilemma-v1", "shifting"), *((game_id, "private") for game_id in FORMAL)]
)
def test_games_are_compiled_whole_in_worlds(game_id: str, world: str) -> None:
    plays_alike_compiled(game_id, world)


def test_numpy_draws_anew_only_where_a_world_shifts_and_gives_what_all_rows_would() -> None:
    world, rng = WORLDS["shifting"], np.random.default_rng(3)
    cost, synergy, normals = rng.random((5, 7, 3)), rng.random((5, 7)), 2.0 * rng.standard_normal((5, 7, 5))
    found = world.shifted(cost, synergy, normals, spread=2.0)
    tensors = (torch.tensor(array) for array in (cost, synergy, normals))
    for one, other in zip(found, world.shifted(*tensors, spread=2.0), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
    alone = world.shifted(cost[1, 2], synergy[1, 2], normals[1, 2], spread=2.0)
    np.testing.assert_array_equal(alone[0], found[0][1, 2])
    assert alone[1] == found[1][1, 2]
    assert (found[1] != synergy).any()
    assert (found[1] == synergy).any()
