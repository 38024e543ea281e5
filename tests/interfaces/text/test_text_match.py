"""Matches: the game is the one everybody plays, windows start where they should, and branches are independent."""

from pathlib import Path

import numpy as np
import pytest

import coopgym
from coopgym.agents import make_agent
from coopgym.games.registry import games, make_game
from coopgym.interfaces.text import TextMatch
from coopgym.play.episodes import play

SAY = {
    "compact": lambda level: f"submit {level:.2f}",
    "json": lambda level: f'<tool_call>{{"name": "submit", "arguments": {{"level": {level:.2f}}}}}</tool_call>',
}
LOOK = {"compact": "payoff .6 .5\ntrust_report", "json": '{"name": "observe", "arguments": {}}'}


def played(match: TextMatch, levels: list[float]) -> TextMatch:
    for level in levels:
        match.send(match.waiting[0], SAY["compact"](level))
    return match


@pytest.mark.parametrize("id", games())
def test_every_game_is_played_in_every_view_and_dialect(id: str) -> None:
    for view in ("own", "full", "minimal"):
        for dialect, say in SAY.items():
            match = TextMatch(id, view=view, decisions=2, dialect=dialect)
            for level in (0.4, 0.6):
                assert len(match.prompt(0)) <= 100 or dialect == "json"
                assert match.send(0, LOOK[dialect]).text
                match.send(0, say(level))
            outcome = match.outcome(0)
            assert match.finished
            assert outcome.shares == pytest.approx([0.4, 0.6])
            assert sum(dialogue.problems for dialogue in match.dialogues(0)) == 0


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1", "ReputationMarket-v1", "PublicGoods-v0"])
@pytest.mark.parametrize("partner", ["TitForTat", "Random"])
def test_a_match_is_the_game_that_agents_play(id: str, partner: str) -> None:
    game = make_game(id, max_steps=6)
    agents = [make_agent("Constant_40"), *(make_agent(partner) for _ in range(game.n_agents - 1))]
    record = play(game, agents, reward="integrated", views="own", seed=5, record=True).trajectory
    match = TextMatch(id, parameters={"max_steps": 6}, partners=partner, reward="integrated", seed=5, decisions=None)
    outcome = played(match, [0.4] * 6).outcome(0)
    np.testing.assert_allclose(outcome.rewards, record.rewards[:, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(outcome.payoffs, record.payoffs[:, 0], rtol=1e-12)
    np.testing.assert_allclose(outcome.welfare, record.payoffs[:, 0].sum(-1), rtol=1e-12)


def test_a_window_starts_where_agents_have_played_before() -> None:
    whole = TextMatch("TeamProduction-v1", partners="Random", seed=3, start=5, decisions=2)
    again = TextMatch("TeamProduction-v1", partners="Random", seed=3, start=5, decisions=2)
    game = make_game("TeamProduction-v1")
    record = play(game, [make_agent("Random") for _ in range(4)], views="own", seed=3, record=True).trajectory
    assert whole.prompt(0) == again.prompt(0)
    assert whole.prompt(0).startswith("TP s0 p t05")
    own = record.actions[:5, 0, 0] / game.spec.endowments[0]
    whole.send(0, "partner_history 20")
    assert whole.dialogue(0).calls[0].facts["you"] == pytest.approx(own, abs=0.006)


def test_seats_decide_together() -> None:
    match = TextMatch("TrustDilemma-v1", seats=(0, 1), decisions=2)
    assert match.waiting == (0, 1)
    match.send(1, "submit .9")
    assert match.waiting == (0,)
    with pytest.raises(RuntimeError, match=r"seat 1 has decided; waiting for seats \(0,\)"):
        match.send(1, "submit .8")
    match.send(0, "submit .1")
    assert match.waiting == (0, 1)
    assert "me .10 they .90" in match.prompt(0)
    assert "me .90 they .10" in match.prompt(1)


def test_a_relation_that_breaks_down_ends_the_match() -> None:
    match = TextMatch("TrustDilemma-v0", partners="Constant_00", decisions=None)
    played(match, [0.0] * 3)
    assert match.finished
    assert match.waiting == ()
    assert len(match.outcome(0).rewards) == 3 < match.decisions
    with pytest.raises(ValueError, match="start=50: the episode ended after 3 steps"):
        TextMatch("TrustDilemma-v0", partners="Constant_00", start=50)


@pytest.mark.parametrize("partner", ["Random", "TitForTat"])
def test_branches_from_a_snapshot_are_identical_and_independent(partner: str) -> None:
    trunk = TextMatch("SynergySearch-v1", parameters={"payoff_noise": 0.1}, partners=partner, decisions=4, seed=2)
    played(trunk, [0.5])
    trunk.send(0, "payoff .5 .5")
    snapshot = trunk.snapshot()
    played(trunk, [0.9, 0.1, 0.2])
    twins = [TextMatch.restore(snapshot) for _ in range(2)]
    played(twins[0], [0.3])
    played(twins[1], [0.3, 0.7, 0.7])
    played(twins[0], [0.7, 0.7])
    outcomes = [twin.outcome(0) for twin in twins]
    np.testing.assert_array_equal(outcomes[0].rewards, outcomes[1].rewards)
    assert twins[0].transcript(0) == twins[1].transcript(0)
    straight = TextMatch("SynergySearch-v1", parameters={"payoff_noise": 0.1}, partners=partner, decisions=4, seed=2)
    np.testing.assert_array_equal(played(straight, [0.5, 0.3, 0.7, 0.7]).outcome(0).payoffs, outcomes[0].payoffs)
    assert trunk.outcome(0).shares.tolist() == [0.5, 0.9, 0.1, 0.2]


def test_two_matches_with_the_same_arguments_say_the_same() -> None:
    first, second = (TextMatch("IndirectReciprocity-v1", partners="Random", seed=9, decisions=3) for _ in range(2))
    assert played(first, [0.2, 0.4, 0.6]).transcript(0) == played(second, [0.2, 0.4, 0.6]).transcript(0)
    other = played(TextMatch("IndirectReciprocity-v1", partners="Random", seed=10, decisions=3), [0.2, 0.4, 0.6])
    assert other.transcript(0) != first.transcript(0)


@pytest.mark.parametrize("dialect", ["compact", "json"])
def test_the_documented_dialogue_is_what_is_said(dialect: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "text-interface.md").read_text(encoding="utf-8")
    lines = text.split(f"<!-- a dialogue in the {dialect} dialect -->\n\n```\n")[1].split("\n```")[0].splitlines()
    match = TextMatch(
        "TrustDilemma-v1", reward="integrated", partners="GenerousTitForTat", start=3, seed=1, dialect=dialect
    )
    if dialect == "compact":
        assert lines.pop(0) == match.prompt(0)
    while lines:
        reply = match.send(0, lines.pop(0))
        assert reply.decided or reply.text == lines.pop(0) + "\n"
    assert match.finished
    np.testing.assert_allclose(match.outcome(0).rewards, [2.57497893])


def test_the_package_offers_it() -> None:
    assert isinstance(coopgym.text_env("TrustDilemma-v1", partners=lambda: make_agent("GrimTrigger")), TextMatch)


def test_an_agent_object_sits_in_one_seat_only() -> None:
    agent = make_agent("TitForTat")
    with pytest.raises(ValueError, match="the same TitForTat object sits in several seats"):
        TextMatch("TeamProduction-v1", partners=lambda: agent)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"parameters": {"kk": 1}}, "unexpected keyword argument 'kk'"),
        ({"seats": 2}, "has seats 0 to 1"),
        ({"seats": ()}, "one or several different seats"),
        ({"seats": (0, 0)}, "one or several different seats"),
        ({"reward": "privat"}, "did you mean 'private'"),
        ({"view": "all"}, "view='all'"),
        ({"partners": "TitForTatt"}, "did you mean 'TitForTat'"),
        ({"partners": {}}, "partners has no agent for seat 1 of"),
        (
            {"partners": {1: "Random"}, "start": 2},
            "no agent for seat 0 of TrustDilemma-v1, which needs one for the steps",
        ),
        ({"partners": {5: "Random"}}, "has seats 0 to 1"),
        ({"partners": 3}, "expected an agent's name or a function"),
        ({"partners": dict}, "is not an agent"),
        ({"start": 100}, "has steps 0 to 99"),
        ({"start": -1}, "has steps 0 to 99"),
        ({"decisions": 0}, "expected 1 to 100"),
        ({"start": 90, "decisions": 11}, "expected 1 to 10, the steps of TrustDilemma-v1 from start=90"),
        ({"dialect": "jsn"}, "did you mean 'json'"),
        ({"tools": ["submit", "fly"]}, "unknown tool 'fly'"),
        ({"tools": ["payoff"]}, "'submit', which must be among them"),
        ({"tools": ["submit", "submit"]}, "given twice"),
        ({"seed": None}, "seed=None"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_arguments_are_refused_with_what_was_expected(arguments: dict[str, object], problem: str) -> None:
    with pytest.raises((ValueError, TypeError), match=problem):
        TextMatch("TrustDilemma-v1", **arguments)
    with pytest.raises(ValueError, match=r"those of seats \(0,\)"):
        TextMatch("TrustDilemma-v1").prompt(1)
