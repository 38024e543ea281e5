"""A thousand seats: pairwise state fits into memory, and nothing grows with the cube of the number of seats."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest

from coopgym.backend import Array
from coopgym.games.formal.collective_action import TeamProduction
from coopgym.games.formal.payoff_range import payoff_range
from coopgym.games.game import AnyGame
from coopgym.games.registry import game_class, games, make_game
from coopgym.games.state import State
from coopgym.interfaces.gymnasium import make_env
from coopgym.play.engine import Engine

SEATS = 1000
MEBIBYTE = 2**20
OTHER_SEATS = {"n_agents": 0, "n_developers": 1}
"""Parameters that set the number of seats, and how many seats there are besides."""


def resizable() -> dict[str, dict[str, int]]:
    """Games that take a number of seats, with the parameter that makes it a thousand."""
    found = {}
    for id in games():
        known = {field.name for field in dataclasses.fields(game_class(id).Parameters)}
        for name in known & set(OTHER_SEATS):
            found[id] = {name: SEATS - OTHER_SEATS[name]}
    return found


RESIZABLE = resizable()


def test_most_games_take_any_number_of_seats() -> None:
    assert len(RESIZABLE) >= 17


@pytest.mark.parametrize("id", RESIZABLE)
def test_a_thousand_seats_play_within_bounds_of_memory(id: str) -> None:
    tracemalloc.start()
    try:
        engine = Engine(make_game(id, **RESIZABLE[id]))
        engine.reset(0)
        game = engine.game
        transition, rewards = engine.step(0.5 * game.spec.endowments)
        played = tracemalloc.get_traced_memory()[1]
        seen = game.observe_seat(transition.state, game.spec.default_view, SEATS - 1)
        jointly = game.observe_jointly(transition.state, game.spec.default_view)
        observed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.isfinite(rewards).all()
    assert seen.shape == game.seat_observation_bounds(game.spec.default_view, 0)[0].shape
    assert jointly.shape == game.joint_observation_bounds(game.spec.default_view)[0].shape
    assert played < 150 * MEBIBYTE
    assert observed < 300 * MEBIBYTE


@pytest.mark.slow
@pytest.mark.parametrize("id", ["ReputationMarket-v0", "IndirectReciprocity-v1"])
def test_one_seat_among_a_thousand_plays_under_every_view(id: str) -> None:
    for view in ("own", "full", "minimal"):
        env = make_env(id, view=view, partners="Constant_50", n_agents=SEATS)
        env.reset(seed=0)
        observation, reward, *_ = env.step(np.array([0.5], dtype=np.float32))
        assert env.observation_space.contains(observation)
        assert np.isfinite(float(reward))


def test_what_all_seats_see_under_the_full_view_is_too_much_to_hold() -> None:
    game: AnyGame = make_game("PublicGoods-v0", n_agents=SEATS)
    with pytest.raises(ValueError, match=r"'full' view 1000 seats see 1004000 numbers each.*view='own'"):
        game.observe(game.initial_state(), "full")


def test_the_scale_of_payoffs_in_a_world_plays_no_profile_of_levels_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[bytes] = []
    plain = TeamProduction.payoffs

    def counted(game: TeamProduction, state: State, cooperation: Array) -> Array:
        rows.extend(row.tobytes() for row in cooperation.reshape(-1, game.n_agents))
        return plain(game, state, cooperation)

    monkeypatch.setattr(TeamProduction, "payoffs", counted)
    payoff_range.cache_clear()
    make_game("TeamProduction-v1", n_agents=SEATS, world="private")
    assert len(rows) == len(set(rows))
    assert len(rows) < 21**2
