"""Newcomers: who has been outside for ten steps is replaced, with everything as at the start of an episode."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pettingzoo.utils import aec_to_parallel, parallel_to_aec

import coopgym
from coopgym.agents import make_agent
from coopgym.games.formal.entry import ENTRY_AFTER
from coopgym.games.game import AnyGame, ResetOptions
from coopgym.games.registry import make_game
from coopgym.games.state import State, state_arrays
from coopgym.interfaces.text import TextMatch
from coopgym.interfaces.text.game_rules_text import rules
from coopgym.interfaces.torch import TorchEnv
from coopgym.oracles.dynamic.bounds import OptimisticBound
from coopgym.oracles.dynamic.planner import plan
from coopgym.play import NOMINAL, Seeded, open_loop, unroll
from coopgym.play.engine import Engine
from coopgym.play.episodes import play
from coopgym.rewards import reward_layer
from coopgym.testing import check_game
from tests.interfaces.playing import COMPILER

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo's tests import its games the deprecated way
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

GAMES = {"PlatformEcosystem-v1": 14, "CoalitionFormation-v1": 16}
"""Steps that a seat which never cooperates, among others at 80 %, is inside before it leaves."""
DEFECTOR = 2
every_game = pytest.mark.parametrize("game_id", GAMES)


def defecting(game: AnyGame, steps: int, seats: Any = DEFECTOR) -> np.ndarray[Any, Any]:
    plan = np.full((steps, game.n_agents), 0.8)
    plan[:, seats] = 0.0
    return plan


def states(game: AnyGame, plan: Any) -> list[State]:
    return [step.transition.state for step in unroll(game, open_loop(game, plan), draws=NOMINAL, horizon=len(plan))]


@every_game
@given(seed=st.integers(0, 99))
def test_where_nobody_is_ever_gone_nothing_changes(game_id: str, seed: int) -> None:
    with_entry, without = make_game(game_id, entry=True, max_steps=40), make_game(game_id, max_steps=40)
    plan = np.random.default_rng(seed).uniform(0.4, 1.0, (40, without.n_agents))
    paired = zip(*(unroll(game, open_loop(game, plan), draws=NOMINAL) for game in (with_entry, without)), strict=True)
    for one, other in paired:
        np.testing.assert_array_equal(one.transition.payoffs, other.transition.payoffs)
        for name, array in state_arrays(other.transition.state).items():
            np.testing.assert_array_equal(getattr(one.transition.state, name), array, err_msg=name)
        assert not one.transition.state.entries.any()


@every_game
def test_until_the_first_newcomer_nothing_changes_and_none_is_recorded_by_default(game_id: str) -> None:
    game, usual = make_game(game_id, entry=True), make_game(game_id)
    plan = defecting(game, GAMES[game_id] + ENTRY_AFTER)
    for one, other in zip(states(game, plan), states(usual, plan), strict=True):
        np.testing.assert_array_equal(one.trust, other.trust)
    assert "entry" not in usual.parameter_dict()
    assert set(state_arrays(usual.initial_state())).isdisjoint({"away", "entries"})
    assert game.overridden() == {"entry": True}


@every_game
def test_a_seat_that_stays_outside_for_ten_steps_begins_anew(game_id: str) -> None:
    game, left = make_game(game_id, entry=True), GAMES[game_id]
    path, opening = states(game, defecting(game, left + ENTRY_AFTER + 1)), game.initial_state()
    assert [int(state.members[DEFECTOR]) for state in path] == [1] * left + [0] * ENTRY_AFTER + [1]
    assert [int(state.away[DEFECTOR]) for state in path] == [0] * (left + 1) + list(range(1, ENTRY_AFTER)) + [0]
    before, fresh = path[-2], path[-1]
    assert fresh.entries.tolist() == [int(seat == DEFECTOR) for seat in range(game.n_agents)]
    others = [seat for seat in range(game.n_agents) if seat != DEFECTOR]
    for name, begun in state_arrays(opening).items():
        found = getattr(fresh, name)
        if name in ("t", "entries"):
            continue
        np.testing.assert_array_equal(found[DEFECTOR], begun[DEFECTOR], err_msg=name)
        if begun.ndim == 2:
            np.testing.assert_array_equal(found[:, DEFECTOR], begun[:, DEFECTOR], err_msg=name)
    assert (fresh.trust[np.ix_(others, others)] > before.trust[np.ix_(others, others)] - 1e-12).all()
    assert before.trust[0, DEFECTOR] < 0.1 < fresh.trust[0, DEFECTOR]


def test_a_platform_that_everybody_left_opens_to_newcomers_and_is_not_replaced() -> None:
    game = make_game("PlatformEcosystem-v1", entry=True)
    path = states(game, np.zeros((60, game.n_agents)))
    closed = next(t for t, state in enumerate(path) if state.members[0] == 0.0)
    reopened = path[closed + ENTRY_AFTER]
    assert not any(state.members.any() for state in path[closed : closed + ENTRY_AFTER])
    assert reopened.members.all()
    assert reopened.entries.tolist() == [0, 1, 1, 1, 1]
    assert reopened.last_action[0] == 0.0


@every_game
def test_nobody_is_replaced_more_often_than_the_game_says(game_id: str) -> None:
    game = make_game(game_id, entry=True, max_steps=45, initial_trust=0.0)
    start = game.initial_state((), all_but_gone(game))
    steps = unroll(game, open_loop(game, np.zeros((45, game.n_agents))), start=start, draws=NOMINAL)
    assert 1 <= max(int(step.transition.state.entries.max()) for step in steps) <= game.most_entries


def all_but_gone(game: AnyGame) -> ResetOptions:
    """Everybody but the first has been outside for as long as may be."""
    gone = np.concatenate(([1.0], np.zeros(game.n_agents - 1)))
    return ResetOptions(initial_state={"members": gone, "away": (ENTRY_AFTER - 1.0) * (1.0 - gone)})


@every_game
@pytest.mark.parametrize("world", ["fixed", "shifting"])
def test_rows_of_a_batch_are_environments_of_their_own(game_id: str, world: str) -> None:
    game = make_game(game_id, entry=True, world=world)
    plans = np.stack([defecting(game, 60, seat) for seat in (DEFECTOR, DEFECTOR + 1, [1, 2])], axis=1)
    together = list(unroll(game, open_loop(game, plans), batch=(3,), draws=Seeded([4, 5, 6]), horizon=60))
    assert together[-1].transition.state.entries.any(-1).all()
    for row in range(3):
        plan = open_loop(game, plans[:, row])
        for t, step in enumerate(unroll(game, plan, draws=Seeded([4 + row]), horizon=60)):
            for name, array in state_arrays(step.transition.state).items():
                batched = getattr(together[t].transition.state, name)[row]
                np.testing.assert_allclose(batched, array, rtol=1e-12, atol=1e-14, err_msg=name)


@every_game
@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_torch_replaces_alike(game_id: str, compiled: bool) -> None:
    env = TorchEnv(game_id, 2, dtype=torch.float64, actions="share", entry=True, compile=compiled)
    engine = Engine(make_game(game_id, entry=True), batch=(2,), actions="share")
    env.reset(seed=0), engine.reset(0)
    script = np.stack([defecting(engine.game, 45), defecting(engine.game, 45, 1)], axis=1)
    for shares in script:
        _, rewards, *_ = env.step(torch.tensor(shares))
        np.testing.assert_allclose(rewards, engine.step(shares)[1], rtol=1e-9, atol=1e-9)
    assert engine.state.entries.sum() == 2
    for name, array in state_arrays(engine.state).items():
        np.testing.assert_allclose(getattr(env.state, name), array, rtol=1e-9, atol=1e-9, err_msg=name)


@every_game
def test_observations_and_infos_tell_of_newcomers(game_id: str) -> None:
    env = gymnasium.make_vec(f"coopgym/{game_id}", num_envs=2, control="joint", actions="share", entry=True)
    game = env.unwrapped.game
    env.reset(seed=0)
    left = GAMES[game_id]
    plan = defecting(game, left + ENTRY_AFTER + 1)
    for t, shares in enumerate(plan):
        *_, infos = env.step(np.stack([shares, np.full(game.n_agents, 0.8)]))
        assert infos["newcomers"].sum() == (t == left + ENTRY_AFTER)
        seen = game.observe(env.unwrapped._engine.state, "own")[0, 0, game.observation_columns("own", 0)["away"]]
        np.testing.assert_allclose(seen, infos["away"][0] / ENTRY_AFTER)
    assert infos["entries"].sum() == 1
    told, usual = (rules(type(game), each.parameters) for each in (game, make_game(game_id)))
    assert "a newcomer takes the seat" in told
    assert "newcomer" not in usual


def test_a_newcomer_keeps_the_costs_of_its_seat_and_has_earned_nothing_yet() -> None:
    game = make_game("CoalitionFormation-v1", entry=True, world="private")
    plan = defecting(game, GAMES["CoalitionFormation-v1"] + ENTRY_AFTER + 1)
    path = [step.transition.state for step in unroll(game, open_loop(game, plan), draws=Seeded([1]), horizon=len(plan))]
    np.testing.assert_array_equal(path[-1].cost_factor, path[0].cost_factor)
    assert path[-2].payoff_share[DEFECTOR] != 0.5
    assert path[-1].payoff_share[DEFECTOR] == 0.5


@every_game
def test_the_battery_accepts_newcomers_and_no_bound_is_claimed(game_id: str) -> None:
    game = make_game(game_id, entry=True)
    check_game(game)
    best = plan(make_game(game_id, entry=True, max_steps=3), "cooperative")
    assert "newcomers" in OptimisticBound(best, reward_layer("cooperative")).refusal()


# PettingZoo's agent lists


def played(env: Any, plan: Any) -> list[Any]:
    env.reset(seed=0)
    return [env.step(dict(zip(list(env.agents), shares, strict=True))) for shares in plan]


@every_game
def test_agents_that_are_replaced_end_and_newcomers_have_names_of_their_own(game_id: str) -> None:
    env = coopgym.parallel_env(game_id, reward="private", actions="share", entry=True)
    n, steps = env.game.n_agents, GAMES[game_id] + ENTRY_AFTER + 1
    *_, last = played(env, defecting(env.game, steps))
    observations, rewards, terminations, truncations, infos = last
    old, new = f"agent_{DEFECTOR}", f"agent_{DEFECTOR + n}"
    assert env.agents == [new if seat == DEFECTOR else f"agent_{seat}" for seat in range(n)]
    assert set(observations) == set(rewards) == set(infos) == {*env.possible_agents[:n], new}
    assert [agent for agent, over in terminations.items() if over] == [old]
    assert not any(truncations.values())
    assert rewards[new] == infos[new]["payoff"] == 0.0 < rewards[old]
    assert infos[old]["own_action"] == infos[old]["cooperation_rate"] == 0.0
    observations, rewards, terminations, *_ = env.step(dict.fromkeys(env.agents, 0.8))
    assert set(observations) == set(rewards) == set(terminations) == set(env.agents)
    assert env.observation_space(new) is env.observation_space(old)
    env.reset(seed=0)
    assert env.agents == env.possible_agents[:n]


def test_one_after_the_other_the_replaced_pass_once_more_and_newcomers_move_in_their_place() -> None:
    game_id = "PlatformEcosystem-v1"
    env = coopgym.aec_env(game_id, reward="private", actions="share", entry=True)
    env.reset(seed=0)
    n, rounds = env.possible_agents.index("agent_4") + 1, GAMES[game_id] + ENTRY_AFTER + 1
    for _ in range(rounds * n):
        env.step(np.array([0.0 if env.agent_selection == f"agent_{DEFECTOR}" else 0.8]))
    old, new = f"agent_{DEFECTOR}", f"agent_{DEFECTOR + n}"
    assert env.agent_selection == old
    assert env.last()[2]
    assert env.last()[1] > 0.0
    env.step(None)
    movers = []
    for _ in range(n):
        movers.append(env.agent_selection)
        env.step(np.array([0.8]))
    assert movers == ["agent_0", "agent_1", new, "agent_3", "agent_4"]
    assert old not in env.agents
    assert env.rewards[new] > 0.0


def totals_in_parallel(env: Any) -> dict[str, float]:
    env.reset(seed=0)
    totals = dict.fromkeys(env.possible_agents, 0.0)
    while env.agents:
        for agent, reward in env.step({agent: np.array([0.3], dtype=np.float32) for agent in env.agents})[1].items():
            totals[agent] += reward
    return totals


def totals_in_turn(env: Any) -> dict[str, float]:
    env.reset(seed=0)
    totals = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        _, reward, terminated, truncated, _ = env.last()
        totals[agent] += reward
        env.step(None if terminated or truncated else np.array([0.3], dtype=np.float32))
    return totals


def test_all_ways_through_pettingzoo_pay_every_agent_alike() -> None:
    keywords = {"entry": True, "max_steps": 60, "norm": 1.0, "actions": "share"}
    expected = totals_in_parallel(coopgym.parallel_env("PlatformEcosystem-v1", **keywords))
    assert sum(total > 0.0 for total in expected.values()) > 5
    for totals, env in (
        (totals_in_turn, coopgym.aec_env("PlatformEcosystem-v1", **keywords)),
        (totals_in_turn, parallel_to_aec(coopgym.parallel_env("PlatformEcosystem-v1", **keywords))),
        (totals_in_parallel, aec_to_parallel(coopgym.aec_env("PlatformEcosystem-v1", **keywords))),
    ):
        assert totals(env) == pytest.approx(expected)


@every_game
def test_pettingzoos_own_tests_accept_seats_that_pass_on(game_id: str) -> None:
    # No random conduct meets this norm, so that everybody leaves.
    keywords = {"entry": True, "max_steps": 60, "norm": 1.0}
    probe = coopgym.parallel_env(game_id, **keywords, actions="share")
    played(probe, np.full((40, probe.game.n_agents), 0.5))
    assert set(probe.agents) != set(probe.possible_agents[: probe.game.n_agents])
    with warnings.catch_warnings():
        # An episode ends before every newcomer that might have come has come.
        warnings.filterwarnings("ignore", "No agents present but not all possible_agents")
        parallel_api_test(coopgym.parallel_env(game_id, **keywords), num_cycles=100)
    parallel_seed_test(lambda: coopgym.parallel_env(game_id, **keywords))
    api_test(coopgym.aec_env(game_id, **keywords), num_cycles=100)
    seed_test(lambda: coopgym.aec_env(game_id, **keywords))


# Episodes, texts and corpora


def agents_of(game: AnyGame) -> list[Any]:
    return [make_agent("Constant_00" if seat == DEFECTOR else "Constant_80") for seat in range(game.n_agents)]


@every_game
def test_recorded_episodes_go_on_with_newcomers_to_the_horizon(game_id: str) -> None:
    games = (make_game(game_id, entry=True), make_game(game_id))
    played_on, alone = (play(each, agents_of(each), reward="private", episodes=2, record=True) for each in games)
    found, usual = played_on.trajectory, alone.trajectory
    assert found.alive.all()
    assert found.rewards.shape == usual.rewards.shape
    came = GAMES[game_id] + ENTRY_AFTER
    np.testing.assert_array_equal(found.trust[:came], usual.trust[:came])
    assert (found.trust[came, :, 0, DEFECTOR] > usual.trust[came, :, 0, DEFECTOR]).all()
    assert (found.rewards[:, :, DEFECTOR].sum(0) > usual.rewards[:, :, DEFECTOR].sum(0)).all()


@every_game
def test_language_models_read_of_newcomers_and_see_how_long_seats_are_away(game_id: str) -> None:
    match = TextMatch(game_id, parameters={"entry": True}, decisions=None, dialect="json", view="own")
    assert "a newcomer takes the seat" in str(match.prompt(0))
    look = '<tool_call>{"name": "observe", "arguments": {}}</tool_call>'
    assert "away" in match.send(0, look).text
