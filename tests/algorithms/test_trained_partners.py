"""Trained partners: small policies, made as their cards say, that play the game they were trained in."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.algorithms.strangers import TrainedPartner, stranger, train_partners, write_policies
from coopgym.games.registry import games, make_game
from coopgym.play import play
from coopgym.strangers import POPULATIONS, Partner, population
from coopgym.strangers.partners import PARTNERS_FILE, partner_cards
from coopgym.strangers.policies import policies_file, policies_of, policy_digest
from tests.house import ROOT

FOLDER = ROOT / "data" / "strangers-v1"
CARDS = partner_cards(FOLDER)
GAME = "PlatformEcosystem-v1"
"""Five seats in two groups."""
TRAINED = [id for id in games("formal") if policies_of(FOLDER, id)]
LARGEST_HIDDEN = (32, 16)


def briefly(name: str) -> tuple[Partner, ...]:
    """Cards of a population, whose trainings are short."""
    return tuple(
        dataclasses.replace(card, training=dataclasses.replace(card.training, env_steps=640))
        for card in CARDS[name]
        if card.training
    )


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of populations in which nobody has been trained."""
    folder = tmp_path / "strangers-v1"
    folder.mkdir()
    shutil.copyfile(FOLDER / PARTNERS_FILE, folder / PARTNERS_FILE)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    return folder


def test_policies_are_made_kept_and_played(elsewhere: Path) -> None:
    assert population(GAME).missing_kinds == ("trained",)
    made = train_partners(GAME, "test", briefly("test"))
    write_policies(policies_file(elsewhere, GAME), made)
    kept = policies_of(elsewhere, GAME)
    assert {name: policy_digest(tensors) for name, tensors in kept.items()} == {
        name: policy_digest(tensors) for name, tensors in made.items()
    }
    assert population(GAME).untrained == ()
    assert len({policy_digest(tensors) for tensors in kept.values()}) == 4  # one per reward
    game = make_game(GAME, max_steps=4)
    cooperation = play(game, [make_agent("strangers:test/trained-private") for _ in range(5)], views="own").cooperation
    assert np.ptp(cooperation[0, 1:]) < 1e-12  # exchangeable seats share a policy
    assert cooperation[0, 0] != cooperation[0, 1]


def test_the_same_card_makes_the_same_policy() -> None:
    first, second = (train_partners(GAME, "test", briefly("test")[:1]) for _ in range(2))
    assert [policy_digest(tensors) for tensors in first.values()] == [policy_digest(each) for each in second.values()]


def test_partners_who_are_not_trained_say_how_to_train_them(elsewhere: Path) -> None:
    agent = stranger("test/trained-private")
    assert isinstance(agent, TrainedPartner)
    with pytest.raises(ValueError, match=f"`coopgym strangers build {GAME}` does that"):
        play(make_game(GAME), [agent, *(make_agent("TitForTat") for _ in range(4))])


def test_every_partner_has_an_address() -> None:
    for name in POPULATIONS:
        for card in CARDS[name]:
            assert stranger(f"{name}/{card.name}") is not None
    with pytest.raises(ValueError, match="expected training, test, training/NAME or test/NAME"):
        stranger("test/nobody")


def test_a_population_is_met_partner_by_partner() -> None:
    game, episodes = make_game("TrustDilemma-v1", max_steps=30), 200
    agents = [make_agent("strangers:training"), make_agent("Constant_50")]
    played = play(game, agents, episodes=episodes, views="own", record=True).trajectory
    assert played is not None
    met = {}
    for partner in population("TrustDilemma-v1", "training").partners:
        alone = play(game, [make_agent(partner.agent), make_agent("Constant_50")], views="own", record=True).trajectory
        assert alone is not None
        same = (played.shares[:, :, 0] == alone.shares[:, :1, 0]).all(0)
        met[partner.name] = int(same.sum())
    scripted = [name for name in met if not name.startswith(("noisy", "trained"))]
    assert all(met[name] > 0 for name in scripted)
    few = play(
        game, [make_agent("strangers:training"), make_agent("Constant_50")], episodes=3, views="own", record=True
    )
    assert few.trajectory is not None
    np.testing.assert_allclose(few.trajectory.shares, played.shares[:, :3], rtol=1e-9)


def test_a_vector_meets_somebody_new_in_every_episode() -> None:
    steps, same = 4, {"autoreset_mode": "SameStep", "max_steps": 4}
    envs = gymnasium.make_vec("coopgym/TrustDilemma-v1", 2, partners="strangers:training", **same)
    envs.reset(seed=1)
    seen = [envs.step(np.zeros((2, 1)))[0] for _ in range(12 * steps)]
    openings = np.stack(seen)[::steps].round(5)  # what is seen after the first step of every episode
    assert all(len(np.unique(openings[:, row], axis=0)) > 3 for row in range(2))


@pytest.mark.parametrize("id", TRAINED)
def test_released_policies_are_small_and_fit_their_game(id: str) -> None:
    game = make_game(id)
    groups, inputs = game.traits().exchangeable, game.seat_observation_bounds("own", 0)[0].shape[-1]
    found = policies_of(FOLDER, id)
    for name in POPULATIONS:
        for card in CARDS[name]:
            if card.training and f"{name}/{card.name}" in found:
                tensors = found[f"{name}/{card.name}"]
                assert {key.partition("/")[0] for key in tensors} == {str(group[0]) for group in groups}
                sizes = [tensors[f"{groups[0][0]}/weight_{layer}"].shape for layer in range(3)]
                assert sizes == [(inputs, 32), LARGEST_HIDDEN, (16, 1)]
                assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    seats = [make_agent("strangers:test/trained-cooperative") for _ in range(game.n_agents)]
    assert 0.0 < play(make_game(id, max_steps=game.spec.horizon), seats, views="own").cooperation.mean() <= 1.0
