"""One decision: turns, illegal messages under every rule, and giving up."""

import math

import pytest

from coopgym.interfaces.text import Dialogue, Rules, TextMatch

ILLEGAL = (
    *("hello", "submit", "submit 1.5", "submit nan", "submit .5 units", "submit .5\nsubmit .5", "submit .5\nobserve"),
    *("payoff .5", "fly .5", "observe\n" * 9),
)


def opened(**rules: object) -> tuple[TextMatch, Dialogue]:
    """A match whose talker has last played its norm of .30, after .80 before it."""
    match = TextMatch("TrustDilemma-v1", start=1, rules=Rules(**rules), partners={0: "Constant_80", 1: "Constant_50"})
    return match, match.dialogue(0)


def test_a_decision_is_a_dialogue_that_ends_with_submit() -> None:
    match, dialogue = opened()
    assert match.send(0, "payoff .60 .50\nbest_response .5").text.count("=") == 2
    reply = match.send(0, "that is best # submit 62%")
    assert (reply.text, reply.decided) == (None, True)
    assert (dialogue.level, dialogue.action, dialogue.ended_by, dialogue.problems, dialogue.written) == (
        0.62,
        0.62,
        "answer",
        0,
        2,
    )
    assert [(use.turn, use.name, dict(use.arguments)) for use in dialogue.calls] == [
        (0, "payoff", {"own": 0.6, "partner": 0.5}),
        (0, "best_response", {"partner": 0.5}),
        (1, "submit", {"level": 0.62}),
    ]
    assert [(turn.role, turn.tool, turn.valid, turn.share, turn.t) for turn in dialogue.turns] == [
        ("user", None, None, None, 1),
        ("assistant", "payoff,best_response", True, None, 1),
        ("tool", "payoff,best_response", None, None, 1),
        ("assistant", "submit", True, 0.62, 1),
    ]


@pytest.mark.parametrize("text", ILLEGAL)
def test_an_illegal_message_is_kept_counted_and_complained_about(text: str) -> None:
    match, dialogue = opened(on_invalid="retry", retries=1)
    reply = match.send(0, text)
    assert reply.text.startswith("!")
    assert not reply.decided
    assert (dialogue.turns[1].content, dialogue.turns[1].valid, dialogue.problems) == (text, False, 1)
    match.send(0, text)
    assert (dialogue.ended_by, dialogue.problems, dialogue.level, dialogue.action) == ("error", 2, None, 0.3)


def test_what_was_legal_before_an_illegal_call_is_answered() -> None:
    match, dialogue = opened()
    assert match.send(0, "payoff .6 .5\nsubmit 2").text.splitlines() == [
        "=1.690 1.880",
        "!submit, level: 2 is no level (0 to 1, or 0% to 100%)",
    ]
    assert [use.ok for use in dialogue.calls] == [True, False]


@pytest.mark.parametrize("text", ILLEGAL)
@pytest.mark.parametrize(("on_invalid", "penalty"), [("fallback", 0.0), ("penalty", 0.25)])
def test_the_fallback_is_played_at_once_where_the_rule_says_so(on_invalid: str, penalty: float, text: str) -> None:
    match, dialogue = opened(on_invalid=on_invalid, penalty=0.25)
    assert match.send(0, text).decided
    assert (dialogue.ended_by, dialogue.level, dialogue.action, dialogue.penalty) == ("error", None, 0.3, penalty)
    outcome = match.outcome(0)
    assert outcome.total == pytest.approx(outcome.rewards[0] - penalty)


@pytest.mark.parametrize(("fallback", "share"), [("norm", 0.3), ("last", 0.8), (0.45, 0.45)])
def test_the_fallback_is_the_declared_one_even_when_asked_later(fallback: object, share: float) -> None:
    match = TextMatch(
        "TrustDilemma-v1",
        start=1,
        decisions=3,
        rules=Rules(fallback=fallback),
        partners={0: "Constant_80", 1: "Constant_50"},
    )
    match.abort(0)
    match.send(0, "submit 0")
    match.send(0, "submit 0")
    assert match.dialogues(0)[0].action == share == match.outcome(0).shares[0]


def test_turns_run_out() -> None:
    match, dialogue = opened(max_turns=3)
    for _ in range(3):
        match.send(0, "observe")
    assert (dialogue.ended_by, dialogue.level, dialogue.action, dialogue.problems) == ("max_turns", None, 0.3, 0)
    with pytest.raises(RuntimeError, match="the match is finished"):
        match.send(0, "submit .5")
    with pytest.raises(RuntimeError, match="is made"):
        dialogue.receive("submit .5")


def test_complaints_cost_turns() -> None:
    match, dialogue = opened(max_turns=2, retries=9)
    match.send(0, "hm")
    match.send(0, "hm")
    assert (dialogue.ended_by, dialogue.problems) == ("max_turns", 2)


def test_giving_up_keeps_what_was_written() -> None:
    match, dialogue = opened(on_invalid="penalty")
    assert match.abort(0, "max_tokens", "let me think about").decided
    assert (dialogue.ended_by, dialogue.problems, dialogue.penalty) == ("max_tokens", 1, 0.1)
    assert (dialogue.turns[-1].content, dialogue.turns[-1].valid) == ("let me think about", False)
    with pytest.raises(ValueError, match="reason='tired'"):
        opened()[1].abort("tired")
    with pytest.raises(RuntimeError, match="is open"):
        opened()[1].action  # noqa: B018  # asking is what fails


@pytest.mark.parametrize(
    "rules",
    [
        *({"max_turns": 0}, {"max_turns": True}, {"on_invalid": "ignore"}, {"retries": -1}, {"retries": 1.5}),
        *({"penalty": -1.0}, {"penalty": math.inf}, {"fallback": "nash"}, {"fallback": 1.5}, {"fallback": math.nan}),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, object]) -> None:
    (name,) = rules
    with pytest.raises(ValueError, match=f"{name}="):
        Rules(**rules)
