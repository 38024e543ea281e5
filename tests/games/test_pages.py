"""Pages of the games: they agree with the code, say nothing twice, and change only with their version."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Any

import gymnasium
import numpy as np
import pytest

from coopgym.games.formal.pages import shared
from coopgym.games.formal.trust import TrustDilemma
from coopgym.games.page import RULES, GamePage, Source, Symbol, page_of
from coopgym.games.page_document import as_markdown, sections, state_names
from coopgym.games.parameters import declaration
from coopgym.games.registry import game_class, games, make_game, spec
from coopgym.worlds import WORLDS
from tests.recorded_pages import entry, mismatch, recorded

PRIVILEGED: dict[str, dict[str, Any]] = {"SynergySearch-v1": {"privileged": True}}
"""Parameters under which ``info`` holds all that is told."""
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
BARE = {"title": "A game", "summary": "It is played.", "seats": "two.", "actions": "any.", "end": "soon."}


def page(game_id: str) -> GamePage:
    found = game_class(game_id).page
    assert found is not None, f"{game_id} has no page"
    return found


def told_keys(game_id: str) -> set[str]:
    return set(re.findall(r"(?<!`)`(\w+)`(?!`)", page(game_id).info))


def joint_step_info(game_id: str) -> set[str]:
    env = gymnasium.make(f"coopgym/{game_id}", control="joint", disable_env_checker=True, **PRIVILEGED.get(game_id, {}))
    env.reset(seed=0)
    return {*env.step(np.full(spec(game_id).n_agents, 0.5))[-1]}


# Pages agree with the code


def test_every_text_finds_its_numbers() -> None:
    for game_id in games():
        for text in page(game_id).templates():
            text_in_full = page(game_id).rendered(text, make_game(game_id))
            assert "{" not in re.sub(r"\{\"gamma\": x\}", "", text_in_full), f"{game_id}: {text_in_full}"


def test_every_state_array_and_every_block_has_a_symbol_and_nothing_else_has() -> None:
    for game_id in games():
        worlds = ({"world": world} for world in WORLDS) if game_id.endswith("-v1") else ()
        newcomers = [{"entry": True}] if hasattr(make_game(game_id).parameters, "entry") else []
        made = [make_game(game_id, **keywords) for keywords in ({}, *worlds, *newcomers)]
        named = {
            name
            for game in made
            for names in (state_names(game), *(game.observation_columns(view, 0) for view in game.views))
            for name in names
        }
        symbols = page(game_id).symbols
        assert {symbol.field for symbol in symbols} == named, game_id
        assert all(symbol.symbol and symbol.meaning and symbol.range for symbol in symbols), game_id


def test_every_parameter_says_what_it_means() -> None:
    for game_id in games():
        for field in dataclasses.fields(make_game(game_id).parameters):
            assert declaration(field).doc, f"{game_id}: {field.name}"


def test_parameters_named_exist() -> None:
    for game_id in games():
        known = {*make_game(game_id).parameter_dict(), "options", "info"}
        for text in page(game_id).templates():
            for named in re.findall(r"``(\w+)(?:=[^`]*)?``", text):
                assert named in known, f"{game_id} has no parameter {named}"


def test_info_has_the_keys_told() -> None:
    for game_id in games():
        assert told_keys(game_id) <= joint_step_info(game_id), game_id


def test_every_key_of_a_formal_game_is_told() -> None:
    common = joint_step_info("SynergySearch-v1") - told_keys("SynergySearch-v1")
    for game_id in games("formal"):
        assert told_keys(game_id) == joint_step_info(game_id) - common, game_id


def test_a_page_says_what_its_edition_asks_for() -> None:
    asked = {"formal": ("story", "payoff", "state", "info", "off_switch", "versions"), "released": ("payoff", "trust")}
    for game_id in games():
        for name in (*asked[spec(game_id).edition], "sources", "symbols"):
            assert getattr(page(game_id), name), f"{game_id}: {name}"
        assert page(game_id).summary == spec(game_id).summary, game_id


# Nothing is typed twice


def test_actions_and_horizon_are_computed() -> None:
    for game_id in games():
        typed = re.sub(r"c_i = a_i/e_i", "", PLACEHOLDER.sub("", page(game_id).actions))
        assert re.findall(r"\d+", typed) == ["0"] * typed.count("[0"), game_id
        assert "after {horizon} steps" in page(game_id).end, game_id


def test_parameters_are_written_as_their_placeholders() -> None:
    for game_id in games():
        numeric = {
            declaration(field).symbol
            for field in dataclasses.fields(make_game(game_id).parameters)
            if isinstance(field.default, int | float) and declaration(field).symbol
        }
        told = [*page(game_id).payoff, *(getattr(page(game_id), name) for name in RULES if name != "payoff")]
        for text, symbol in itertools.product(told, numeric):
            typed = re.search(rf"(?<![\w^]){re.escape(symbol)} \d", text)
            assert typed is None, f"{game_id} types {text[typed.start() : typed.end() + 4]!r}"


def test_the_words_follow_the_parameters() -> None:
    for game_id in games():
        own = page(game_id)
        assert "after 7 steps" in own.as_prompt(make_game(game_id, max_steps=7)), game_id
        assert "after 7 steps" not in own.as_prompt(make_game(game_id)), game_id


def test_an_observation_table_comes_from_the_layout() -> None:
    (shown,) = (each for each in sections(make_game("GiftExchange-v1")) if each.heading == "Observation Space")
    assert shown.paragraphs[0] == (
        "11 numbers per agent under the view 'own', the default, 20 (full) or 3 (minimal) under another view; "
        "22 jointly."
    )
    assert [row[:3] for row in shown.table[-3:]] == [
        ("7", "`wage`", "W"),
        ("8-9", "`memory`", "ā"),
        ("10", "`time`", "t/T_max"),
    ]


def test_arguments_come_from_their_declarations() -> None:
    rows = next(each for each in sections(make_game("TrustDilemma-v1")) if each.heading == "Arguments").table
    assert ("`chi`", "χ", "`0.3`", "[0, 1]", "part of the synergy that needs trust", "") in rows
    assert ("`max_steps`", "T_max", "`100`", "[1, ∞)", "episode length", "steps") in rows


# What language models read


def test_a_changed_word_has_a_new_version() -> None:
    problems = {game_id: mismatch(entry(game_id), recorded().get(game_id)) for game_id in games()}
    assert {game_id: problem for game_id, problem in problems.items() if problem} == {}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"seats": "agent_0 and agent_1 (equal)."}, "raise the GamePage's `version`"),
        ({"summary": "Two partners."}, "raise the GamePage's `version`"),
        ({"end": "never.", "version": 2}, "has not been recorded"),
        ({"story": "It is a dilemma.", "title": "Another title"}, None),
    ],
)
def test_words_that_are_read_are_watched(
    changes: dict[str, Any], wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrustDilemma, "page", dataclasses.replace(page("TrustDilemma-v1"), **changes))
    found = mismatch(entry("TrustDilemma-v1"), recorded()["TrustDilemma-v1"])
    assert (found is None) == (wanted is None)
    assert wanted is None or wanted in str(found)


def test_a_changed_default_is_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrustDilemma, "defaults", {**TrustDilemma.defaults, "gamma": 3.0})
    assert entry("TrustDilemma-v1")["digest"] != recorded()["TrustDilemma-v1"]["digest"]


# The record


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seats": ""}, "seats is empty"),
        ({"summary": "no sentence"}, "ends with a full stop"),
        ({"version": 0}, "count from 1"),
        ({"actions": "in [0, {endowments[0]]"}, "expected '}'"),
        ({"payoff": ("{",)}, "Single '{' encountered"),
        ({"symbols": (Symbol("trust", "T", "trust"), Symbol("trust", "τ", "trust"))}, "trust is explained twice"),
    ],
)
def test_a_page_that_cannot_be_told_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GamePage(**BARE | fields)


@pytest.mark.parametrize("text", ["{no_such_parameter}", "{game.no_such_fact}", "{endowments[7]}", "{share[a]}"])
def test_a_placeholder_for_nothing_is_an_error_that_names_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"is nothing of TrustDilemma-v1, in '\{"):
        GamePage(**BARE).rendered(text, make_game("TrustDilemma-v1"))


def test_numbers_are_as_short_as_they_can_be() -> None:
    found = GamePage(**BARE).rendered(
        "{horizon} {theta} {norms[0]:%} {gamma:.3f} {COLLAPSE}", make_game("TrustDilemma-v1")
    )
    assert found == "100 6 30 % 2.850 0.05"


def test_a_source_says_where_to_look() -> None:
    assert str(Source("TR-2", "Eq. 6-9", "trust")) == "TR-2 Eq. 6-9 (trust)"
    assert str(Source("TR-3")) == "TR-3"


def test_phrases_may_use_phrases_and_leave_other_placeholders() -> None:
    told = shared.told("with {trust_on_conduct}, {horizon}")
    assert told.startswith(
        "with T and R on signals tanh(κ (c_j - b_j)/{SIGNAL_WIDTH}) with κ {kappa}, λ⁺ {lambda_plus}"
    )
    assert told.endswith("(T0 {initial_trust}, R0 {initial_reputation}), {horizon}")


# A game without a page


class Meadow(TrustDilemma):
    """A meadow {for two}.

    Grazing pays, and leaves less.
    """

    id = "Meadow-v0"
    page = None


def test_a_game_without_a_page_gets_a_plain_one() -> None:
    game = Meadow.configure(gamma=3.0)
    plain = page_of(game)
    assert plain.title == "Meadow"
    assert plain.summary == "A meadow {for two}." == game.spec.summary
    prompt = plain.as_prompt(game)
    assert "Seats: agent_0 .. agent_1.\nActions: in [0, 100]; norm 30." in prompt
    assert "gamma 3 (synergy weight; productivity A in team games γ)" in prompt
    assert prompt.endswith("End: after 100 steps.")
    assert "Grazing pays, and leaves less." in as_markdown(game)
