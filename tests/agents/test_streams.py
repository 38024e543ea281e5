"""Agents that draw at random: an episode is the same alone and beside others, whatever plays it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.agents.streams import EpisodeDraws, EpisodeGenerator
from coopgym.games.registry import make_game
from coopgym.play import play

GAME = "PublicGoods-v1"


@pytest.mark.parametrize("kind", ["random", "standard_normal"])
def test_draws_of_an_episode_do_not_depend_on_the_others(kind: str) -> None:
    def drawn(rng: np.random.Generator, episodes: int) -> Any:
        draws = EpisodeDraws(rng, episodes)
        return np.stack([getattr(draws, kind)() for _ in range(150)])

    many, few = drawn(np.random.default_rng(4), 5), drawn(np.random.default_rng(4), 2)
    np.testing.assert_array_equal(many[:, :2], few)
    np.testing.assert_array_equal(many[:, 0], getattr(np.random.default_rng(4), kind)(150))
    assert len(np.unique(many)) == many.size
    rows = drawn(EpisodeGenerator([np.random.default_rng(seed) for seed in (9, 4)]), 2)
    np.testing.assert_array_equal(rows[:, 1], many[:, 0])


def test_children_of_a_generator_of_episodes_follow_their_episodes() -> None:
    together = EpisodeGenerator([np.random.default_rng(seed) for seed in (3, 8)]).spawn(2)
    alone = [np.random.default_rng(seed).spawn(1)[0] for seed in (3, 8)]
    assert [child.random() for child in together] == [child.random() for child in alone]


def test_played_episodes_do_not_depend_on_how_many_there_are() -> None:
    game = make_game(GAME, max_steps=70)

    def payoffs(episodes: int) -> Any:
        return play(game, [make_agent("Random") for _ in range(game.n_agents)], episodes=episodes, seed=3).payoffs

    np.testing.assert_allclose(payoffs(4)[:2], payoffs(2), rtol=1e-12)


@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_rows_of_a_vector_follow_their_own_seeds(autoreset: str) -> None:
    def observed(seeds: Any, rows: int) -> Any:
        env = gymnasium.make_vec(
            f"coopgym/{GAME}", rows, partners="Random", view="full", max_steps=6, autoreset_mode=autoreset
        )
        seen = [env.reset(seed=seeds)[0]]
        seen += [env.step(np.full((rows, 1), 0.2))[0] for _ in range(20)]
        return np.stack(seen, axis=1)

    by_seed = {seed: observed([seed], 1)[0] for seed in (5, 6, 11)}
    np.testing.assert_allclose(observed(5, 2), [by_seed[5], by_seed[6]], rtol=1e-6)
    np.testing.assert_allclose(observed([11, 5, 6], 3), [by_seed[seed] for seed in (11, 5, 6)], rtol=1e-6)

    single = gymnasium.make(f"coopgym/{GAME}", partners="Random", view="full", max_steps=6).unwrapped
    first = [single.reset(seed=11)[0], *(single.step(np.array([0.2]))[0] for _ in range(5))]
    np.testing.assert_allclose(first, by_seed[11][:6], rtol=1e-6)


@pytest.mark.parametrize("make", [gymnasium.make, lambda *args, **keywords: gymnasium.make_vec(*args, 1, **keywords)])
def test_a_refused_reset_leaves_the_generator_where_it_was(make: Any) -> None:
    env = make(f"coopgym/{GAME}", partners="Random").unwrapped
    env.reset(seed=1)
    before = env.np_random.bit_generator.state
    for refused in (
        {"seed": 2, "options": {"unknown": 1}},
        {"seed": 2, "options": {"initial_trust": 7.0}},
        {"seed": -1},
    ):
        with pytest.raises(ValueError, match=r"unknown|initial_trust|seed"):
            env.reset(**refused)
        assert env.np_random.bit_generator.state == before
