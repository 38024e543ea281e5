"""What joint policies do when a partner defects for a while: strategies whose answer is known."""

from __future__ import annotations

from typing import Any

import pytest

from coopgym.agents import make_agent
from coopgym.benchmarks.audits import DefectionResponse, defection_responses
from coopgym.games.registry import make_game

STEPS = 40


def reactions(agent: str, id: str = "TrustDilemma-v1", **changes: Any) -> dict[tuple[int, int], DefectionResponse]:
    game = make_game(id, max_steps=STEPS)
    found = defection_responses(game, lambda: [make_agent(agent) for _ in range(game.n_agents)], "private", **changes)
    return {(each.seat, each.duration): each for each in found}


def test_every_seat_and_duration_is_probed() -> None:
    found = reactions("TitForTat", "AppleAppStore-v1", durations=(2, 5))
    assert [*found] == [(seat, duration) for seat in range(3) for duration in (2, 5)]
    assert all(each.first_step == STEPS // 4 for each in found.values())


def test_constants_do_not_answer() -> None:
    for each in reactions("Constant_60").values():
        assert (each.depth, each.recovery, each.forgiveness) == (0.0, 0, 1.0)


def test_grim_partners_never_forgive() -> None:
    for each in reactions("GrimTrigger").values():
        assert each.depth == pytest.approx(0.5)
        assert each.recovery is None
        assert each.forgiveness == 0.0
        assert each.gain < 0


def test_gradual_partners_punish_and_forgive() -> None:
    found = reactions("Gradual", durations=(1,), first_step=5)
    for each in found.values():
        assert each.depth == pytest.approx(0.5)
        assert each.recovery is not None
        assert 0 < each.recovery <= 12
        assert each.forgiveness == 1.0


def test_tit_for_tat_echoes_a_single_defection_for_ever() -> None:
    for each in reactions("TitForTat", durations=(1,)).values():
        assert each.depth == pytest.approx(0.5)
        assert each.recovery is None


def test_generous_partners_forgive_in_the_end() -> None:
    for each in reactions("GenerousTitForTat", durations=(1,), first_step=5).values():
        assert each.depth > 0.5
        assert each.forgiveness > 0.9


def test_cutting_back_without_an_answer_pays_alone() -> None:
    found = reactions("Constant_80", durations=(1, 3), level=0.3)[0, 3]
    assert found.gain > 0
    assert found.others_change < 0


def test_drawn_episodes_repeat_with_their_seed() -> None:
    one, again, another = (reactions("Random", "SynergySearch-v1", episodes=3, seed=seed)[0, 1] for seed in (1, 1, 2))
    assert one == again != another


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"durations": ()}, "at least one step"),
        ({"durations": (0,)}, "at least one step"),
        ({"durations": (STEPS,)}, "before the last"),
        ({"first_step": -1}, "at least one step"),
        ({"level": 1.2}, "share of endowment"),
        ({"episodes": 0}, "at least 1"),
    ],
)
def test_probes_that_do_not_fit_are_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        reactions("TitForTat", **changes)
