"""Expressions compute what they say, and nothing else can be said."""

from __future__ import annotations

import math

import numpy as np
import numpy.testing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.reward_models.expressions import DEEPEST, ExpressionError, parse_expression
from coopgym.algorithms.reward_models.factors import FACTOR_SETS, FactorFields, FactorSet, register_factors
from coopgym.games.registry import games, make_game

VALUES = {"own": np.array([0.25, 1.0]), "other": np.array([0.5, 0.0])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("own - 2 * other", [-0.75, 1.0]),
        ("-own + +other", [0.25, -1.0]),
        ("own / other", [0.5, 0.0]),
        ("min(own, other, 0.1)", [0.1, 0.0]),
        ("max(own, other)", [0.5, 1.0]),
        ("abs(own - other)", [0.25, 1.0]),
        ("exp(log1p(own))", [1.25, 2.0]),
        ("log1p(0 - 5)", [math.log1p(1e-9 - 1.0)] * 2),
        ("exp(1000000)", [math.exp(20.0)] * 2),
        ("clip(own, 0.3, 0.9)", [0.3, 0.9]),
        ("own < other", [1.0, 0.0]),
        ("own >= 1", [0.0, 1.0]),
        ("3", [3.0, 3.0]),
    ],
)
def test_arithmetic_is_the_same_on_both_backends(text: str, expected: list[float]) -> None:
    expression = parse_expression(text, VALUES)
    npt.assert_allclose(expression(VALUES), expected, rtol=1e-12)
    tensors = {name: torch.as_tensor(values) for name, values in VALUES.items()}
    npt.assert_allclose(expression(tensors), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('true')", r"the call .* is not allowed"),
        ("eval('1')", "the call .* is not allowed"),
        ("(lambda: 1)()", "the call .* is not allowed"),
        ("max(own, key=abs)", "the call .* is not allowed"),
        ("own.__class__", "Attribute is not allowed"),
        ("own[0]", "Subscript is not allowed"),
        ("[own for own in own]", "ListComp is not allowed"),
        ("min(*own, own)", "Starred is not allowed"),
        ("own ** 9", "BinOp is not allowed"),
        ("own if own else other", "IfExp is not allowed"),
        ("own < other < 1", "Compare is not allowed"),
        ("'own'", "Constant is not allowed"),
        ("True", "Constant is not allowed"),
        ("trust", "unknown field 'trust'.*numbers and named fields: other, own"),
        ("exp(own, other)", "exp of 2 numbers, expected 1"),
        ("max(own)", "max of 1 numbers, expected 2 or more"),
        ("1e999", "expected numbers of at most 1e\\+06"),
        ("9" * 500, "expected numbers of at most 1e\\+06"),
        ("-" * DEEPEST + "own", f"at most {DEEPEST} levels"),
        ("(" * 500 + "own" + ")" * 90, "expected"),
        ("own + " * 200 + "own", "at most 600 characters"),
        ("own = other", "invalid syntax"),
        ("", "invalid syntax"),
        ("own\0", "null bytes"),
    ],
)
def test_what_is_no_arithmetic_is_refused_and_told_what_may_stand(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as refused:
        parse_expression(text, VALUES)
    assert "comparisons of two sides" in str(refused.value)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text, VALUES)
    except ExpressionError:
        return
    assert expression.fields <= VALUES.keys()
    assert expression(VALUES).shape == (2,)


def test_the_shipped_factors_can_be_computed_in_every_game() -> None:
    for id in games():
        game = make_game(id)
        FACTOR_SETS["rules"].verify(game)
        assert {"own_action", "time"} <= set(FactorFields(game).names)


def test_a_factor_that_the_game_does_not_show_is_named() -> None:
    factors = FactorSet((("loyal", "loyalty - loyalty_before"),))
    factors.verify(make_game("PublicGoods-v1"))
    with pytest.raises(ExpressionError, match=r"factor 'loyal' in TrustDilemma-v1: .*unknown field 'loyalty'"):
        factors.verify(make_game("TrustDilemma-v1"))


def test_a_set_is_named_by_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coopgym.algorithms.reward_models.factors.FACTOR_SETS", dict(FACTOR_SETS))
    one, same, other = (FactorSet((("a", text),)) for text in ("own_action", "own_action", "time"))
    assert register_factors(one) == register_factors(same) != register_factors(other)
