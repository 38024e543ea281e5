"""What games declare of themselves: whose promises they are, who is exchangeable, and which states are ideal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.games.traits import Groups, declares_traits, ideal_path, seats_of_equal_numbers
from coopgym.play import NOMINAL, open_loop, unroll


@pytest.mark.parametrize("id", games("formal"))
def test_every_formal_game_declares_its_own_traits(id: str) -> None:
    game = make_game(id)
    assert declares_traits(game)
    heir: AnyGame = type("Heir", (type(game),), {}).configure()
    assert not declares_traits(heir), "who changes the rules must say what still holds"


@pytest.mark.parametrize("id", games("released"))
def test_released_games_say_why_nothing_bounds_them(id: str) -> None:
    traits = make_game(id).traits()
    assert "multipliers and penalties" in traits.unbounded
    assert traits.published >= {"coopetition"}
    assert not traits.switches


@pytest.mark.parametrize(
    ("id", "parameters", "groups"),
    [
        ("TeamProduction-v1", {}, ((0, 1, 2, 3),)),
        ("PlatformEcosystem-v1", {"n_developers": 3}, ((0,), (1, 2, 3))),
        ("AppleAppStore-v1", {}, ((0,), (1,), (2,))),
        ("TrustDilemma-v1", {"endowment": (100.0, 90.0)}, ((0,), (1,))),
        ("TeamProduction-v1", {"endowment": (50.0, 40.0, 50.0, 40.0)}, ((0, 2), (1, 3))),
    ],
)
def test_seats_of_equal_numbers_are_exchangeable(id: str, parameters: dict[str, Any], groups: Groups) -> None:
    assert make_game(id, **parameters).traits().exchangeable == groups


@pytest.mark.parametrize("id", ["PartnerHoldUp-v1", "GiftExchange-v1"])
def test_seats_of_different_parts_are_not_even_with_equal_numbers(id: str) -> None:
    game = make_game(id, endowment=100.0, share=(0.5, 0.5), dependence=0.5)
    assert seats_of_equal_numbers(game.spec) == ((0, 1),)
    assert game.traits().exchangeable == seats_of_equal_numbers(game.spec, parts=(0, 1)) == ((0,), (1,))


def test_changed_traits_keep_the_other_entries_of_a_mapping() -> None:
    traits = make_game("SLCD-v1").traits()
    extended = traits.extended(monotone_in_actions={"soil": 1}, concave=False)
    assert extended.monotone_in_actions == {"trust": 1, "damage": -1, "soil": 1}
    assert not extended.concave
    assert extended.dominance == traits.dominance == "payoffs"


def test_the_ideal_path_follows_full_cooperation_and_the_memory_of_none() -> None:
    game = make_game("GraduatedSanction-v1", payoff_noise=0.5)
    start = game.initial_state((2,))
    path = ideal_path(game, game.traits(), start, 4)
    everything = np.ones((4, 2, game.n_agents))
    full = unroll(game, open_loop(game, everything), start=start, draws=NOMINAL, horizon=4)
    for state, step in zip(path, full, strict=True):
        assert np.array_equal(state.trust, step.before.trust)
        assert np.array_equal(state.record, 0.0 * state.record)
    assert np.allclose(path[3].memory[:, -3:], 0.0)
    assert np.allclose(path[3].memory[:, :-3], game.norm)


def test_what_the_relation_needs_is_held_on_the_ideal_path() -> None:
    game = make_game("PlatformEcosystem-v1")
    start = game.initial_state()
    alone = type(start)(**{**vars(start), "members": np.array([1.0, 0.0, 0.0, 1.0, 1.0])})
    assert all((state.members == 1.0).all() for state in ideal_path(game, game.traits(), alone, 3))


@pytest.mark.parametrize(
    ("id", "unit", "scale"), [("SLCD-v1", "mean endowment", 1.0), ("SLCD-v0", "unit of endowment", 100.0)]
)
def test_a_spec_says_what_a_payoff_is_worth(id: str, unit: str, scale: float) -> None:
    spec = make_game(id).spec
    assert (spec.payoff_unit, spec.payoff_scale) == (unit, scale)
    assert spec.columns() == {
        "environment": id, "edition": spec.edition, "mechanism_class": "TR-2", "n_agents": 2, "horizon": 100,
        "world": "fixed",
    }  # fmt: skip
