import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.llm.models import Generation
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.scripted_play import play_script, reference_play, reference_traces, resume, say, spread
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.play.trajectories import ToolCall
from coopgym.interfaces.text import Rules
from tests.algorithms.llm.parrot import Parrot, played, task

LEVELS = st.integers(0, 100).map(lambda percent: percent / 100)


def begun(where, model=None):
    return Rollout.of_task(where, model or Parrot(), np.random.default_rng(0))


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9))
def test_spread_keeps_every_call_in_order_and_submits_alone(count, messages):
    calls = tuple(ToolCall(str(number), {}) for number in range(count))
    parts = spread(calls, messages)
    assert len(parts) <= messages
    assert all(parts)
    assert parts[-1] == calls[-1:]
    assert sum(parts, ()) == (calls if messages > 1 else calls[-1:])


@settings(max_examples=30)
@given(LEVELS, LEVELS)
def test_traces_try_three_levels_and_end_in_the_right_one(gold, partner):
    for trace in reference_traces(gold, partner):
        tried = [call.args for call in trace if call.name in ("payoff", "simulate")]
        assert len(tried) == 3
        assert trace[-1] == ToolCall("submit", {"level": gold})
    bracket = [call.args["own"] for call in reference_traces(gold, partner)[0] if call.name == "payoff"]
    assert min(bracket) <= gold <= max(bracket)


@pytest.mark.parametrize("dialect", ["compact", "json"])
@pytest.mark.parametrize("game", ["TrustDilemma-v1", "TrustDilemma-v0", "PublicGoods-v0"])
@pytest.mark.parametrize("turns", [1, 2, 5, 9])
def test_the_oracle_plays_right_within_its_turns_in_any_dialect(dialect, game, turns):
    where = TaskSettings(game, dialect=dialect, rules=Rules(max_turns=turns)).draw(np.random.default_rng(turns))
    rollout = begun(where, Parrot(context=30_000))
    play_script(rollout, reference_play([where.reference_action]))
    member = rollout.trajectory(where)
    assert member.correct
    assert member.format_ok
    assert len(member.turns) == min(turns, 7)
    assert all(call.ok for turn in member.turns for call in turn.calls)


def test_the_oracle_goes_on_without_repeating_calls():
    where = task()
    rollout = begun(where)
    say(rollout, "payoff .40 .25\nobserve")
    play_script(rollout, reference_play([where.reference_action]))
    calls = [(call.name, str(call.args)) for turn in rollout.turns for call in turn.calls]
    assert len(calls) == len(set(calls)) == 7


def test_the_oracle_plays_every_decision_of_a_window():
    where = task(decisions=2)
    rollout = begun(where)
    play_script(rollout, reference_play([0.3, 0.7]))
    assert rollout.trajectory(where).levels == (0.3, 0.7)


def test_a_full_context_ends_a_recital():
    where = task()
    rollout = begun(where, Parrot(context=150))
    play_script(rollout, reference_play([where.reference_action]))
    member = rollout.trajectory(where)
    assert member.turns
    assert member.answer is None
    assert len(member.prompt_ids) + len(member.ids) <= 150 + 100  # results of the last message may go beyond it


def test_rollouts_are_taken_up_where_they_stood():
    where = task(decisions=2)
    messages = ("payoff .40 .25", "submit .30", "partner_history 2\nobserve", "nonsense", "submit .70")
    member = played(where, *messages)
    for turn in range(len(member.turns) + 1):
        rollout = resume(where, member, turn, Parrot(), np.random.default_rng(0))
        assert np.array_equal(rollout.context, member.context(turn))
        for message in messages[turn:]:
            say(rollout, message)
        again = rollout.trajectory(where)
        assert np.array_equal(again.ids, member.ids)
        assert again.turns == member.turns
        assert (again.outcome, again.levels, again.payoffs.tolist()) == (
            member.outcome,
            member.levels,
            member.payoffs.tolist(),
        )


def test_messages_that_were_cut_off_are_taken_up_as_such():
    where = task(decisions=2)
    rollout = begun(where)
    rollout.hear(Generation(np.array(list(b"payoff .40")), np.zeros(10), stopped=False))
    say(rollout, "observe")
    say(rollout, "submit .70")
    member = rollout.trajectory(where)
    assert member.levels[1] == 0.7
    again = resume(where, member, 2, Parrot(), np.random.default_rng(0))
    assert np.array_equal(again.context, member.context(2))
    assert len(again.session.dialogues) == 2


def test_a_rollout_that_read_something_else_is_not_taken_up():
    where = task()
    member = played(where, "payoff .40 .25", "submit .50")
    member.ids[member.turns[0].end + 1] += 1
    with pytest.raises(ValueError, match="did not bring back"):
        resume(where, member, 1, Parrot(), np.random.default_rng(0))
