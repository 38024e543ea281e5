"""Populations: two sets of partners for every game that share nobody, of every kind, and scenarios to meet them in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.agents.base import Strategy
from coopgym.games.registry import games, make_game
from coopgym.play import play
from coopgym.strangers import KINDS, POPULATIONS, Partner, population, populations_of, scenarios, strangers_folder
from coopgym.strangers.partners import PARTNERS_FILE, partner_cards
from coopgym.strangers.policies import policies_file, policies_of
from coopgym.strangers.populations import is_whole
from tests.house import ROOT

GAME = "TrustDilemma-v1"
GAMES = games("formal")
CARDS = partner_cards(ROOT / "data" / "strangers-v1")
LEAST = 12
"""Partners of a population."""
LARGEST = 10_000_000
"""Bytes of the release."""


def scripted(partner: Partner) -> bool:
    return partner.training is None


def behaviour(partner: Partner) -> str:
    """What a scripted partner is known by, however its card puts it."""
    agent = make_agent(partner.agent)
    assert isinstance(agent, Strategy)
    return f"{type(agent).__name__} {json.dumps(agent.identity(), sort_keys=True)}"


@pytest.mark.parametrize("name", POPULATIONS)
def test_every_population_has_enough_partners_of_every_kind(name: str) -> None:
    cards = CARDS[name]
    assert len(cards) >= LEAST
    assert {card.kind for card in cards} == set(KINDS)
    assert len({card.name for card in cards}) == len(cards)
    assert all(card.licence == "CC-BY-4.0" and card.made for card in cards)


def test_nobody_is_in_both_populations() -> None:
    training, test = ({behaviour(card) for card in CARDS[name] if scripted(card)} for name in POPULATIONS)
    assert not training & test
    assert len(training) + len(test) == sum(scripted(card) for name in POPULATIONS for card in CARDS[name])
    seeds = [{card.training.seed for card in CARDS[name] if card.training} for name in POPULATIONS]
    assert not seeds[0] & seeds[1]


@pytest.mark.parametrize("name", POPULATIONS)
def test_reciprocal_strategies_are_all_there_and_partners_change_at_two_times(name: str) -> None:
    agents = [make_agent(card.agent) for card in CARDS[name] if scripted(card)]
    classes = {type(agent).__name__ for agent in agents}
    assert classes >= {
        "TitForTat",
        "GenerousTitForTat",
        "ThresholdTitForTat",
        "GrimTrigger",
        "WinStayLoseShift",
        "Gradual",
        "ProportionalReciprocity",
    }
    assert sorted(agent.at for agent in agents if hasattr(agent, "at")) == [0.4, 0.7]
    rewards = {card.training.reward for card in CARDS[name] if card.training}
    assert rewards == {"private", "integrated", "cooperative", "svo=45"}


@pytest.mark.parametrize("name", POPULATIONS)
def test_cards_of_trained_partners_say_what_was_done(name: str) -> None:
    for card in CARDS[name]:
        if card.training:
            assert card.agent == f"strangers:{name}/{card.name}"
            assert f"{card.training.reward} reward, seed {card.training.seed}, {card.training.env_steps}" in card.made


@pytest.mark.parametrize("id", GAMES)
def test_populations_say_who_has_not_been_trained_in_a_game(id: str) -> None:
    for name in POPULATIONS:
        found = population(id, name)
        present = {partner.name for partner in found.partners}
        assert present | set(found.untrained) == {card.name for card in CARDS[name]}
        assert not present & set(found.untrained)
        assert found.missing_kinds == (("trained",) if len(found.untrained) == 4 else ())
        assert len(found.partners) >= LEAST


@pytest.mark.parametrize("id", GAMES)
def test_scenarios_put_the_focal_agent_into_every_kind_of_seat(id: str) -> None:
    game, met = make_game(id), scenarios(population(id))
    groups = game.traits().exchangeable
    assert len({each.name for each in met}) == len(met)
    for each in met:
        (group,) = [group for group in groups if each.focal_seats[0] in group]
        assert set(each.focal_seats) <= set(group)  # one plan can serve them all
        assert (each.reward, each.game) == ("private", id)
        assert len(each.seated(each.focal_seats)) == game.n_agents
    visited = {each.focal_seats for each in met if each.company == "visitor"}
    assert visited == {group[:1] for group in groups}
    residents = [each for each in met if each.company == "resident"]
    assert all(1 < len(each.focal_seats) <= (game.n_agents + 1) // 2 for each in residents)
    assert bool(residents) == (game.n_agents > 2 and max(map(len, groups)) > 2)
    mixes = [each for each in met if each.company == "mix"]
    assert len(mixes) == (2 * len(groups) if game.n_agents > 2 else 0)
    assert all(len(each.partners) == game.n_agents - 1 for each in mixes)


def test_scripted_partners_play_in_every_game() -> None:
    for id in GAMES:
        game = make_game(id, max_steps=3)
        for card in (card for name in POPULATIONS for card in CARDS[name]):
            if scripted(card) and card.kind != "oracle":
                seats = [make_agent(card.agent) for _ in range(game.n_agents)]
                assert np.isfinite(play(game, seats, reward="private", views="own").payoffs).all()


def test_unknown_games_populations_and_partners_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of training, test"):
        population("TrustDilemma-v1", "tests")
    with pytest.raises(ValueError, match="games of the formal edition"):
        population("TrustDilemma-v0")
    with pytest.raises(KeyError, match="no partner 'grim'"):
        population("TrustDilemma-v1")["grim"]


def test_a_damaged_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "strangers-v1"
    folder.mkdir()
    (folder / PARTNERS_FILE).write_text('{"training": [{"name": "x"}], "test": []}')
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    assert strangers_folder() == folder
    with pytest.raises(ValueError, match=r"partners\.json: the field 'training"):
        population("TrustDilemma-v1")


def test_policies_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    file = policies_file(tmp_path, "TrustDilemma-v1")
    file.parent.mkdir()
    file.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no readable tensors"):
        policies_of(tmp_path, "TrustDilemma-v1")


def test_the_release_is_small() -> None:
    folder = ROOT / "data" / "strangers-v1"
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < LARGEST


def test_partners_are_meant_by_population_by_address_and_by_name() -> None:
    whole, named = populations_of(GAME, ["strangers:test", "TitForTat", "strangers:test/grim-0.6", "TitForTat"])
    assert whole == population(GAME, "test")
    assert is_whole(whole)
    assert [(each.kind, whole.address(each)) for each in whole.partners[:1]] == [
        ("constant", "strangers:test/constant-0.35")
    ]
    assert [(each.kind, named.address(each)) for each in named.partners] == [("named", "TitForTat")]
    assert not is_whole(named)
    (some,) = populations_of(GAME, ["strangers:test/grim-0.6"])
    assert [each.name for each in some.partners] == ["grim-0.6"]
    assert not is_whole(some)


def test_partners_whom_nobody_has_trained_are_named_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strangers-v1").mkdir()
    shutil.copyfile(strangers_folder() / PARTNERS_FILE, tmp_path / "strangers-v1" / PARTNERS_FILE)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    (met,) = populations_of(GAME, ["strangers:test/trained-private", "strangers:test/grim-0.6"])
    assert ([each.name for each in met.partners], met.untrained) == (["grim-0.6"], ("trained-private",))


@pytest.mark.parametrize(
    ("game", "name", "message"),
    [
        (GAME, "strangers:tset", "expected strangers:training or strangers:test"),
        (GAME, "strangers:tset/grim-0.6", "expected strangers:training or strangers:test"),
        (GAME, "strangers:test/grim-0.7", "where test has .*grim-0.6"),
        (GAME, "GrimTriger", "did you mean 'GrimTrigger'"),
        ("TrustDilemma-v0", "strangers:test", "games of the formal edition"),
        ("TrustDilema-v1", "strangers:test", "did you mean 'TrustDilemma-v1'"),
    ],
)
def test_partners_who_are_nobody_are_refused(game: str, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        populations_of(game, [name])
