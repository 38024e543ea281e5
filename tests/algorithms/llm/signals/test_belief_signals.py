import numpy as np
import pytest

from coopgym.algorithms.llm.method.signals import AnswerClusters, GoldBelief, StepJudge, StepProbe
from coopgym.algorithms.llm.method.signals.beliefs import last_known
from coopgym.algorithms.llm.method.signals.decisions import decisions
from coopgym.algorithms.llm.play.reference_actions import soft_gold
from coopgym.algorithms.llm.play.trajectories import Group
from tests.algorithms.llm.parrot import GOLD, Parrot, batch, group, played, services, task

UNIFORM = -np.log(257)


def knowing(text: str) -> str:
    """Submit the right level once a payoff has been asked for, and a wrong one before."""
    return "submit .50" if "payoff" in text else "submit .10"


def test_turns_are_cut_into_decisions():
    where = task(decisions=2)
    member = played(where, "payoff .40 .25", "submit .30", "observe", "submit .70")
    first, second = decisions(where, member)
    assert (first.turns, second.turns) == (range(2), range(2, 4))
    assert second.gold == where.gold
    cut = played(where, "payoff .40 .25", "submit .30", "observe")
    assert [decision.turns for decision in decisions(where, cut)] == [range(2), range(2, 3)]
    assert [decision.turns for decision in decisions(where, played(where))] == [range(0)]


def test_belief_rises_in_the_turn_that_teaches_the_answer():
    where, help_ = task(), services(Parrot(knowing))
    made = batch(group(where, ["observe", "payoff .50 .25", "submit .50"], ["submit .10"]))
    GoldBelief().annotate(made, help_)
    long, short = (member.signals["belief"] for member in made.trajectories)
    assert long.shape == (3,)
    assert long[0] == long[1] == short[0]
    assert long[2] > long[1] + 0.5
    levels, weights = soft_gold(where.gold)
    assert np.log(weights[levels == GOLD]) < long[2] < 0.0  # sure of one level of the soft set
    assert help_.extra_tokens > 0


def test_a_new_decision_begins_at_the_belief_that_the_last_one_ended_with():
    where = task(decisions=2)
    made = batch(group(where, ["payoff .40 .25", "submit .30", "observe", "payoff .40 .25", "submit .70"]))

    def forgetful(text: str) -> str:
        return knowing(text.splitlines()[-1] if ">" in text.splitlines()[-1] else text[text.rfind(">") :])

    GoldBelief().annotate(made, services(Parrot(forgetful)))
    gains = np.diff(made.trajectories[0].signals["belief"])
    assert gains.tolist() == pytest.approx([gains[0], 0.0, 0.0, gains[0]])
    assert gains[0] > 0.5


def test_belief_of_a_model_that_knows_nothing_is_the_uniform_one():
    made = batch(group(task(), ["observe", "submit .50"]))
    GoldBelief().annotate(made, services(Parrot(strength=lambda text: 0.0)))
    np.testing.assert_allclose(made.trajectories[0].signals["belief"], UNIFORM, rtol=1e-6)


def test_a_context_without_room_keeps_the_last_belief():
    where = task()
    member = played(where, "observe", "observe", "submit .50")
    room = len(member.context(1)) + 12
    made = batch(Group(where, [member]))
    GoldBelief().annotate(made, services(Parrot(context=room)))
    belief = member.signals["belief"]
    assert np.isfinite(belief).all()
    assert belief[2] == belief[1]


def test_last_known_values():
    nan = np.nan
    np.testing.assert_array_equal(last_known(np.array([nan, 1.0, nan, np.inf, 2.0])), [nan, 1.0, 1.0, 1.0, 2.0])
    np.testing.assert_array_equal(last_known(np.array([[1.0, 2.0], [3.0, nan]])), [[1.0, 2.0], [1.0, 2.0]])
    assert last_known(np.zeros(0)).shape == (0,)


