"""The two ends of the score in worlds: what one level earns that knows nothing, and what the informed earn."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic import informed
from coopgym.oracles.dynamic.informed import (
    InformedPlans,
    best_uninformed,
    constant_returns,
    drawn_states,
    informed_levels,
    informed_plans,
    known_plans,
    welfare_score,
)
from coopgym.oracles.dynamic.world_scores import WorldAnchors, world_anchors, world_score
from coopgym.oracles.games.rollout import plan_returns
from coopgym.play import play
from coopgym.rewards import MODES
from coopgym.typing import FloatArray
from coopgym.worlds import TEST_SEEDS

GAME = make_game("PublicGoods-v1", world="common")
"""A quick one: concave, and all seats alike."""
LEVELS = np.linspace(0.0, 1.0, 101)


@pytest.fixture(scope="module")
def anchors() -> WorldAnchors:
    return world_anchors(GAME, TEST_SEEDS[:32])


def test_the_score_is_a_ratio_of_sums() -> None:
    uninformed, best = np.array([6.0, 8.0, 1.0]), np.array([10.0, 9.0, 1.0])
    assert welfare_score(uninformed, uninformed, best) == 0.0
    assert welfare_score(best, uninformed, best) == 1.0
    assert welfare_score(np.array([8.0, 9.0, 1.0]), uninformed, best) == pytest.approx(0.6)
    assert welfare_score(np.array([6.0, 8.0, 0.5]), uninformed, best) == pytest.approx(-0.1)


def test_no_constant_scores_above_the_best_uninformed_level(anchors: WorldAnchors) -> None:
    openings = drawn_states(GAME, anchors.seeds)
    held = constant_returns(GAME, openings, np.repeat(LEVELS[:, None], GAME.n_agents, axis=1)).sum(-1)
    scores = [welfare_score(welfare, anchors.uninformed.welfare, anchors.informed) for welfare in held]
    assert -0.001 < max(scores) < 0.02
    assert min(scores) < -1.0
    best = make_agent("Constant", level=float(anchors.uninformed.levels[0]))
    others = [make_agent("Constant", level=float(level)) for level in anchors.uninformed.levels[1:]]
    assert world_score(GAME, [best, *others], anchors) == pytest.approx(0.0, abs=1e-12)


def test_the_informed_plan_scores_one(anchors: WorldAnchors) -> None:
    agents = [make_agent("Oracle_InformedPlan") for _ in range(GAME.n_agents)]
    assert world_score(GAME, agents, anchors, views="full") == pytest.approx(1.0, abs=1e-6)


def test_in_a_shifting_world_both_ends_meet_the_shifts_that_agents_meet() -> None:
    game = make_game("PublicGoods-v1", world="shifting", max_steps=20)
    ends = world_anchors(game, range(50, 56))
    played = play(
        game,
        [make_agent("Constant", level=float(level)) for level in ends.uninformed.levels],
        reward="private",
        episodes=6,
        seed=50,
    )
    np.testing.assert_allclose(played.payoffs.sum(-1), ends.uninformed.welfare, rtol=1e-12)
    agents = [make_agent("Oracle_InformedPlan") for _ in range(game.n_agents)]
    assert world_score(game, agents, ends, views="full") == pytest.approx(1.0, abs=1e-6)
    unshifted = constant_returns(game, drawn_states(game, ends.seeds), ends.uninformed.levels[None])[0].sum(-1)
    assert np.abs(unshifted - ends.uninformed.welfare).max() > 1.0


def test_levels_of_each_draw_are_best_among_all_pairs_of_levels() -> None:
    game = make_game("SLCD-v1", world="private", max_steps=20)
    openings = drawn_states(game, range(6))
    pairs = np.array(list(product(LEVELS[::4], repeat=2)))
    grid = constant_returns(game, openings, pairs).sum(-1).max(0)
    found = constant_returns(game, openings, informed_levels(game, openings)[None])[0].sum(-1)
    assert (found > grid - 2e-3 * np.abs(grid)).all()
    together = informed_levels(game, openings, [[0, 1]])
    assert (together[:, 0] == together[:, 1]).all()
    assert (constant_returns(game, openings, together[None])[0].sum(-1) <= found + 1e-9).all()


def test_the_best_uninformed_level_beats_all_others_on_average_and_none_beats_the_informed_one() -> None:
    game = make_game("TrustDilemma-v1", world="common", max_steps=30)
    openings = drawn_states(game, range(20))
    best = best_uninformed(game, openings)
    assert best.levels[0] == best.levels[1]
    held = constant_returns(game, openings, np.repeat(LEVELS[:, None], 2, axis=1)).sum(-1)
    assert best.welfare.mean() >= held.mean(-1).max() - 1e-9
    own = constant_returns(game, openings, informed_levels(game, openings)[None])[0].sum(-1)
    assert (own >= held.max(0) - 1e-9).all()


def test_plans_earn_what_they_say_and_no_less_than_the_levels() -> None:
    game = make_game("PublicGoods-v1", world="private", max_steps=25)
    openings = drawn_states(game, range(5))
    plans = informed_plans(game, openings)
    (returns,) = plan_returns(game, openings, plans.shares, [MODES["private"]])
    np.testing.assert_allclose(returns.sum(-1), plans.welfare, rtol=1e-9)
    levels = constant_returns(game, openings, informed_levels(game, openings)[None])[0].sum(-1)
    assert (plans.welfare >= levels - 1e-9).all()
    assert (plans.welfare > levels + 1.0).sum() >= 4


def test_every_draw_is_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[FloatArray] = []

    def found(game: object, states: object) -> InformedPlans:
        draws: FloatArray = states.synergy_factor  # type: ignore[attr-defined]  # states of a world have it
        asked.append(draws)
        return InformedPlans(np.tile(draws[:, None], (3, 1, 5)), draws, draws)

    monkeypatch.setattr(informed, "informed_plans", found)
    monkeypatch.setattr(informed, "_PLANS", {})
    openings = drawn_states(GAME, [1, 2, 1])
    first = known_plans(GAME, openings)
    np.testing.assert_array_equal(first[0, :, 0], openings.synergy_factor)
    rounded = replace(openings, synergy_factor=openings.synergy_factor.astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(known_plans(GAME, rounded), first)
    known_plans(GAME, drawn_states(GAME, [2, 3]))
    assert [len(draws) for draws in asked] == [2, 1]


def test_seeds_follow_each_other() -> None:
    with pytest.raises(ValueError, match="expected consecutive ones"):
        world_anchors(GAME, range(0, 8, 2))
