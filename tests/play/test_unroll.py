"""Unrolling against the games' own steps, and totals against sums by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from coopgym.backend import torch_backend
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.state import map_arrays
from coopgym.play import (
    NOMINAL,
    CommonRandomNumbers,
    Engine,
    Seeded,
    Tape,
    Totals,
    expected_step,
    open_loop,
    state_after,
    unroll,
)
from coopgym.play.unroll import opened
from coopgym.rewards import MODES

HALF = 0.5


def held(game: AnyGame, share: Any = HALF) -> Any:
    return lambda t, state: np.broadcast_to(share * game.endowments, (*state.t.shape, game.n_agents))


def breaking() -> tuple[AnyGame, Any]:
    """A relation that breaks down, and a policy under which only the second of three rows breaks it down."""
    game = make_game("PartnerHoldUp-v1", end_on_dissolution=True, max_steps=40)
    shares = np.array([[0.9, 0.9], [0.0, 0.0], [0.2, 0.1]])
    return game, lambda t, state: shares * game.endowments


def test_steps_are_the_games_own() -> None:
    game = make_game("TrustDilemma-v1", max_steps=6)
    plan = np.random.default_rng(0).random((6, 2))
    steps = list(unroll(game, open_loop(game, plan), draws=NOMINAL, rewards=MODES["integrated"]))
    assert [step.t for step in steps] == [*range(6)]
    assert all(later.before is step.transition.state for step, later in pairwise(steps))
    for step in steps:
        assert step.alive is None
        transition = game.step(step.before, step.actions)
        np.testing.assert_array_equal(step.actions, plan[step.t] * game.endowments)
        np.testing.assert_array_equal(step.transition.payoffs, transition.payoffs)
        np.testing.assert_array_equal(step.rewards, MODES["integrated"](step))
    after = state_after(game, plan, steps[0].before)
    np.testing.assert_array_equal(after.trust, steps[-1].transition.state.trust)
    assert after.t == 6


def test_every_episode_counts_until_its_own_end() -> None:
    game, policy = breaking()
    totals = Totals.of(unroll(game, policy, batch=(3,), draws=NOMINAL), [*MODES.values()])
    assert totals.terminated.tolist() == [False, True, False]
    assert totals.lengths[0] == totals.lengths[2] == 40 > totals.lengths[1]
    for row in range(3):
        alone = Totals.of(
            unroll(game, lambda t, state, row=row: policy(t, state)[row], draws=NOMINAL), [*MODES.values()]
        )
        assert alone.lengths == totals.lengths[row]
        assert alone.terminated == totals.terminated[row]
        for name in MODES:
            np.testing.assert_allclose(alone.rewards[name], totals.rewards[name][row], rtol=1e-12)
        np.testing.assert_allclose(alone.payoffs, totals.payoffs[row], rtol=1e-12)
        np.testing.assert_allclose(alone.shares, totals.shares[row], rtol=1e-12)
        np.testing.assert_allclose(alone.welfare, totals.welfare[row], rtol=1e-12)
        np.testing.assert_allclose(alone.last.trust, totals.last.trust[row], rtol=1e-12)


def test_play_stops_when_nobody_is_left() -> None:
    game, policy = breaking()
    quitters = held(game, 0.0)
    steps = list(unroll(game, quitters, batch=(2,), draws=NOMINAL))
    assert steps[-1].transition.terminated.all()
    assert len(steps) < 40
    further = list(unroll(game, quitters, batch=(2,), draws=NOMINAL, past_end=True))
    assert len(further) == 40
    assert not further[-1].alive.any()
    assert (Totals.of(further).lengths == len(steps)).all()
    assert len(list(unroll(game, policy, batch=(3,), draws=NOMINAL, horizon=3))) == 3


def test_no_step_follows_the_horizon_unless_asked_for() -> None:
    game = make_game("SLCD-v1", max_steps=5)
    assert len(list(unroll(game, held(game), draws=NOMINAL, horizon=9))) == 5
    further = list(unroll(game, held(game), draws=NOMINAL, horizon=9, past_end=True))
    assert len(further) == 9
    assert Totals.of(further).lengths == 5


def test_states_of_several_times_share_a_batch() -> None:
    game = make_game("TrustDilemma-v1", max_steps=8)
    starts = [state_after(game, np.full((t, 2), 0.7), opened(game, NOMINAL)) for t in (0, 3, 7)]
    together = map_arrays(lambda *arrays: np.stack(arrays), *starts)
    totals = Totals.of(unroll(game, held(game), start=together, draws=NOMINAL), [MODES["private"]])
    assert totals.lengths.tolist() == [8, 5, 1]
    for row, start in enumerate(starts):
        alone = Totals.of(unroll(game, held(game), start=start, draws=NOMINAL), [MODES["private"]])
        np.testing.assert_allclose(totals.rewards["private"][row], alone.rewards["private"], rtol=1e-12)
        np.testing.assert_array_equal(totals.last.t[row], alone.last.t)


def test_totals_of_nothing_have_no_last_state() -> None:
    with pytest.raises(RuntimeError, match="no step has been added"):
        assert Totals().last


def test_the_engine_and_unrolling_play_the_same() -> None:
    game = make_game("SynergySearch-v1", payoff_noise=0.3, max_steps=7)
    engine = Engine(game, "integrated", (3,))
    engine.reset(5)
    for step in unroll(game, held(game), batch=(3,), draws=Seeded(range(5, 8)), rewards=MODES["integrated"]):
        np.testing.assert_array_equal(engine.state.gamma, step.before.gamma)  # type: ignore[attr-defined]  # hidden
        transition, rewards = engine.step(step.actions)
        np.testing.assert_array_equal(transition.payoffs, step.transition.payoffs)
        np.testing.assert_array_equal(rewards, step.rewards)


def test_common_random_numbers_recur() -> None:
    game = make_game("SynergySearch-v1", payoff_noise=0.3, max_steps=4)
    seeded = list(unroll(game, held(game), batch=(2,), draws=Seeded([8, 9])))
    common = list(unroll(game, held(game), batch=(6,), draws=CommonRandomNumbers(game, 8, 2)))
    for one, many in zip(seeded, common, strict=True):
        np.testing.assert_array_equal(np.tile(one.transition.payoffs, (3, 1)), many.transition.payoffs)
    assert (seeded[0].transition.payoffs[0] != seeded[0].transition.payoffs[1]).all()


def test_a_tape_is_played_as_written() -> None:
    game = make_game("SynergySearch-v1", payoff_noise=0.3, max_steps=2)
    tape = Tape(np.array([0.25]), np.empty(0), np.array([[0.0, 0.0], [1.0, -1.0]]))
    low, high = game.parameters.gamma_range
    first, second = unroll(game, held(game), draws=tape)
    assert first.before.gamma == pytest.approx(low + 0.25 * (high - low))  # type: ignore[attr-defined]  # hidden
    np.testing.assert_array_equal(first.transition.payoffs, expected_step(game, first.before, first.actions).payoffs)
    noise = second.transition.payoffs - expected_step(game, second.before, second.actions).payoffs
    assert noise[0] > 0 > noise[1]


def test_nominal_draws_are_medians() -> None:
    game = make_game("SynergySearch-v1")
    assert opened(game, NOMINAL).gamma == pytest.approx(np.mean(game.parameters.gamma_range))  # type: ignore[attr-defined]  # hidden


def test_totals_can_be_differentiated() -> None:
    torch = pytest.importorskip("torch")
    game = make_game("TrustDilemma-v1", torch_backend(dtype=torch.float64), max_steps=5)
    plan = torch.full((5, 2), 0.4, dtype=torch.float64, requires_grad=True)

    def welfare(shares: Any) -> Any:
        return Totals.of(unroll(game, open_loop(game, shares), draws=NOMINAL)).welfare

    (slope,) = torch.autograd.grad(welfare(plan), plan)
    for t, seat in ((0, 0), (3, 1)):
        moved = torch.zeros_like(plan)
        moved[t, seat] = 1e-6
        with torch.no_grad():
            difference = (welfare(plan + moved) - welfare(plan - moved)) / 2e-6
        assert float(slope[t, seat]) == pytest.approx(float(difference), rel=1e-5)
