"""Tasks: drawn, opened as often as one likes, judged by the oracle."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.llm.play.reference_actions import DELTA, graded
from coopgym.algorithms.llm.play.tasks import Judgement, Task, TaskSettings
from coopgym.interfaces.text import Rules, SeatOutcome

ASYMMETRIC = TaskSettings("PartnerHoldUp-v1", reward="integrated", decisions=2)
LEVELS = st.none() | st.integers(0, 100).map(lambda percent: percent / 100)


def task(**changes: object) -> Task:
    return Task(dataclasses.replace(ASYMMETRIC, **changes), seat=1, partner="Constant_50", start=3, seed=5)


def played(where: Task, *levels: float) -> SeatOutcome:
    match = where.open()
    for level in levels:
        match.send(where.seat, f"submit {level:.2f}")
    assert match.finished
    return match.outcome(where.seat)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=30)
def test_drawn_tasks_lie_within_the_settings(seed: int) -> None:
    drawn = ASYMMETRIC.draw(np.random.default_rng(seed))
    assert drawn == ASYMMETRIC.draw(np.random.default_rng(seed))
    assert drawn.seat in (0, 1)
    assert drawn.partner in ASYMMETRIC.partners
    assert 0 <= drawn.start <= ASYMMETRIC.latest_start
    assert drawn.reachable


def test_a_short_game_starts_early_enough_for_all_decisions() -> None:
    short = TaskSettings("TrustDilemma-v1", parameters={"max_steps": 5}, decisions=4)
    starts = {short.draw(np.random.default_rng(seed)).start for seed in range(20)}
    assert starts == {0, 1}


def test_every_opening_of_a_task_is_the_same() -> None:
    where = task()
    first = played(where, 0.3, 0.6)
    assert where.open().prompt(1) == task().open().prompt(1)
    again = played(where, 0.3, 0.6)
    assert np.array_equal(first.payoffs, again.payoffs)
    assert np.array_equal(first.rewards, played(task(), 0.3, 0.6).rewards)


def test_the_gold_level_is_the_seat_s_own() -> None:
    assert task().gold != dataclasses.replace(task(), seat=0).gold
    assert task().gold == ASYMMETRIC.gold(4, 1)


@given(st.tuples(LEVELS, LEVELS))
def test_graded_outcomes_are_mean_grades(answers: tuple[float | None, float | None]) -> None:
    where = task()
    nothing = np.zeros(2)
    outcome = SeatOutcome(nothing, nothing, np.zeros((2, 2)), nothing, nothing)
    found = where.judge(outcome, answers)
    grades = [0.0 if level is None else graded(level, where.gold) for level in answers]
    assert found.outcome == pytest.approx(np.mean(grades))
    assert found.correct == all(level is not None and abs(level - where.gold) <= DELTA + 1e-9 for level in answers)
    assert task(outcome="final").judge(outcome, answers).outcome == pytest.approx(grades[-1])


@pytest.mark.parametrize("kind", ["payoff", "welfare"])
def test_payoff_outcomes_lie_between_disagreement_and_optimum(kind: str) -> None:
    where = task(outcome=kind, reward="cooperative", decisions=1)
    worths = [where.judge(played(where, level), (level,)).outcome for level in (0.0, 0.5, 1.0)]
    assert all(0.0 <= worth <= 1.0 for worth in worths)
    assert len(set(worths)) > 1


def test_disagreement_pays_less_than_the_optimum_where_cooperation_is_an_investment() -> None:
    for game in ("PartnerHoldUp-v1", "TrustDilemma-v1"):
        settings = TaskSettings(game, reward="cooperative")
        (payoffs, rewards), (best_payoffs, best_rewards) = settings.disagreement, settings.ideal
        assert payoffs.sum() < best_payoffs.sum()
        assert (rewards < best_rewards).all()
        assert rewards == pytest.approx(payoffs.mean())


def test_playing_the_optimum_from_the_opening_earns_the_ideal() -> None:
    settings = TaskSettings("TrustDilemma-v1", partners=("Oracle_SocialOptimum",), reward="cooperative", decisions=100)
    where = Task(settings, seat=0, partner="Oracle_SocialOptimum", start=0, seed=0)
    outcome = played(where, *(round(settings.gold(step, 0), 2) for step in range(100)))
    assert outcome.rewards.mean() == pytest.approx(settings.ideal[1][0], rel=5e-3)


def test_penalties_are_taken_from_the_outcome() -> None:
    where = task(decisions=1, rules=Rules(on_invalid="penalty", penalty=0.25))
    match = where.open()
    match.send(1, "what?")
    fallback = match.outcome(1)
    gold = where.gold
    assert where.judge(fallback, (gold,)).outcome == pytest.approx(1.0 - 0.25)
    assert where.judge(fallback, (None,)) == Judgement(0.0, False)


def test_settings_are_json() -> None:
    json.dumps(ASYMMETRIC.values())
    assert ASYMMETRIC.values()["rules"]["max_turns"] == Rules().max_turns


def test_names_tell_tasks_apart() -> None:
    where = task()
    others = [dataclasses.replace(where, **{name: value}) for name, value in (("seat", 0), ("start", 4), ("seed", 6))]
    assert len({each.uid for each in (where, *others)}) == 4
    assert len({each.cluster for each in (where, *others)}) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"game": "TrustDilema-v1"}, "did you mean"),
        ({"parameters": {"max_stepz": 3}}, "max_stepz"),
        ({"reward": "selfish"}, "selfish"),
        ({"reward": "mutuality=0.5"}, "has no oracle of its own"),
        ({"view": "bird"}, "bird"),
        ({"partners": ()}, "partners is empty; expected at least one agent"),
        ({"partners": ("TitForTatt",)}, "did you mean 'TitForTat'"),
        ({"decisions": 0}, "decisions=0: TrustDilemma-v1 has 1 to 100"),
        ({"decisions": 101}, "decisions=101: TrustDilemma-v1 has 1 to 100"),
        ({"latest_start": -1}, "latest_start=-1: expected at least 0"),
        ({"dialect": "latin"}, "unknown dialect 'latin'"),
        ({"outcome": "fame"}, "outcome='fame': expected one of graded, final, payoff, welfare"),
        ({"oracle": "Oracle_X"}, "unknown oracle 'Oracle_X'"),
        ({"oracle": "Oracle_BoundedReciprocity"}, "does not apply to TrustDilemma-v1"),
    ],
)
def test_settings_that_do_not_fit_are_told(changes: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        TaskSettings(**{"game": "TrustDilemma-v1", **changes})
