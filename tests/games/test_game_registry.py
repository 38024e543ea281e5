"""Ids of games: listing, finding, describing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coopgym
from coopgym.games.formal import FORMAL
from coopgym.games.registry import game_class, games, make_game, spec
from coopgym.games.released import RELEASED
from coopgym.games.spec import GameSpec
from coopgym.registration import GAME_IDS

every_game = pytest.mark.parametrize("game_id", games())


def test_there_are_twenty_games_in_two_editions() -> None:
    assert games() == coopgym.games() == games("formal") + games("released")
    assert games("formal") == tuple(game.id for game in FORMAL)
    assert games("released") == tuple(game.id for game in RELEASED)
    assert [id.removesuffix("-v1") for id in games("formal")] == [id.removesuffix("-v0") for id in games("released")]
    assert len({*games()}) == len(games()) == 40


def test_ids_are_known_without_importing_a_game() -> None:
    assert games() == GAME_IDS


def test_an_unknown_edition_is_an_error() -> None:
    with pytest.raises(ValueError, match="edition='v1': expected 'formal', 'released' or None"):
        games("v1")


@every_game
def test_a_game_is_found_with_and_without_its_namespace(game_id: str) -> None:
    assert game_class(game_id) is game_class(f"coopgym/{game_id}")
    assert make_game(game_id).id == game_id


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("TrustDilema-v1", "did you mean 'TrustDilemma-v1'"),
        ("TrustDilemma", "did you mean 'TrustDilemma-v"),
        ("coopgym/PublicGood-v0", "did you mean 'PublicGoods-v0'"),
        ("chess", "List all with"),
    ],
)
def test_an_unknown_id_is_an_error_that_names_the_nearest(wrong: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"unknown game '{wrong}'.*{hint}"):
        make_game(wrong)


@every_game
def test_a_specification_says_what_a_game_is(game_id: str) -> None:
    described = spec(game_id)
    n = described.n_agents
    assert described.id == game_id
    assert described.name == game_id.rpartition("-")[0]
    assert described.edition == ("formal" if game_id.endswith("-v1") else "released")
    assert described.default_view == ("own" if described.edition == "formal" else "full")
    assert described.mechanism_class in {"TR-1", "TR-2", "TR-3", "TR-4"}
    assert described.summary.endswith(".")
    assert described.category
    assert described.agents == tuple(f"agent_{i}" for i in range(n))
    assert len(described.roles) == n
    assert described.horizon == described.parameters.max_steps
    assert (described.endowments > 0).all()
    assert ((described.baselines >= 0) & (described.baselines <= described.endowments)).all()
    np.testing.assert_allclose(described.shares.sum(), 1.0)
    assert described.interdependence.shape == (n, n)
    assert ((described.interdependence >= 0) & (described.interdependence <= 1)).all()
    np.testing.assert_array_equal(np.diag(described.interdependence), 0.0)


def test_a_specification_cannot_be_changed() -> None:
    described = spec("PublicGoods-v1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        described.horizon = 3
    with pytest.raises(ValueError, match="read-only"):
        described.endowments[0] = 1.0


def test_a_specification_follows_the_parameters() -> None:
    described = spec("PublicGoods-v1", n_agents=3, endowment=(10.0, 20.0, 30.0), norm=0.5, max_steps=7)
    assert (described.n_agents, described.horizon) == (3, 7)
    np.testing.assert_array_equal(described.baselines, [5.0, 10.0, 15.0])


def test_a_specification_must_agree_on_the_number_of_agents() -> None:
    described = spec("SLCD-v1")
    facts = {field.name: getattr(described, field.name) for field in dataclasses.fields(described) if field.init}
    with pytest.raises(ValueError, match="disagree on the number of agents"):
        GameSpec(**{**facts, "roles": ("only one",)})
