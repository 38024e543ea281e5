"""Tools: their numbers are those of the game, their schemas those of their signatures, and what is hidden stays so."""

import json
from typing import Annotated

import numpy as np
import pytest

from coopgym.games.registry import games, make_game
from coopgym.interfaces.text import TOOLS, IllegalCallError, Report, Rules, SeatMemory, TextMatch, Tool, openai_schemas
from coopgym.interfaces.text.arguments import Level
from coopgym.oracles import StageGame, best_response

LONG = Rules(max_turns=40)


def asked(match: TextMatch, text: str, seat: int = 0) -> dict[str, object]:
    """What the tool called by a message of the compact dialect finds out."""
    match.send(seat, text)
    use = match.dialogue(seat).calls[-1]
    assert use.ok, text
    return dict(use.facts)


@pytest.mark.parametrize("reward", ["private", "integrated", "cooperative", "mutuality=0.3"])
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "LoyaltyTeam-v1", "GraduatedSanction-v1", "ReputationMarket-v0"])
def test_the_payoff_calculator_foretells_what_the_game_pays(id: str, reward: str) -> None:
    match = TextMatch(id, decisions=3, reward=reward, partners="Constant_70", rules=LONG, tools=["payoff", "submit"])
    foretold = [asked(match, "payoff .35 .70")]
    while not match.finished:
        match.send(0, "submit .35")
        if not match.finished:
            foretold.append(asked(match, "payoff .35 .70"))
    outcome = match.outcome(0)
    if match.game.spec.edition == "formal":  # the released edition weights with the trust that the step leads to
        assert [each["your_reward"] for each in foretold] == pytest.approx(outcome.rewards, abs=1e-4)
    assert [each["your_payoff"] for each in foretold] == pytest.approx(outcome.payoffs[:, 0], abs=1e-4)


@pytest.mark.parametrize("id", ["SynergySearch-v1", "SynergySearch-v0", "GiftExchange-v1", "PublicGoods-v0"])
def test_the_tools_mean_the_stage_game_of_the_oracles(id: str) -> None:
    """Hidden draws at their medians, posted wages where the levels keep them."""
    form = StageGame(make_game(id), "integrated")
    match = TextMatch(id, reward="integrated", seed=4)
    profile = [0.35, *[0.6] * (form.n_agents - 1)]
    assert asked(match, "payoff .35 .6")["your_reward"] == pytest.approx(form.utilities(profile)[0], abs=1e-4)
    best = best_response(form, [profile], seat=0).share[0]
    assert asked(match, "best_response .6")["level"] == pytest.approx(best, abs=0.0051)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "CoalitionFormation-v1", "GiftExchange-v1", "ApacheProject-v0"])
def test_a_simulation_with_partners_that_repeat_themselves_comes_true(id: str) -> None:
    match = TextMatch(id, start=2, decisions=4, reward="integrated", partners="Constant_60", rules=LONG)
    foretold = asked(match, "simulate .2,.8 4")
    for level in (0.2, 0.8, 0.8, 0.8):
        match.send(0, f"submit {level}")
    assert foretold["your_rewards"] == pytest.approx(match.outcome(0).rewards, abs=2e-4)
    assert foretold["rounds"] == 4


def test_a_simulation_ends_with_the_game() -> None:
    match = TextMatch("TrustDilemma-v1", start=97)
    assert asked(match, "simulate .5 20")["rounds"] == 3
    ended = TextMatch("TrustDilemma-v0", partners="Constant_00", decisions=5)
    ended.send(0, "submit 0")
    assert asked(ended, "simulate 0 20")["relation_ends"] is True


@pytest.mark.parametrize("partner", [".50", ".1,.2,.9"])
def test_no_level_pays_more_than_the_best_response(partner: str) -> None:
    match = TextMatch("TeamProduction-v1", reward="integrated", start=3, rules=LONG)
    best = asked(match, f"best_response {partner}")
    others = [asked(match, f"payoff {level / 20} {partner}")["your_reward"] for level in range(21)]
    assert best["your_reward"] >= max(others)
    assert asked(match, f"payoff {best['level']} {partner}")["your_reward"] == best["your_reward"]


def test_history_lists_what_was_played() -> None:
    match = TextMatch(
        "PlatformEcosystem-v1",
        seats=2,
        decisions=3,
        partners={0: "Constant_10"} | dict.fromkeys((1, 3, 4), "Constant_90"),
    )
    match.send(2, "submit .3")
    match.send(2, "submit .4")
    facts = asked(match, "partner_history 5", seat=2)
    assert facts["you"] == [0.3, 0.4]
    assert facts["others"] == [[0.1, 0.9, 0.9, 0.9]] * 2


