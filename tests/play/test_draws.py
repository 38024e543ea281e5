"""Chance of plays: streams that are drawn from ahead of time give what single draws give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import coopgym
from coopgym.games.game import AnyGame
from coopgym.play import Seeded
from coopgym.play import draws as draws_module
from coopgym.typing import BoolArray, FloatArray

SEEDS = [3, 1, 4]


def noisy(horizon: int = 100, world: str = "shifting") -> AnyGame:
    return coopgym.make_game("TrustDilemma-v1", payoff_noise=0.1, world=world, max_steps=horizon)


def one_by_one(game: AnyGame, script: list[tuple[str, BoolArray]]) -> Iterator[FloatArray]:
    """What a script of resets and steps of some rows draws, one call of a stream for each."""
    streams = [np.random.default_rng(seed) for seed in SEEDS]
    for event, rows in script:
        count = game.reset_uniforms if event == "reset" else game.step_normals
        drawn = np.zeros((len(SEEDS), count))
        for row in np.flatnonzero(rows):
            drawn[row] = streams[row].random(count) if event == "reset" else streams[row].standard_normal(count)
        yield drawn


@pytest.mark.parametrize("horizon", [1, 7, 64, 100])
@pytest.mark.parametrize("world", ["private", "shifting"])
def test_rows_that_reset_and_pause_at_any_time_meet_single_draws(horizon: int, world: str) -> None:
    game, rng = noisy(horizon, world), np.random.default_rng(5)
    kinds = rng.choice(["reset", "step"], size=400, p=[0.05, 0.95])
    script = [("reset", np.ones(3, dtype=bool)), *((kind, rng.random(3) < 0.8) for kind in kinds)]
    chance = Seeded(SEEDS)
    for (event, rows), expected in zip(script, one_by_one(game, script), strict=True):
        drawn = chance.reset(game, (3,), rows)[0] if event == "reset" else chance.step(game, 0, (3,), rows)
        np.testing.assert_array_equal(drawn, expected)


def test_streams_follow_a_game_that_takes_other_numbers() -> None:
    few, many = noisy(world="private"), noisy()
    chance, stream = Seeded([2]), np.random.default_rng(2)
    for game in (few, few, many, few):
        np.testing.assert_array_equal(chance.step(game, 0, ()), stream.standard_normal(game.step_normals))


def test_what_is_kept_of_steps_to_come_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws_module, "NUMBERS_AHEAD", 1)
    game, chance = noisy(), Seeded(SEEDS)
    streams = [np.random.default_rng(seed) for seed in SEEDS]
    for t in range(3):
        expected = [stream.standard_normal(game.step_normals) for stream in streams]
        np.testing.assert_array_equal(chance.step(game, t, (3,)), expected)
    assert chance._ahead is not None
    assert chance._ahead._numbers.size == len(SEEDS) * game.step_normals


def test_numbers_that_were_handed_out_stay() -> None:
    game, chance = noisy(horizon=2), Seeded(SEEDS)
    first = chance.step(game, 0, (3,))
    kept = np.array(first)
    for t in range(1, 5):
        chance.step(game, t, (3,))
    np.testing.assert_array_equal(first, kept)
