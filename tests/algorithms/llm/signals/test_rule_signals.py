import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.llm.method.signals import PairJudge, SelfDiff, StepModel, TraceMatcher, WelfareReward
from coopgym.algorithms.llm.method.signals.comparators import COMPARATORS
from coopgym.algorithms.llm.method.signals.steps import Bracket, decision_scores
from coopgym.algorithms.llm.method.signals.welfare import estimates
from coopgym.algorithms.llm.play.trajectories import Group, Match, ToolCall, Turn
from coopgym.algorithms.llm.training.demonstrations import demonstrations
from tests.algorithms.llm.parrot import Parrot, batch, group, played, services, task

LEVELS = st.integers(0, 100).map(lambda percent: percent / 100)


def asked(own: float, ok: bool = True) -> Turn:
    return Turn(0, 0, "tool", (ToolCall("payoff", {"own": own, "partner": 0.5}, ok),), "")


def submitted(level: float) -> Turn:
    return Turn(0, 0, "answer", (ToolCall("submit", {"level": level}),))


def test_halving_the_bracket_is_perfect_and_asking_outside_it_is_an_error():
    turns = [asked(0.4), asked(0.7), asked(0.2), asked(0.6), asked(0.55), submitted(0.6)]
    scores = decision_scores(turns, 0.6, 9)
    # [-.05, 1.05] -> .4 -> .7 halves and more -> .2 is outside -> .6 hits -> hit before
    assert scores[0] == pytest.approx((1 + 4 * (1 - 0.65 / 1.1)) / 3)
    assert scores[1:] == pytest.approx([1.0, 1 / 3, 1.0, 1 / 3, 1.0])


def test_repeated_failed_and_empty_turns_are_errors():
    other = Turn(0, 0, "other", (), "")
    scores = decision_scores([asked(0.5), asked(0.5), asked(0.3, ok=False), other, submitted(0.5)], 0.6, 9)
    assert scores[1:4].tolist() == [0.0, 0.0, 0.0]
    assert scores[4] == pytest.approx(0.5 * 0.6)  # near, but a miss is always an error


def test_using_up_the_last_turn_without_an_answer_is_an_error():
    assert decision_scores([asked(0.5), asked(0.75)], 0.9, 2)[1] == 0.0
    assert decision_scores([asked(0.5), asked(0.75)], 0.9, 3)[1] > 0.5


@settings(max_examples=50)
@given(LEVELS, st.lists(LEVELS, max_size=6))
def test_the_bracket_never_loses_the_level_nor_widens(gold, tried):
    bracket = Bracket()
    for level in tried:
        narrower = bracket.narrowed(gold, [level])
        assert narrower.low <= gold <= narrower.high
        assert narrower.width <= bracket.width
        bracket = narrower
    assert bracket == Bracket().narrowed(gold, tried)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_step_scores_are_in_the_unit_interval(seed):
    where = task()
    members = demonstrations(where.settings, Parrot(), 1, np.random.default_rng(seed))
    made = batch(Group(where, members))
    StepModel().annotate(made, services())
    for member in members:
        assert all(0.0 <= score <= 1.0 for score in member.signals["step_score"])
        assert len(member.signals["step_score"]) == len(member.signals["step_format"]) == len(member.turns)


def test_the_step_model_leaves_answers_out_where_asked_to():
    made = batch(group(task(), ["payoff .50 .25", "nonsense", "submit .50"]))
    signals = made.trajectories[0].signals
    StepModel(answers=False).annotate(made, services())
    assert signals["step_score"] == [1.0, 0.0, None]
    assert signals["step_format"].tolist() == [True, False, True]
    StepModel().annotate(made, services())
    assert signals["step_score"][2] == pytest.approx(1.0, abs=0.02)


