"""An agent that finds out whom it is among: what it earns, what it tells apart, and that episodes are on their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from coopgym.agents import Agent, Seat, make_agent
from coopgym.agents.heuristics import Constant
from coopgym.benchmarks.strangers import Identifying, identifying, read_anchors
from coopgym.benchmarks.strangers.anchors import SEED
from coopgym.benchmarks.strangers.identifying import CANDIDATES, PATIENCE, _near
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.strangers import population, scenarios
from coopgym.typing import FloatArray

GAME = "TrustDilemma-v1"
BEST_LEVEL = 38
"""The best single number among the strangers of this game, in hundredths."""


def shares(game: str, steps: int, agents: Sequence[Agent]) -> FloatArray:
    """What everybody plays, ``(T, N)``."""
    trajectory = play(make_game(game, max_steps=steps), agents, reward="private", views="own", record=True).trajectory
    assert trajectory is not None
    return trajectory.shares[:, 0]


@pytest.mark.slow
def test_among_a_stranger_it_closes_most_of_the_gap_between_the_best_number_and_a_best_response() -> None:
    strangers = population(GAME)
    met = next(each for each in scenarios(strangers) if each.partners == ("tit-for-tat-1.0",))
    anchor = read_anchors(strangers)[met.name]
    (row,) = met.run([Identifying()], 1, SEED)
    assert row["focal_return"] - anchor.constants[BEST_LEVEL] > 0.6 * (anchor.ceiling - anchor.constants[BEST_LEVEL])


def test_it_opens_alike_among_all_and_then_tells_who_answers() -> None:
    """Tit-for-tat and a constant that opens at the same level differ in nothing but their answer to the probe."""
    constant, answering = (
        shares(GAME, 12, [Identifying(), make_agent(name)])[:, 0] for name in ("Constant_50", "TitForTat")
    )
    assert (constant[0], constant[1] > constant[2]) == (answering[0], True)
    assert answering[4:10].min() > constant[4:10].max() + 0.1


def test_it_knows_others_like_itself_and_agrees_with_them() -> None:
    """Where four move as one, as much pays as is best for all; where three are constant, little does."""
    together = shares("TeamProduction-v1", 6, [Identifying() for _ in range(4)])
    alone = shares("TeamProduction-v1", 6, [Identifying(), *(Constant(0.3) for _ in range(3))])[:, 0]
    np.testing.assert_allclose(together, together[:, :1] + np.zeros(4), atol=1e-9)
    assert together[3, 0] > alone[3] + 0.3


def test_it_plans_anew_as_soon_as_others_are_not_who_they_seemed() -> None:
    """Whoever has given little and then gives much is answered before another plan is due."""
    steps, turn = 20, 12
    turning = make_agent(f"Changing(first=Constant(level=0.2), second=Constant(level=0.9), at={turn / steps})")
    changed, same = (shares(GAME, steps, [Identifying(), partner]) for partner in (turning, Constant(0.2)))
    own, other = (int(np.flatnonzero(changed[:, seat] != same[:, seat])[0]) for seat in (0, 1))
    assert other == turn
    assert turn < own < -(-turn // PATIENCE) * PATIENCE


def test_pulses_are_near_every_plan() -> None:
    plan, now = np.full((1, 9), 0.3), np.array([2])
    near = _near(plan, now, norm=0.2)
    assert near.shape == (1, CANDIDATES, 9)
    np.testing.assert_array_equal(near[:, 0], plan)
    assert (near[..., :2] == 0.3).all()
    for pulse in ([0.6, 0.3, 0.3, 0.6, 0.3, 0.3, 0.6], [0.3, 0.2, 0.3, 0.2, 0.3, 0.2, 0.3]):
        assert np.isclose(near[0, :, 2:], pulse).all(-1).any()


def test_those_who_see_the_same_share_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Residents cost as much as a visitor: what one of them has computed the others find."""
    computed: list[int] = []
    real = identifying.improved

    def counting(plan: FloatArray, now: npt.NDArray[np.int64], *rest: Any) -> FloatArray:
        computed.append(int(now[0]))
        return real(plan, now, *rest)

    monkeypatch.setattr(identifying, "_PLANS", {})
    shares("TeamProduction-v1", 6, [Identifying(), Constant(0.4), Constant(0.4), Constant(0.4)])
    monkeypatch.setattr(identifying, "improved", counting)
    shares("TeamProduction-v1", 6, [Identifying(), Identifying(), Identifying(), Constant(0.4)])
    assert computed == [1, 2, 3]


def test_an_episode_that_begins_anew_is_as_the_first() -> None:
    seat = Seat.of(make_game(GAME, max_steps=8), 0, "own", "private")
    seen = np.random.default_rng(0).random((3, seat.observation_size))

    def answers(agent: Identifying, rows: int) -> list[FloatArray]:
        return [agent.act(np.tile(observation, (rows, 1))) for observation in seen]

    fresh, used = Identifying(), Identifying()
    fresh.begin(seat, 1, np.random.default_rng(0))
    used.begin(seat, 2, np.random.default_rng(0))
    first = answers(fresh, 1)
    answers(used, 2)
    used.restart(np.array([True, False]))
    again = answers(used, 2)
    np.testing.assert_allclose([row[0] for row in again], [row[0] for row in first], rtol=1e-12)
    assert any(row[0] != row[1] for row in again)  # the other one goes on


def test_a_memory_that_never_ends_is_refused() -> None:
    with pytest.raises(ValueError, match=r"memory=1.0: expected a weight in \[0, 1\)"):
        Identifying(memory=1.0)
