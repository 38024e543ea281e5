"""Scenarios: who plays whom, and one row per episode."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from coopgym.agents import make_agent
from coopgym.agents.heuristics import Constant
from coopgym.games.registry import make_game
from coopgym.play import Scenario, play

RESIDENTS = Scenario(
    name="one visitor among reciprocators",
    game="TeamProduction-v1",
    focal_seats=(2,),
    background=("TitForTat",),
    reward="private",
    parameters={"max_steps": 10},
    tags=frozenset({"reciprocity"}),
)


def test_rows_show_focal_and_background_side_by_side() -> None:
    rows = RESIDENTS.run([Constant(0.9)], episodes=2, seed=3)
    agents = [make_agent("Constant_90" if seat == 2 else "TitForTat") for seat in range(4)]
    expected = play(make_game("TeamProduction-v1", max_steps=10), agents, views="own", episodes=2, seed=3)
    assert [row["episode"] for row in rows] == [0, 1]
    row = rows[1]
    assert row["scenario"] == RESIDENTS.name
    assert (row["game"], row["reward"], row["length"]) == ("TeamProduction-v1", "private", 10)
    assert row["focal_payoff"] == pytest.approx(expected.payoffs[1, 2])
    assert row["focal_return"] == pytest.approx(expected.returns["private"][1, 2])
    assert row["focal_cooperation"] == pytest.approx(0.9)
    assert row["background_payoff"] == pytest.approx(expected.payoffs[1, [0, 1, 3]].mean())
    assert row["background_cooperation"] == pytest.approx(expected.cooperation[1, [0, 1, 3]].mean())
    assert row["welfare"] == pytest.approx(expected.payoffs[1].sum())
    assert row["final_trust"] == pytest.approx(expected.final["mean_trust"][1])


def test_background_agents_take_the_other_seats_in_order() -> None:
    scenario = Scenario("mix", "AppleAppStore-v1", (1,), ("Constant_10", "Constant_70"), parameters={"max_steps": 3})
    rows = scenario.run([Constant(1.0)])
    assert rows[0]["background_cooperation"] == pytest.approx((0.1 + 0.7) / 2)


def test_everybody_may_be_focal() -> None:
    scenario = Scenario("self-play", "TrustDilemma-v1", (0, 1), (), parameters={"max_steps": 3})
    row = scenario.run([Constant(0.2), Constant(0.4)])[0]
    assert row["focal_cooperation"] == pytest.approx(0.3)
    assert row["background_payoff"] is None


def test_the_order_of_focal_seats_is_the_order_of_focal_agents() -> None:
    scenario = Scenario("swapped", "PartnerHoldUp-v1", (1, 0), (), parameters={"max_steps": 3})
    seated = play(make_game("PartnerHoldUp-v1", max_steps=3), [Constant(0.8), Constant(0.1)])
    row = scenario.run([Constant(0.1), Constant(0.8)])[0]
    assert row["welfare"] == pytest.approx(seated.payoffs[0].sum())


def test_runs_repeat() -> None:
    scenario = dataclasses.replace(RESIDENTS, background=("Random",))
    assert scenario.run([Constant()], seed=1) == scenario.run([Constant()], seed=1)
    assert scenario.run([Constant()], seed=1) != scenario.run([Constant()], seed=2)


def test_scenarios_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RESIDENTS.reward = "cooperative"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"focal_seats": ()}, r"focal_seats=\(\) must be distinct seats of TeamProduction-v1, 0 to 3"),
        ({"focal_seats": (0, 0)}, "must be distinct seats"),
        ({"focal_seats": (4,)}, "must be distinct seats"),
        ({"background": ("TitForTat", "Random")}, "expected one background agent or 3, got 2"),
        ({"background": ()}, "expected one background agent or 3, got 0"),
        ({"reward": "selfish"}, "unknown reward 'selfish'"),
        ({"game": "TeamProductoin-v1"}, "did you mean 'TeamProduction-v1'"),
    ],
)
def test_scenarios_that_cannot_be_played_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RESIDENTS, **change)


def test_the_number_of_focal_agents_must_fit() -> None:
    with pytest.raises(ValueError, match="expected 1 focal agents, got 2"):
        RESIDENTS.run([Constant(), Constant()])


def test_an_unknown_background_agent_is_named_when_the_scenario_runs() -> None:
    with pytest.raises(ValueError, match="did you mean 'TitForTat'"):
        dataclasses.replace(RESIDENTS, background=("TitForTatt",)).run([Constant()])


def test_rewards_are_recorded_under_their_canonical_name() -> None:
    row = dataclasses.replace(RESIDENTS, reward="mutuality=0.50").run([Constant()])[0]
    assert row["reward"] == "mutuality=0.5"
