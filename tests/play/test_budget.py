"""Episodes with a budget: nothing is overdrawn, and what is short is what the game says."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.backend import Array
from coopgym.games.registry import make_game
from coopgym.games.state import State
from coopgym.play import NOMINAL, Totals, WithinBudget, unroll
from coopgym.play.budget import diagnostic, effort, trust_lost


def test_rows_of_a_batch_have_budgets_of_their_own() -> None:
    game = make_game("TeamProduction-v1", max_steps=10)
    shares = np.array([0.1, 0.5])[:, None] * np.ones(game.n_agents)

    def policy(t: int, state: State) -> Array:
        return shares * game.endowments

    budgeted = WithinBudget(game, policy, effort(0), budget=2.0, seats=[0])
    played = np.array([step.actions / game.endowments for step in unroll(game, budgeted, batch=(2,), draws=NOMINAL)])
    assert played[:, :, 0].sum(0) == pytest.approx([1.0, 2.0])
    assert played[:, 1, 0] == pytest.approx([0.5] * 4 + [0.0] * 6)
    assert played[:, :, 1:] == pytest.approx(np.broadcast_to(shares[:, 1:], (10, 2, game.n_agents - 1)))
    assert budgeted.left == pytest.approx([1.0, 0.0])
    assert budgeted.going.tolist() == [True, False]


def test_trust_is_a_consumable() -> None:
    game = make_game("RecoveryRace-v1")
    budgeted = WithinBudget(game, lambda t, state: 0.1 * game.endowments, trust_lost(0), budget=0.1, rest=0.6)
    lost = [float(trust_lost(0)(step)) for step in unroll(game, budgeted, draws=NOMINAL)]
    assert 0.0 < sum(lost) <= 0.1 + 1e-9
    alone = Totals.of(unroll(game, lambda t, state: 0.1 * game.endowments, draws=NOMINAL))
    kept = Totals.of(unroll(game, budgeted, draws=NOMINAL))
    assert kept.last.trust[1, 0] > alone.last.trust[1, 0]


def test_sanctions_are_read_from_diagnostics() -> None:
    game = make_game("GraduatedSanction-v1", max_steps=20)
    free = WithinBudget(game, lambda t, state: 0.0 * game.endowments, diagnostic("fines", 0), budget=1e9)
    fined = sum(float(diagnostic("fines", 0)(step)) for step in unroll(game, free, draws=NOMINAL))
    assert 1e9 - float(free.left) == pytest.approx(fined, abs=1e-6)
    missing = WithinBudget(game, lambda t, state: game.endowments, diagnostic("praise"), budget=1.0)
    with pytest.raises(ValueError, match="has no diagnostic 'praise'; it has"):
        next(unroll(game, missing, draws=NOMINAL))


def test_bad_input_is_refused_with_reasons() -> None:
    game = make_game("TrustDilemma-v1")
    for wrong, reason in (({"budget": -1.0}, "budget=-1"), ({"rest": 2.0}, "rest=2"), ({"seats": [5]}, "seats=")):
        with pytest.raises(ValueError, match=reason):
            WithinBudget(game, lambda t, state: game.endowments, effort(0), **({"budget": 1.0} | wrong))  # type: ignore[arg-type]
