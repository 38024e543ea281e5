"""Factors from a model that answers well, badly, and badly at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from coopgym.algorithms.reward_models.expressions import ExpressionError
from coopgym.algorithms.reward_models.factor_search import (
    PROMPTS,
    FactorSearchError,
    read_factors,
    replayed,
    search_factors,
)
from coopgym.games.registry import make_game

GAME = make_game("TrustDilemma-v1")
GOOD = "Here you are:\n1. `effort` = own_action\n- balance = min(own_action, partner_actions)\n"
GARBAGE = "As a language model I would rather import os."


def answering(answers: Sequence[str]) -> Callable[[str, float], str]:
    told = iter(answers)
    return lambda prompt, temperature: next(told)


def test_five_proposals_are_merged() -> None:
    found = search_factors(answering([GOOD, GARBAGE, GOOD, GOOD, GOOD, GOOD]), GAME)
    assert found.factors.expressions == (("effort", "own_action"), ("balance", "min(own_action, partner_actions)"))
    assert [exchange.temperature for exchange in found.exchanges] == [1.0] * 5 + [0.3]
    assert GARBAGE in found.exchanges[-1].asked
    assert {(each.prompt, each.version) for each in found.exchanges} == {("propose", 1), ("merge", 1)}


def test_errors_are_fed_back_until_it_can_be_computed() -> None:
    wrong = ("effort = own_effort", "effort = own_action.__class__", GARBAGE)
    found = search_factors(answering([GOOD, *wrong, GOOD]), GAME, proposals=1)
    repairs = [exchange for exchange in found.exchanges if exchange.prompt == "repair"]
    reasons = ("unknown field 'own_effort'", "Attribute is not allowed", "found 0")
    assert [reason in repair.asked for reason, repair in zip(reasons, repairs, strict=True)] == [True] * 3


def test_garbage_ends_after_the_repairs_and_nothing_said_is_lost() -> None:
    with pytest.raises(FactorSearchError, match=r"no factors after 5 repairs; the last error: .*found 0") as failed:
        search_factors(lambda prompt, temperature: GARBAGE, GAME)
    assert len(failed.value.exchanges) == 5 + 1 + 5
    assert {exchange.answer for exchange in failed.value.exchanges} == {GARBAGE}


def test_a_search_can_be_replayed_without_its_model() -> None:
    found = search_factors(answering([GARBAGE, GARBAGE, GOOD]), GAME, proposals=1)
    assert search_factors(replayed(found.exchanges), GAME, proposals=1) == found
    with pytest.raises(LookupError, match="no stored answer"):
        search_factors(replayed(found.exchanges), make_game("PublicGoods-v1"), proposals=1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "found 0"),
        ("a == own_action", "found 0"),
        ("a = own_action\na = time", "a: expected every name once"),
        ("\n".join(f"factor {letter} = time" for letter in "abcdefghijklmnopq"), "expected 1 to 16 lines.*found 17"),
    ],
)
def test_lists_that_are_none_are_refused(answer: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        read_factors(answer)


def test_prompts_are_records_with_a_version() -> None:
    assert all(prompt.id == id and prompt.version >= 1 for id, prompt in PROMPTS.items())