def test_probes_follow_every_step_and_are_exact():
    where = task()
    made = batch(group(where, ["observe", "payoff .50 .25", "submit .50"], ["submit .10"], ["observe"]))
    StepProbe().annotate(made, services(Parrot(knowing)))
    two, none, unanswered = (member.signals for member in made.trajectories)
    assert [len(each["conf"]) for each in (two, none, unanswered)] == [2, 0, 1]
    assert two["conf"] == pytest.approx([1.0, 1.0], abs=1e-3)
    assert two["acc"][0] < 0.07 < 0.1 < two["acc"][1]
    StepProbe().annotate(made, services(Parrot(strength=lambda text: 0.0)))
    assert two["conf"] == pytest.approx([1 / 100] * 2, rel=1e-3)  # 1.00 is a token longer, hence as good as out
    assert two["acc"] == pytest.approx([1 / 257] * 2)


def test_answers_cluster_by_bins_and_keep_their_frequent_levels():
    where = task()
    answers = (".51", ".52", ".52", ".53", ".54", ".10", None)
    made = batch(group(where, *([f"submit {level}"] if level else ["observe"] for level in answers)))
    AnswerClusters().annotate(made, services(Parrot(knowing)))
    signals = [member.signals for member in made.trajectories]
    assert [each["cluster"] for each in signals] == [10, 10, 10, 10, 10, 2, None]
    assert [each["ref_logp"].shape for each in signals] == [(2, 3)] * 5 + [(2, 1)] * 2
    assert all(each["alpha"].sum() == pytest.approx(1.0) for each in signals)
    assert signals[5]["ref_logp"][0, 0] == pytest.approx(0.0, abs=1e-4)  # what the model writes before it has asked
    assert signals[0]["ref_logp"][0, 0] < -1.0
    assert {each["evidence"] for each in signals} == {None}


def test_evidence_is_what_the_level_earns_against_the_partners_asked_about():
    where = task()
    made = batch(
        group(where, ["payoff .90 .25", "payoff .20 .75", "submit .40"], ["payoff 2 2", "submit .40"], ["submit .40"])
    )
    AnswerClusters().annotate(made, services(Parrot(knowing)))
    evidence, *others = (member.signals["evidence"] for member in made.trajectories)
    memory = where.open().dialogue(0).memory
    rewards = np.array(
        [memory.world_model.stage(memory.profile(0.4, memory.others(partner)))[0][0] for partner in (0.25, 0.75)]
    )
    low, high = where.settings.disagreement[1][0], where.settings.ideal[1][0]
    assert evidence == pytest.approx(((rewards - low) / (high - low)).clip(0.0, 1.0).mean())
    assert others == [None, None]


def test_thinking_is_sufficient_once_the_right_level_is_tried_or_believed():
    where = task()
    dialogues = (
        ["observe", "payoff .52 .25", "partner_history 2", "submit .50"],
        ["observe", "payoff .10 .25", "partner_history 2", "submit .50"],
        ["observe", "submit .50"],
        ["payoff .50 .25", "submit .90"],
        ["payoff .50 .25"],
    )
    made = batch(group(where, *dialogues))
    members = made.trajectories
    StepJudge(threshold=1.0).annotate(made, services())
    assert [member.signals["nrp_end"] for member in members] == [members[0].turns[1].end, *[None] * 4]
    assert [member.signals["think_end"] for member in members] == [
        *(member.turns[-1].start for member in members[:4]),
        None,
    ]
    StepJudge().annotate(made, services(Parrot(knowing)))
    assert [member.signals["nrp_end"] for member in members] == [
        members[0].turns[1].end,
        members[1].turns[1].end,
        *[None] * 3,
    ]


@pytest.mark.parametrize("signal", [GoldBelief(), StepProbe(), AnswerClusters(), StepJudge()])
def test_nothing_to_judge_is_no_problem(signal):
    where = task()
    signal.annotate(batch(), services())
    nothing = batch(Group(where, []), Group(where, [played(where)]))
    signal.annotate(nothing, services())
    assert set(nothing.trajectories[0].signals) == signal.fills
