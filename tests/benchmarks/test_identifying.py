"""An agent that finds out whom it is among: what it earns, what it tells apart, and that episodes are on their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from coopgym.agents import Agent, Seat, make_agent
from coopgym.agents.heuristics import Constant
from coopgym.benchmarks.strangers import Identifying, read_anchors
from coopgym.benchmarks.strangers.anchors import SEED
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