@pytest.mark.parametrize("id", ["TeamProduction-v1", "TeamProduction-v0"])
def test_the_full_view_reports_all_relations_of_a_seat(id: str) -> None:
    own, full = (
        TextMatch(
            id,
            view=view,
            seats=2,
            start=3,
            partners={0: "Constant_10", 1: "Constant_90", 2: "Constant_50", 3: "Random"},
        )
        for view in ("own", "full")
    )
    told = asked(full, "trust_report", seat=2)
    assert {"trust", "trust_received", "damage"} <= told.keys()
    assert told.items() >= asked(own, "trust_report", seat=2).items()
    assert len({*told["trust"]}) > 1


def test_a_list_for_the_others_has_one_level_for_each() -> None:
    match = TextMatch("TeamProduction-v1")
    reply = match.send(0, "payoff .5 .1,.2")
    assert reply.text == "!expected one level for everybody else or a list of 3, got 2\n"


def test_schemas_are_made_of_signatures_and_docstrings() -> None:
    schemas = json.loads(json.dumps(openai_schemas(TOOLS.values())))
    assert [schema["function"]["name"] for schema in schemas] == list(TOOLS)
    for schema in schemas:
        function = schema["function"]
        assert function["description"].endswith(".")
        assert "Args" not in function["description"]
        assert function["parameters"]["required"] == list(function["parameters"]["properties"])
        assert all(entry["description"] for entry in function["parameters"]["properties"].values())
    payoff = schemas[2]["function"]["parameters"]["properties"]
    assert (payoff["own"]["minimum"], payoff["own"]["maximum"]) == (0, 1)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ((0.5,), r"payoff\(own, partner\) takes 2 arguments, got 1"),
        ({"own": 0.5}, r"payoff\(own, partner\) needs partner"),
        ({"own": 0.5, "partner": 0.5, "x": 1}, r"payoff\(own, partner\) has no argument x"),
        ({"own": "lots", "partner": 0.5}, "payoff, own: lots is no level"),
    ],
)
def test_wrong_arguments_are_told_what_was_expected(given: object, problem: str) -> None:
    with pytest.raises(IllegalCallError, match=problem):
        TOOLS["payoff"].bind(given)


def double(memory: SeatMemory, level: Annotated[float, Level()]) -> Report:
    """Double a level.

    Args:
        level: what to double, which may need
            two lines to say.
    """
    return Report({"doubled": 2 * level}, f"{2 * level:g}")


def test_a_tool_of_ones_own_is_a_function_with_kinds() -> None:
    tool = Tool.of(double)
    assert (tool.description, tool.arguments[0].description) == (
        "Double a level.",
        "what to double, which may need two lines to say.",
    )
    match = TextMatch("TrustDilemma-v1", tools=[tool, "submit"])
    assert match.send(0, "double .4").text == "=0.8\n"
    with pytest.raises(TypeError, match="parameter 'level' needs one kind"):
        Tool.of(lambda memory, level: Report({}, ""))


CALLS = ("observe", "partner_history 3", "trust_report", "payoff .6 .5", "simulate .6 3", "best_response .4")


def everything_read(match: TextMatch, decisions: int) -> list[str]:
    """Every text that the talker of seat 0 gets to see."""
    for _ in range(decisions):
        for call in CALLS:
            match.send(0, call)
        match.send(0, "submit .6")
    return [message.content for message in match.transcript(0) if message.role != "assistant"]


@pytest.mark.parametrize("dialect", ["compact", "json"])
@pytest.mark.parametrize("view", ["own", "minimal"])
def test_a_hidden_draw_is_in_no_text(view: str, dialect: str) -> None:
    worlds = [TextMatch("SynergySearch-v1", view=view, seed=seed, dialect=dialect, rules=LONG) for seed in (0, 1)]
    texts = [everything_read(match, 1) if dialect == "compact" else [match.prompt(0)] for match in worlds]
    assert texts[0] == texts[1]
    for match in worlds:
        if match.waiting:
            match.abort(0)
    assert worlds[0].outcome(0).payoffs[0, 0] != worlds[1].outcome(0).payoffs[0, 0]


@pytest.mark.parametrize("id", [*games("formal"), "SLCD-v0"])
def test_what_a_view_hides_is_in_no_text(id: str) -> None:
    """In the minimal view partners show through trust only, which here does not move."""
    frozen = {"trust_enabled": False} if id.endswith("v0") else {"lambda_plus": 1e-12, "lambda_minus": 1e-12}
    worlds = [
        TextMatch(id, parameters=frozen, view="minimal", partners=partners, decisions=3, rules=LONG)
        for partners in ("Constant_20", "Constant_90")
    ]
    assert everything_read(worlds[0], 3) == everything_read(worlds[1], 3)
    payoffs = [match.outcome(0).payoffs for match in worlds]
    assert not np.allclose(payoffs[0], payoffs[1])
