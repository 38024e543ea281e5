"""Which games are admitted in which worlds: by kept numbers, against three criteria, of the games as they are now."""

from __future__ import annotations

import pytest

from coopgym.benchmarks.documentation import worlds
from coopgym.benchmarks.study import admission as module
from coopgym.benchmarks.study.admission import Admission, admission, admitted_worlds, kept_worlds
from coopgym.games.registry import games, make_game
from coopgym.oracles.dynamic.informed import drawn_states
from coopgym.oracles.dynamic.opening_dilemmas import opening_dilemmas
from coopgym.worlds import TEST_SEEDS, WORLDS


def test_each_criterion_can_keep_a_game_out() -> None:
    assert Admission(0.95, 0.5, 0.6).admitted
    assert Admission(0.951, 0.5, 0.6).remarks == (
        "the best uninformed level earns 0.951 of the informed plans, more than 0.95",
    )
    assert Admission(0.9, 0.49, 0.6).remarks == ("Inferring scores 0.49, less than 0.5",)
    assert Admission(0.9, 0.9, 0.5).remarks == ("0.50 of the draws are dilemmas, less than 0.6",)


def test_all_games_and_worlds_are_kept_as_they_are_now() -> None:
    assert list(kept_worlds()) == list(games("formal"))
    assert list(worlds.missing(games("formal"))) == []
    assert all("common" in admitted_worlds(game) for game in games("formal"))


def test_what_is_not_kept_or_no_longer_so_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="PublicGoods-v1 in 'comon': nothing of it has been computed"):
        admission("PublicGoods-v1", "comon")
    cell = {"spread": 1.5, "of_informed": 0.9, "Inferring": 0.9, "dilemmas": 0.9}
    monkeypatch.setattr(module, "kept_worlds", lambda: {"PublicGoods-v1": {"common": cell}})
    with pytest.raises(ValueError, match=r"was computed with world_spread=1.5"):
        admission("PublicGoods-v1", "common")


@pytest.mark.parametrize("world", WORLDS)
def test_kept_dilemmas_are_those_of_the_test_draws(world: str) -> None:
    game = make_game("ReciprocalDilemma-v1", world=world)
    found = opening_dilemmas(game, drawn_states(game, TEST_SEEDS)).at_price(1.05).mean()
    assert found == pytest.approx(admission("ReciprocalDilemma-v1", world).dilemmas, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_kept_scores_are_recomputed(world: str) -> None:
    found, kept = worlds.computed("PublicGoods-v1", world), kept_worlds()["PublicGoods-v1"][world]
    assert found["level"] == pytest.approx(kept["level"])
    for name in ("of_informed", "dilemmas", "best_common_constant", *worlds.AGENTS):
        assert found[name] == pytest.approx(kept[name], abs=0.005), name
