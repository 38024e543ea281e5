"""A game of forty lines that nobody registered: it passes the battery and gets a certificate, a plan and a bound."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from coopgym.backend import Array
from coopgym.games.game import Game, Transition
from coopgym.games.page_document import as_markdown
from coopgym.games.registry import games
from coopgym.games.spec import GameSpec
from coopgym.games.traits import MECHANISM_OFF, Traits
from coopgym.interfaces.text import game_rules_text
from coopgym.oracles import (
    StageGame,
    certificate_record,
    certified_gap,
    certify,
    discretise,
    plan,
    welfare_bracket,
)
from coopgym.oracles.dynamic.bounds import Gap, OptimisticBound, register
from coopgym.oracles.dynamic.planner import QUICK
from coopgym.rewards import reward_layer
from coopgym.testing import ConformanceError, check_game
from tests.support.plugin_game import Pasture, PastureState


def gap_of(game: Pasture, reward: str = "cooperative") -> Gap:
    return certified_gap(plan(game, reward, agents=(), budget=QUICK))


def test_it_is_registered_nowhere_and_passes_the_battery() -> None:
    assert Pasture.id not in games()
    check_game(Pasture)
    check_game(Pasture.configure(n_agents=2, endowment=(20.0, 40.0), payoff_noise=0.1), seed=1, steps=5)


def test_it_is_a_certified_dilemma() -> None:
    certificate = certify(Pasture.configure())
    assert certificate.remarks == ()
    assert certificate.groups == ((0, 1, 2),)
    record = json.loads(json.dumps(certificate_record(certificate)))
    assert record["payoff_unit"] == "mean endowment"
    assert certificate.without_mechanism is not None
    without = certificate.without_mechanism.at_reset.optimum.welfare
    assert without > certificate.at_reset.optimum.welfare, "soil is at half of its best at reset"


@pytest.mark.parametrize("reward", ["private", "integrated", "mutuality=0.3"])
def test_its_plans_have_a_bound(reward: str) -> None:
    gap = gap_of(Pasture.configure(), reward)
    assert gap.relative is not None, gap.reason
    assert -1e-12 <= gap.relative < 2e-3


def test_a_language_model_reads_its_rules() -> None:
    told = game_rules_text.rules(Pasture, Pasture.configure().parameters)
    assert told.startswith("Seats: agent_0 .. agent_2.\nActions: in [0, 50]; norm 15.\n")
    assert "theta 3 (own-use value θ)" in told
    assert told.endswith("End: after 20 steps.")


def test_it_has_a_page_of_documentation() -> None:
    page = as_markdown(Pasture.configure())
    assert "Herders share what care" in page
    for heading in ("Action Space", "Observation Space", "Arguments", "Episode End"):
        assert f"## {heading}\n" in page
    assert "`soil`" in page


def test_its_equilibria_are_bracketed() -> None:
    bracket = welfare_bracket(discretise(StageGame(Pasture.configure()), 5))
    assert bracket.worst_coarse <= bracket.nash_welfare.min() <= bracket.best_coarse < bracket.social_maximum


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ({"monotone_in_stocks": {"trust": 1, "damage": -1}}, "its stocks soil move and pay: declare each in monotone_"),
        ({"monotone_in_actions": {"trust": 1}}, "its stocks damage, soil move and pay"),
        ({"dominance": None}, "declare dominance, 'payoffs' or 'welfare'"),
        ({"concave": False}, "Careless does not declare payoffs concave"),
        ({"social_weights": None}, "declare social_weights"),
        ({"dominance": "welfare"}, "declare transfers, the seats that share"),
    ],
)
def test_without_traits_that_justify_it_a_bound_is_refused(instead: dict[str, Any], game_rules_text: str) -> None:
    class Careless(Pasture):
        def traits(self) -> Traits:
            return dataclasses.replace(super().traits(), **instead)

    gap = gap_of(Careless.configure(max_steps=2), "integrated")
    assert gap.upper is None
    assert game_rules_text in gap.reason


def test_a_bound_needs_no_more_than_the_interface_of_games() -> None:
    class Plain(Pasture):
        stage_payoffs = Game.stage_payoffs

        def traits(self) -> Traits:
            return super().traits()

    upper = gap_of(Plain.configure(max_steps=3)).upper
    assert upper == pytest.approx(gap_of(Pasture.configure(max_steps=3)).upper)


class Declaring(Pasture):
    """What a subclass declares instead."""

    instead: dict[str, Any]

    def traits(self) -> Traits:
        return dataclasses.replace(super().traits(), **self.instead)


class Withers(Declaring):
    instead = {"monotone_in_actions": {"trust": 1, "damage": -1, "soil": -1}}


class ThinksSoilIsHarmful(Declaring):
    instead = {"monotone_in_stocks": {"trust": 1, "damage": -1, "soil": -1}}


class ThinksBareSoilIdeal(Declaring):
    instead = {"monotone_in_stocks": {"trust": 1, "damage": -1}, "ideal_stocks": {"soil": 0.0}}


class IgnoresItsOwnLevel(Pasture):
    def advance(self, state: PastureState, cooperation: Array, payoffs: Array) -> PastureState:
        return self.next_state(state, cooperation, soil=(cooperation @ self.equal_weights) * (1.0 - state.soil))


class PaysSquares(Pasture):
    def payoffs(self, state: PastureState, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) + 20.0 * cooperation**2


class FavoursTheFirst(Pasture):
    def payoffs(self, state: PastureState, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) + self.backend.array([1.0, 0.0, 0.0])


class IsGrateful(Pasture):
    def relational(self, state: PastureState, cooperation: Array, payoffs: Array) -> Array:
        return 0.1 * payoffs


class NamesNoStock(Declaring):
    instead = {"ideal_stocks": {"rain": 1.0}}


class SeesTwiceTheSeats(Declaring):
    instead = {"exchangeable": ((0, 1, 2), (0, 1, 2))}


class DrawsTheSoil(Declaring):
    instead = {"hidden": {"soil": (0.6, 0.9)}}


class SharesWithTheFirst(Declaring):
    instead = {"transfers": ((0,), (1, 2))}

    def payoffs(self, state: PastureState, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) - self.backend.array([1.0, 0.0, 0.0])


class SwitchesToAnotherGame(Declaring):
    def traits(self) -> Traits:
        off = dataclasses.replace(self.parameters, n_agents=2)
        return dataclasses.replace(Pasture.traits(self), switches={MECHANISM_OFF: off})


class PaysByTheRoot(Pasture):
    def payoffs(self, state: PastureState, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) + (cooperation @ self.equal_weights)[..., None] ** 0.5


@pytest.mark.parametrize(
    ("lying", "message"),
    [
        (Withers, r"stocks move as declared: state.soil rises when agent 0 plays more.*soil'\] = -1; declare 1$"),
        (ThinksSoilIsHarmful, "a state pays more to some seat than the ideal one.*a sign in monotone_in_stocks"),
        (ThinksBareSoilIdeal, "a state pays more to some seat than the ideal one.*correct ideal_stocks"),
        (IgnoresItsOwnLevel, "state.soil gets better in . steps than on the ideal path"),
        (PaysSquares, "declare concave=True; leave it out"),
        (FavoursTheFirst, r"payoffs do not trade places when seats \[0, 1\] do.*declare exchange=None"),
        (IsGrateful, "relational utility adds up to more than social_weights.. allow; override social_weights"),
        (NamesNoStock, "ideal_stocks names rain; the stocks of the state are trust, damage, soil"),
        (SeesTwiceTheSeats, "is no partition of the 3 seats"),
        (DrawsTheSoil, r"state.soil is drawn outside \[0.6, 0.9\]; correct hidden"),
        (SharesWithTheFirst, r"seats \[0\] do not share what is largest in an ideal state; correct transfers"),
        (SwitchesToAnotherGame, "makes a game of 2 seats; keep 3"),
        (PaysByTheRoot, "gradients of payoffs are not finite when everybody plays 0%"),
    ],
)
def test_a_game_that_lies_fails_its_own_battery(lying: type[Pasture], message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_game(lying)


def test_a_bound_of_one_s_own_is_found_by_its_class_alone() -> None:
    class Simple(Pasture):
        def traits(self) -> Traits:
            return super().traits()

    class Simpler(Simple):
        def traits(self) -> Traits:
            return super().traits()

    @register(Simple)
    class Generous(OptimisticBound):
        def value(self, device: Any) -> float:
            return 2.0 * super().value(device)

    general, own = gap_of(Simpler.configure(max_steps=3)), gap_of(Simple.configure(max_steps=3))
    assert general.upper is not None
    assert own.upper == pytest.approx(2.0 * general.upper)


def test_a_spec_of_no_edition_is_refused() -> None:
    spec = Pasture.configure().spec
    facts = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.init}
    with pytest.raises(ValueError, match=r"Pasture-v1: edition='draft'; use one of released, formal"):
        GameSpec(**facts | {"edition": "draft"})


def test_ideal_states_are_those_of_full_care() -> None:
    game = Pasture.configure()
    bound = OptimisticBound(plan(game, "cooperative", agents=(), budget=QUICK), reward_layer("cooperative"))
    assert bound.refusal() == ""
    transition: Transition = game.step(game.initial_state(), game.endowments)
    assert transition.state.soil == pytest.approx(0.5 + 0.1 * 0.5)
    assert np.isclose(bound.value("cpu"), gap_of(game).upper or 0.0)
