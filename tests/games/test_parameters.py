"""Parameters of games: typed, checked, immutable, and every keyword is one of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from coopgym.games.parameters import Parameters, build, describe, parameter, phase_preset
from coopgym.games.registry import games, make_game

every_game = pytest.mark.parametrize("game_id", games())


@dataclass(frozen=True, kw_only=True)
class Example(Parameters):
    rate: float = parameter(0.5, 0.0, 1.0, doc="a rate", above_low=True)
    size: int = parameter(4, 2, doc="a size")
    levels: float | tuple[float, ...] = parameter(1.0, 0.0, doc="one or several levels")
    switch: bool = parameter(True, doc="a switch")
    label: str = parameter("plain", doc="a label")
    extra: Any = parameter(None, doc="anything")


def test_values_within_range_are_kept() -> None:
    chosen = Example(rate=1.0, size=2, levels=(0.0, 3.0), switch=False, label="other", max_steps=1)
    assert dataclasses.asdict(chosen) == {
        "max_steps": 1,
        "rate": 1.0,
        "size": 2,
        "levels": (0.0, 3.0),
        "switch": False,
        "label": "other",
        "extra": None,
    }


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"rate": 0.0}, r"rate=0.0: expected finite values in \(0, 1\] \(a rate\)"),
        ({"rate": 1.5}, r"rate=1.5: expected finite values in \(0, 1\]"),
        ({"rate": float("nan")}, "rate=nan: expected finite values"),
        ({"levels": float("inf")}, r"levels=inf: expected finite values in \[0, inf\)"),
        ({"levels": (1.0, -1.0)}, r"levels=\(1.0, -1.0\): expected finite values"),
        ({"size": 1}, "size=1: expected finite values"),
        ({"max_steps": 0}, "max_steps=0: expected finite values"),
    ],
)
def test_values_out_of_range_are_errors_that_name_value_range_and_meaning(
    keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Example(**keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"rate": "high"}, "rate='high': expected a number like 0.5"),
        ({"rate": True}, "rate=True: expected a number like 0.5"),
        ({"size": 2.5}, "size=2.5: expected a whole number like 4"),
        ({"switch": 1}, "switch=1: expected a bool like True"),
        ({"label": 3}, "label=3: expected a str like 'plain'"),
    ],
)
def test_values_of_the_wrong_kind_are_errors(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Example(**keywords)


@pytest.mark.parametrize("levels", [[1.0, 2.0], np.array([1.0, 2.0]), (1.0, 2.0)])
def test_lists_and_arrays_become_tuples(levels: Any) -> None:
    assert Example(levels=levels) == Example(levels=(1.0, 2.0))
    assert hash(Example(levels=levels)) == hash(Example(levels=(1.0, 2.0)))


def test_numbers_of_numpy_are_numbers() -> None:
    assert Example(rate=np.float32(0.5), size=np.int64(3)) == Example(rate=0.5, size=3)


def test_an_unknown_keyword_is_an_error_that_names_the_nearest_and_all() -> None:
    with pytest.raises(
        TypeError, match=r"Game-v1 got an unexpected keyword argument 'rat'; did you mean 'rate'\?.*extra, label"
    ):
        build(Example, {"rat": 0.1}, where="Game-v1")


def test_parameters_describe_themselves() -> None:
    assert describe(Example())[1] == ("rate", 0.5, "a rate")


def test_an_unknown_phase_is_an_error() -> None:
    with pytest.raises(ValueError, match="phase='boom': expected one of calm, storm"):
        phase_preset({"calm": {}, "storm": {}}, "boom")


@every_game
def test_every_parameter_of_every_game_is_documented_and_settable(game_id: str) -> None:
    defaults = make_game(game_id).parameters
    for name, value, meaning in describe(defaults):
        assert meaning, f"{game_id}: {name} has no description"
        assert getattr(make_game(game_id, **{name: value}).parameters, name) == value
    assert make_game(game_id, **make_game(game_id).parameter_dict()).parameters == defaults
    assert hash(defaults) == hash(make_game(game_id).parameters)


@every_game
def test_every_game_refuses_what_it_does_not_know(game_id: str) -> None:
    with pytest.raises(TypeError, match=f"{game_id} got an unexpected keyword argument 'reward_type'"):
        make_game(game_id, reward_type="private")
    with pytest.raises(ValueError, match="max_steps=0"):
        make_game(game_id, max_steps=0)
    with pytest.raises(TypeError, match=r"max_steps=2.5: expected a whole number"):
        make_game(game_id, max_steps=2.5)


@pytest.mark.parametrize(
    ("game_id", "keywords", "message"),
    [
        ("PublicGoods-v1", {"endowment": (50.0, 50.0)}, "endowment=.*expected one number or 5 numbers, got 2"),
        ("PublicGoods-v1", {"norm": (0.1,) * 6}, "norm=.*expected one number or 5 numbers, got 6"),
        ("PublicGoods-v1", {"norm": 1.2}, r"norm=1.2: expected finite values in \[0, 1\]"),
        ("SLCD-v1", {"share": (0.5, 0.6)}, "share=.*must sum to one"),
        ("SLCD-v1", {"dependence": ((0.0, 0.5), (1.5, 0.0))}, "dependence=.*expected finite values"),
        (
            "SLCD-v1",
            {"dependence": ((0.0, 0.5, 0.1), (0.5, 0.0, 0.1))},
            r"dependence=.*expected one number or a 2×2 matrix",
        ),
        ("SynergySearch-v1", {"gamma_range": (2.9, 2.1)}, "gamma_range=.*the lower first"),
        ("RenaultNissan-v1", {"phase": "merger"}, "phase='merger': expected one of formation, mature"),
        ("ApacheProject-v1", {"phase": "attic"}, "phase='attic': expected one of emergence, growth"),
        ("ReputationMarket-v1", {"n_agents": 1}, "n_agents=1: expected"),
        ("GraduatedSanction-v1", {"norm": 0.0}, "norm=0.0: expected shares above 0"),
    ],
)
def test_senseless_values_are_errors(game_id: str, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_game(game_id, **keywords)


def test_agents_may_have_their_own_endowment_and_norm() -> None:
    game = make_game("TeamProduction-v1", endowment=(10.0, 20.0, 30.0, 40.0), norm=(0.1, 0.2, 0.3, 0.4))
    np.testing.assert_allclose(game.spec.baselines, [1.0, 4.0, 9.0, 16.0])
    assert game.payoff_unit == 25.0