def test_a_scripted_rollout_matches_its_trace_and_other_tools_match_nothing():
    trace = [
        "observe\npartner_history 3",
        "payoff .40 .25\npayoff .60 .25",
        "payoff .51 .25",
        "best_response .25",
        "submit .50",
    ]
    where = task()
    made = batch(
        group(where, trace, ["trust_report", "submit .90"], ["payoff .90 .90", "nonsense"], ["simulate .40,.44 3"])
    )
    TraceMatcher().annotate(made, services())
    rewards = [[row.tolist() for row in member.signals["call_reward"]] for member in made.trajectories]
    assert rewards[0] == [[1.0, 1.0], [1.0, 1.0], [1.0], [1.0], [1.0]]
    assert rewards[1] == [[0.0], [pytest.approx(2 / 3)]]
    assert rewards[2] == [[0.5], [0.0]]
    assert rewards[3] == [[1.0]]  # the trace that simulates; lists are as good as their means


def test_traces_are_those_of_each_decision():
    where = task(decisions=2)
    made = batch(Group(where, [played(where, "submit .50", "best_response .25", "observe", "submit .50")]))
    TraceMatcher(matching="greedy").annotate(made, services())
    assert [row.tolist() for row in made.trajectories[0].signals["call_reward"]] == [[1.0]] * 4
    with pytest.raises(ValueError, match="matching"):
        TraceMatcher(matching="nearest")


def test_ranks_follow_payoffs_and_flat_groups_teach_nothing():
    where = task()
    made = batch(group(where, ["submit .90"], ["submit .10"], ["submit .50"], ["submit .30"]), Group(where, []))
    PairJudge(comparator="payoff").annotate(made, services())
    payoffs = [member.payoffs[0] for member in made.trajectories]
    ranks = [member.signals["rank_adv"] for member in made.trajectories]
    assert np.argsort(payoffs).tolist() == np.argsort(ranks).tolist()
    assert sum(ranks) == pytest.approx(0.0, abs=1e-9)
    flat = batch(group(where, ["submit .50"], ["submit .50"]), group(where, ["submit .50"]))
    PairJudge().annotate(flat, services())
    assert [member.signals["rank_adv"] for member in flat.trajectories] == [0.0] * 3


@pytest.mark.parametrize("kind", ["single_elimination", "round_robin", "anchor"])
def test_noise_hides_small_differences(kind):
    where = task()
    made = batch(group(where, ["submit .50"], ["submit .51"], ["submit .52"]))
    PairJudge(kind=kind, comparator="welfare").annotate(made, services())
    assert any(member.signals["rank_adv"] for member in made.trajectories)
    PairJudge(kind=kind, comparator="welfare", noise=1.0).annotate(made, services())
    assert not any(member.signals["rank_adv"] for member in made.trajectories)


def test_a_judge_may_be_any_function_of_a_group():
    made = batch(group(task(), ["submit .50"], ["submit .60"]))
    PairJudge(comparator=lambda group: np.array([[0.0, 1.0], [2.0, 0.0]])).annotate(made, services())
    assert [member.signals["rank_adv"] > 0 for member in made.trajectories] == [False, True]
    assert made.trajectories[1].signals["scores"].tolist() == [2.0, 0.0]
    with pytest.raises(ValueError, match="comparator"):
        PairJudge(comparator="taste")


def test_the_rubric_prefers_evidence_to_guesses():
    table = COMPARATORS["rubric"](
        group(
            task(), ["payoff .50 .25", "submit .52"], ["submit .50"], ["observe", "observe"], ["nonsense", "submit .5"]
        )
    )
    assert table[:, 0].tolist() == [2.0, pytest.approx(1.2), pytest.approx(0.4), pytest.approx(0.8)]


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative"])
def test_rewards_are_those_of_the_mode_in_force(mode):
    where = task(reward=mode, decisions=2)
    made = group(where, ["submit .90", "submit .20"], ["nonsense", "submit .10", "submit .30"])
    made.members.append(played(where))
    table = COMPARATORS["reward"](made)
    for row, levels in zip(table, ((0.9, 0.2), (0.1, 0.3)), strict=False):
        match = where.open()
        for level in levels:
            match.send(0, f"submit {level}")
        assert row == pytest.approx(2.0 * match.outcome(0).rewards.mean())
    assert (table[2] < table[:2].min()).all()


