"""Tournaments: what is measured, that it repeats, that neither order nor copies matter, and what is refused."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from coopgym.agents import Agent, Seat, Strategy
from coopgym.agents.base import Classifier, FloatArray
from coopgym.agents.heuristics import Constant, TitForTat
from coopgym.benchmarks.tournament import Participants, Tournament, compete, league, print_meta_game, tournament
from coopgym.games.registry import make_game
from coopgym.play import play

SHORT = {"max_steps": 12}
FIELD = ["TitForTat", "GrimTrigger", "Constant_20", "Constant_60", "Random"]


def played(agents: Participants = FIELD, game: str = "TrustDilemma-v1", **options: Any) -> Tournament:
    return tournament(game, agents, parameters=SHORT, **options)


@pytest.fixture(scope="module")
def field() -> Tournament:
    return played(episodes=2)


class SeatBound(Strategy):
    """Plays a level in one seat and refuses others, as trained policies do."""

    classifier = Classifier(memory_depth=0)

    def __init__(self, index: int, level: float) -> None:
        self.index, self.level = index, level

    def prepare(self) -> None:
        assert self.seat.index == self.index

    def cooperate(self, observation: FloatArray) -> float:
        return self.level


class Forgetful:
    """Plays all in its first play and nothing later: shows whether agents are fresh."""

    def __init__(self) -> None:
        self.plays = 0

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self.plays += 1
        self.shares = np.full(episodes, 1.0 if self.plays == 1 else 0.0)

    def act(self, observation: FloatArray) -> FloatArray:
        return self.shares


# What is measured


def test_a_cell_is_what_play_says() -> None:
    game = make_game("GiftExchange-v1", **SHORT)
    found = played(["Constant_20", "Constant_70"], "GiftExchange-v1", reward="integrated", seeds=[4])
    payoffs, returns, welfare = [], [], []
    for seat in range(2):
        levels = [0.7, 0.7]
        levels[seat] = 0.2
        episodes = play(game, [Constant(level) for level in levels], reward="integrated")
        payoffs.append(episodes.payoffs[0, [seat, 1 - seat]])
        returns.append(episodes.returns["integrated"][0, [seat, 1 - seat]])
        welfare.append(episodes.payoffs.sum())
    cell = {name: values[0, 0, 1] for name, values in found.measures.items()}
    assert [cell["focal_payoff"], cell["background_payoff"]] == pytest.approx(np.mean(payoffs, axis=0))
    assert [cell["focal_return"], cell["background_return"]] == pytest.approx(np.mean(returns, axis=0))
    assert cell["welfare"] == pytest.approx(np.mean(welfare))
    assert (cell["focal_cooperation"], cell["background_cooperation"]) == pytest.approx((0.2, 0.7))
    assert found.payoffs[0, 1] == cell["focal_return"]


def test_the_diagonal_is_self_play(field: Tournament) -> None:
    game = make_game("TrustDilemma-v1", **SHORT)
    episodes = play(game, [Constant(0.6), Constant(0.6)], reward="private")
    cell = {name: values[:, 3, 3] for name, values in field.measures.items()}
    assert cell["focal_payoff"] == pytest.approx(np.full(3, episodes.payoffs.mean()))
    assert (cell["focal_payoff"] == cell["background_payoff"]).all()


def test_between_two_seats_my_partner_is_your_visitor() -> None:
    found = played(["TitForTat", "Constant_20", "Constant_60"], "GiftExchange-v1", seeds=[0])
    for side in ("payoff", "return", "cooperation"):
        focal, background = found.mean(f"focal_{side}"), found.mean(f"background_{side}")
        assert background == pytest.approx(focal.T)
    assert found.mean("welfare") == pytest.approx(found.mean("focal_payoff") + found.mean("background_payoff"))


@pytest.mark.parametrize("game", ["PlatformEcosystem-v1", "PublicGoods-v1"])
def test_one_of_several_alike_seats_stands_for_all(game: str) -> None:
    names = {"tit": "TitForTat", "low": "Constant_20"}
    seats = make_game(game).n_agents
    by_kind = played(names, game, seeds=[1])
    every = played({"tit": "TitForTat", "low": [Constant(0.2) for _ in range(seats)]}, game, seeds=[1])
    for name, values in by_kind.measures.items():
        assert values == pytest.approx(every.measures[name], rel=1e-9), name


def test_a_lone_defector_gains_and_costs_the_others(field: Tournament) -> None:
    cooperator, defector = 3, 2
    own = field.mean("focal_payoff")
    assert own[defector, cooperator] > own[cooperator, cooperator]
    assert field.mean("background_payoff")[defector, cooperator] < own[cooperator, cooperator]


# Repetition


def test_the_same_seeds_give_the_same_bytes(field: Tournament) -> None:
    again = played(episodes=2)
    assert all(values.tobytes() == again.measures[name].tobytes() for name, values in field.measures.items())


def test_neither_order_nor_company_matters(field: Tournament) -> None:
    some = [4, 0, 2]
    reordered = played([FIELD[i] for i in some], episodes=2)
    for name, values in field.measures.items():
        assert (reordered.measures[name] == values[:, some][:, :, some]).all(), name


def test_only_chance_tells_seeds_apart(field: Tournament) -> None:
    errors = field.standard_error()
    assert errors is not None
    assert (errors[:4, :4] == 0.0).all()
    assert (errors[4] > 0.0).all()
    assert (field.measures["focal_return"][0, 4] != field.measures["focal_return"][1, 4]).all()
    assert played(["Random"], seeds=[5]).standard_error() is None


def test_games_with_chance_differ_by_seed_even_for_constants() -> None:
    found = played(["Constant_20", "Constant_70"], "SynergySearch-v1")
    errors = found.standard_error()
    assert errors is not None
    assert (errors > 0.0).all()


@pytest.mark.parametrize("make", [TitForTat, lambda: TitForTat()])
def test_factories_play_like_names(make: Callable[[], Agent]) -> None:
    found = played({"name": "TitForTat", "factory": make, "low": "Constant_20"})
    assert (found.payoffs[0] == found.payoffs[1]).all()
    assert (found.payoffs[:, 0] == found.payoffs[:, 1]).all()


def test_policies_bound_to_seats_meet_only_their_seats() -> None:
    found = played({"bound": [SeatBound(0, 0.2), SeatBound(1, 0.3)], "tit": "TitForTat"}, seeds=[0])
    assert found.mean("focal_cooperation")[0] == pytest.approx([0.25, 0.25])


@pytest.mark.parametrize("entrant", [Forgetful, [Forgetful(), Forgetful()]])
def test_every_match_has_fresh_agents(entrant: Any) -> None:
    found = played({"forgetful": entrant, "low": "Constant_20"})
    assert found.mean("focal_cooperation")[0] == pytest.approx([1.0, 1.0])


# Methods


def test_copies_do_not_change_nash_averaging() -> None:
    plain = played({"tit": "TitForTat", "low": "Constant_20", "high": "Constant_60"}).nash_averaging()
    copied = played(
        {"tit": "TitForTat", "low": "Constant_20", "high": "Constant_60", "again": "Constant_60", "more": "Constant_20"}
    ).nash_averaging()
    assert copied.skill[:3] == pytest.approx(plain.skill)
    assert copied.distribution[1] + copied.distribution[4] == pytest.approx(plain.distribution[1])


def test_defection_spreads_among_constants() -> None:
    ratings = {row.agent: row for row in played(["Constant_20", "Constant_60"]).ratings().rows}
    low, high = ratings["Constant_20"], ratings["Constant_60"]
    assert low.stable
    assert not high.stable
    assert low.self_play < high.self_play, "although everybody would be better off"
    for method in ("replicator", "alpha_rank", "nash"):
        assert getattr(low, method) == pytest.approx(1.0, abs=1e-3), method
    assert high.skill == pytest.approx((high.among_others - low.among_others) / 2)


def test_rows_are_tidy(field: Tournament) -> None:
    rows = list(field.rows())
    assert len(rows) == 3 * 5 * 5
    chosen = next(r for r in rows if (r["focal"], r["background"], r["seed"]) == ("Random", "TitForTat", 2))
    assert chosen["focal_return"] == field.measures["focal_return"][2, 4, 0]
    assert chosen["parameters"] == '{"max_steps":12}'


def test_a_league_gives_every_game_the_same_weight() -> None:
    names = ["TitForTat", "Constant_20", "Constant_60"]
    both = compete(["TrustDilemma-v1", "PublicGoods-v1"], names, seeds=[0], parameters=SHORT)
    single = [played(names, game, seeds=[0]) for game in ("TrustDilemma-v1", "PublicGoods-v1")]
    assert not isinstance(both, Tournament)
    assert both.normalised.min((1, 2)).tolist() == [0.0, 0.0]
    assert both.normalised.max((1, 2)).tolist() == [1.0, 1.0]
    scaled = [(each.payoffs - each.payoffs.min()) / np.ptp(each.payoffs) for each in single]
    assert both.payoffs == pytest.approx(np.mean(scaled, axis=0))
    assert [row["game"] for row in both.rows()] == [row["game"] for each in single for row in each.rows()]
    assert sum(row.replicator for row in both.ratings().rows) == pytest.approx(1.0)


def test_leagues_need_the_same_agents_and_reward() -> None:
    first = played(["TitForTat"], seeds=[0])
    with pytest.raises(ValueError, match="the same agents"):
        league([first, played(["Constant_20"], seeds=[0])])
    with pytest.raises(ValueError, match="one reward mode"):
        league([first, played(["TitForTat"], seeds=[0], reward="integrated")])
    with pytest.raises(ValueError, match="at least one"):
        league([])


def test_progress_reaches_the_end() -> None:
    told: list[float] = []
    compete(["TrustDilemma-v1", "PublicGoods-v1"], ["Constant_20"], parameters=SHORT, report=told.append)
    assert told == [0.5, 1.0]


# Tables


def printed(found: Any) -> str:
    console = Console(width=140, file=io.StringIO(), record=True)
    print_meta_game(console, found)
    return console.export_text(styles=True)


def test_the_tables_show_payoffs_errors_and_ratings(field: Tournament) -> None:
    text = printed(field)
    assert "Returns per episode in TrustDilemma-v1, max_steps=12, private reward" in text
    assert f"{field.payoffs[3, 3]:.1f}" in text
    errors = field.standard_error()
    assert errors is not None
    assert f"{field.payoffs[4, 0]:.1f} ± {errors[4, 0]:.1f}" in text
    best = field.payoffs[:, 3].max()
    assert f"\x1b[1m{best:.1f}\x1b[0m" in text, "best replies are bold"
    assert len(re.findall(r"^ *Constant_60 ", text, re.MULTILINE)) == 1, "one row of ratings"


def test_the_tables_of_a_league_and_of_a_lone_agent_print() -> None:
    names = ["TitForTat", "Constant_20"]
    both = compete(["TrustDilemma-v1", "PublicGoods-v1"], names, parameters=SHORT)
    assert "Mean of 2 games" in printed(both)
    assert "100.0%" in printed(played(["TitForTat"]))


# Documentation


# Refusals


@pytest.mark.parametrize(
    ("agents", "options", "error", "message"),
    [
        ([], {}, ValueError, "at least one"),
        (["TitForTat", "TitForTat"], {}, ValueError, "takes part twice"),
        ("TitForTat", {}, TypeError, "a list of names"),
        (["TitForTwo"], {}, ValueError, "did you mean"),
        ({"three": [TitForTat(), TitForTat(), TitForTat()]}, {}, ValueError, "each of the 2 seats"),
        ({"one": TitForTat()}, {}, TypeError, "class or function that makes an agent"),
        (["TitForTat"], {"seeds": [1, 1]}, ValueError, "each once"),
        (["TitForTat"], {"seeds": []}, ValueError, "at least one seed"),
        (["TitForTat"], {"episodes": 0}, ValueError, "episodes=0"),
        (["TitForTat"], {"reward": "selfish"}, ValueError, "selfish"),
    ],
)
def test_bad_input_is_refused(agents: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        played(agents, **options)


def test_unknown_measures_are_named() -> None:
    with pytest.raises(ValueError, match="expected one of focal_return"):
        played(["TitForTat"], seeds=[0]).mean("wealth")