def test_play_is_a_meeting_in_both_seats():
    where = task(reward="private")
    made = group(where, ["submit .90"], ["submit .10"], ["observe"])
    made.members[2].levels = ()
    table = COMPARATORS["play"](made)
    stage = where.open().dialogue(0).memory.world_model.stage
    as_first, as_second = stage(np.array([[0.9, 0.1], [0.1, 0.9]]))[0]
    assert table[0, 1] == pytest.approx(as_first[0] + as_second[1])
    assert table[1, 0] == pytest.approx(as_first[1] + as_second[0])
    assert table[1, 0] > table[0, 1]
    assert (table[2] < table[:2].min()).all()


def test_matches_that_were_played_count():
    made = group(task(), ["submit .90"], ["submit .10"])
    made.matches = [Match((0, 1), (1.0, 3.0)), Match((1, 0), (5.0, 3.0))]
    assert COMPARATORS["play"](made).tolist() == [[4.0, 4.0], [8.0, 8.0]]
    made.matches = []
    made.members.append(made.members[0])
    made.matches = [Match((0, 1), (1.0, 3.0))]
    with pytest.raises(ValueError, match="not all members"):
        COMPARATORS["play"](made)


def test_welfare_lies_between_disagreement_and_the_social_optimum():
    where = task()
    ideal, disagreement = where.settings.ideal[0], where.settings.disagreement[0]
    made = batch(group(where, ["submit .50"], ["submit .50"], ["nonsense", "submit .50"]), step=1000)
    good, bad, broken = made.trajectories
    good.payoffs, bad.payoffs, broken.payoffs = ideal, disagreement, ideal
    WelfareReward().annotate(made, services())
    assert good.signals["welfare"] == pytest.approx(1.0, abs=1e-3)
    assert bad.signals["welfare"] == pytest.approx(1e-4)
    assert broken.signals["welfare"] == 0.0
    assert good.signals["utility"].tolist() == [1.0, 1.0]
    made.step = 50
    WelfareReward().annotate(made, services())
    assert bad.signals["welfare"] == pytest.approx(0.02505)


def test_good_estimates_are_worth_something():
    where = task()
    memory = where.open().dialogue(0).memory
    truth = [
        memory.world_model.stage(memory.profile(own, memory.others(0.25)))[1][0] / memory.payoff_unit
        for own in (0.2, 0.8)
    ]
    exact = "; ".join(f"expect {own} 25% = {pays:.4f}" for own, pays in zip((".20", ".80"), truth, strict=True))
    made = batch(
        group(where, [f"{exact} # submit .50"], ["expect .2 .2 = 9; expect .8 .2 = -9 # submit .50"], ["submit .50"])
    )
    WelfareReward().annotate(made, services())
    good, wild, none = (member.signals for member in made.trajectories)
    assert good["calibration"] == pytest.approx(1.0, abs=1e-3)
    assert wild["calibration"] == 0.0
    assert none["calibration"] is None
    assert good["welfare"] == pytest.approx(0.8 * none["welfare"] + 0.2, abs=1e-3)
    assert wild["welfare"] == pytest.approx(0.8 * none["welfare"])


@settings(max_examples=50)
@given(st.text(max_size=60) | st.from_regex(r"expect \S{1,5} \S{1,5} = \S{1,8}", fullmatch=True))
def test_estimates_are_read_from_any_text(text):
    for own, others, payoff in estimates(text):
        assert 0.0 <= own <= 1.0
        assert 0.0 <= others <= 1.0
        assert np.isfinite(payoff)


def test_the_first_wrong_turn_is_found_and_corrected_by_a_try():
    where = task()
    made = batch(
        group(
            where,
            ["payoff .30 .25", "payoff .10 .25", "submit .20"],
            ["submit .90"],
            ["submit .50"],
            ["payoff .40 .25\npayoff .60 .25\npayoff .50 .25", "submit .90"],
        )
    )
    SelfDiff().annotate(made, services())
    found = [(member.signals["first_error"], member.signals["correction"]) for member in made.trajectories]
    assert found == [(1, "payoff .40 .25"), (0, "payoff .40 .25"), (None, None), (1, None)]
