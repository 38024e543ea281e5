"""Certificates against those of an independent implementation, and as records."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from coopgym.games.registry import games, make_game
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.certificate import Certificate, certify
from coopgym.oracles.games.certificate_record import certificate_record
from coopgym.oracles.games.dilemma import dilemma, fear, greed, mutuality_path, schelling
from coopgym.oracles.games.mechanism import enforced_agreement, value_of_information
from coopgym.oracles.games.normal_form import CommitmentGame, StageGame
from coopgym.oracles.games.rollout import initial_state
from tests.support.formal_certificates import CERTIFICATES, CERTIFIED, COMMITMENT, PAYOFF, PROFILE, certified


def per_group(form: StageGame, values: npt.NDArray[np.float64]) -> list[float]:
    return values[[group[0] for group in form.groups]].tolist()


@pytest.mark.parametrize(
    ("game", "phase"),
    [pytest.param(game, phase, marks=[pytest.mark.slow] if phase else []) for game, phase in CERTIFIED],
)
def test_stage_games_are_the_certified_dilemmas(game: str, phase: str | None) -> None:
    made, facts = certified(game, phase)
    form = StageGame(made)
    for suffix, trust in (("", None), ("_T1", 1.0)):
        solved = dilemma(made, None if trust is None else initial_state(made, trust, 0.0))
        nash, coopetitive, optimum = solved.nash.only(), solved.coopetitive.only(), solved.optimum
        assert solved.nash.unique
        assert per_group(form, nash.profile) == pytest.approx(facts[f"nash{suffix}"], abs=PROFILE)
        assert per_group(form, coopetitive.profile) == pytest.approx(
            facts[f"coopetitive{suffix or '_T0'}"], abs=PROFILE
        )
        assert per_group(form, optimum.profile) == pytest.approx(facts[f"optimum{suffix}"], abs=PROFILE)
        assert solved.price_of_anarchy == pytest.approx(facts[f"poa{suffix}"], abs=PAYOFF)
        assert solved.gap_closed == pytest.approx(facts[f"gap_closed{suffix}"], abs=PAYOFF)
        if suffix:
            continue
        assert nash.welfare == pytest.approx(facts["W_nash"], abs=PAYOFF)
        assert coopetitive.welfare == pytest.approx(facts["W_coopetitive"], abs=PAYOFF)
        assert optimum.welfare == pytest.approx(facts["W_optimum"], abs=PAYOFF)
        diagram = schelling(form, nash.profile, optimum.profile)
        assert per_group(form, greed(form, optimum.profile)) == pytest.approx(facts["greed"], abs=PAYOFF)
        assert per_group(form, fear(form, nash.profile, optimum.profile)) == pytest.approx(facts["fear"], abs=PAYOFF)
        assert diagram.cooperate.tolist() == pytest.approx(facts["schelling_cooperate"], abs=PAYOFF)
        assert diagram.defect.tolist() == pytest.approx(facts["schelling_defect"], abs=PAYOFF)
        for degree, found in mutuality_path(made).items():
            wanted = facts["mutuality_path"][str(degree)]
            assert per_group(form, found.only().profile) == pytest.approx(wanted, abs=PROFILE)


ALWAYS = "TrustDilemma-v1"
"""Its state pays; the commitments of the others are searched for in the slow tests, seconds to minutes each."""


def near(found: list[list[float]], wanted: list[float], tolerance: float) -> bool:
    return any(np.abs(np.subtract(shares, wanted)).max() <= tolerance + 1e-9 for shares in found)


def is_convention(made: Any, mode: str, groups: list[int], shares: list[float]) -> bool:
    """Whether nobody gains by leaving this commitment alone, up to what a grid resolves."""
    form = CommitmentGame(made, mode)
    return regret(form, np.repeat(shares, groups), form.levels) <= 2e-4


@pytest.mark.parametrize(
    "game", [game if game == ALWAYS else pytest.param(game, marks=pytest.mark.slow) for game in CERTIFICATES]
)
def test_commitment_play_and_mechanism_are_as_certified(game: str) -> None:
    facts, certificate = CERTIFICATES[game], certify(game)
    record = certificate_record(certificate)
    assert certificate.qualifies, certificate.remarks
    assert record["groups"] == facts["groups"]
    constant, wanted = record["constant"], facts["constant"]
    assert constant["W_optimum"] == pytest.approx(wanted["W_optimum"], abs=PAYOFF)
    if wanted["optimum"] is not None:
        coarse = 0.05 if game.startswith("Apple") else COMMITMENT  # three seats were searched on a 5 % grid
        assert near([constant["optimum"]], wanted["optimum"], coarse)
    held = wanted["equilibria"]["private"]
    welfare = [CommitmentGame(certificate.game).payoffs(np.repeat(each["at"], facts["groups"])).mean() for each in held]
    prices = certificate.commitment.optimum.welfare / np.array(welfare)
    assert (prices.max(), prices.min()) == pytest.approx((wanted["poa_worst"], wanted["poa_best"]), abs=PAYOFF)
    # Its equilibria lie on a grid, ours between the points.
    assert constant["poa_best"] == pytest.approx(wanted["poa_best"], abs=0.015)
    assert constant["poa_worst"] >= wanted["poa_worst"] - 0.015
    for mode, best in wanted["best_common"].items():
        assert constant["best_common"][mode]["fraction"] == pytest.approx(best["fraction"], abs=COMMITMENT)
        at_percent = constant["best_common"][mode]["at_percent"]
        if game.startswith("Apache"):  # scanned in steps of 2 %: between them its recorded rewards are interpolated
            rewards = certificate.commitment.curves[mode].rewards
            at_percent |= {odd: float(rewards[[int(odd) - 1, int(odd) + 1]].mean()) for odd in ("25", "75")}
        assert at_percent == pytest.approx(best["at_percent"], abs=PAYOFF)
    if "stage_private" not in facts["mechanism"].get("on", {}):
        return
    grid = 0.025 if game.startswith("Apache") else COMMITMENT
    for side, parameters in (("on", {}), ("off", {"mechanism": False})):
        effect, certified_effect = record["mechanism"][side], facts["mechanism"][side]
        made = make_game(game, **parameters)
        for mode in ("private", "integrated"):
            for key in (f"stage_{mode}", f"stage_{mode}_T1"):
                assert effect[key] == pytest.approx(certified_effect[key], abs=PROFILE)
            assert effect[f"best_common_{mode}"] == pytest.approx(certified_effect[f"best_common_{mode}"], abs=grid)
            found = [entry["at"] for entry in effect[f"constant_{mode}"]]
            for entry in certified_effect[f"constant_{mode}"]:
                # Where conventions form a continuum, different starts end in different ones of it.
                assert near(found, entry["at"], grid) or is_convention(made, mode, facts["groups"], entry["at"])


def test_an_enforced_agreement_takes_most_of_the_greed_out() -> None:
    facts = CERTIFICATES["CooperativeNegotiation-v1"]
    effect = enforced_agreement(make_game("CooperativeNegotiation-v1"), facts["optimum"][0])
    assert effect is not None
    on, off = facts["mechanism"]["on"], facts["mechanism"]["off"]
    greed_with, greed_without = on["greed_under_agreement_at_optimum"], off["greed_under_agreement_at_optimum"]
    assert effect.greed == pytest.approx((greed_with, greed_without), abs=PAYOFF)
    assert effect.deviation == pytest.approx((on["best_deviation"], off["best_deviation"]), abs=PROFILE)
    assert effect.trust_after_breach == pytest.approx(facts["mechanism"]["trust_after_breach_on_off"], abs=1e-6)


def test_knowing_the_synergy_weight_is_worth_what_is_certified() -> None:
    facts = CERTIFICATES["SynergySearch-v1"]["mechanism"]
    effect = value_of_information(make_game("SynergySearch-v1"))
    assert effect is not None
    assert effect.optimum == pytest.approx(facts["optimum_at_low_mid_high"], abs=PROFILE)
    assert effect.nash == pytest.approx(facts["nash_at_low_mid_high"], abs=PROFILE)
    assert effect.gain_from_knowing == pytest.approx(facts["value_of_information_percent"] / 100, abs=PAYOFF)
    assert effect.loss_of_low_belief_at_high == pytest.approx(
        facts["regret_of_low_belief_at_high_percent"] / 100, abs=PAYOFF
    )


def test_other_parameters_get_another_certificate() -> None:
    usual, dearer = (certify("TeamProduction-v1", max_steps=5, **changed) for changed in ({}, {"k": 1.4}))
    assert dearer.at_reset.nash.only().profile[0] < usual.at_reset.nash.only().profile[0] - 0.02
    assert certificate_record(dearer)["parameters"]["k"] == 1.4


def small(game: str, **parameters: Any) -> Certificate:
    return certify(game, max_steps=5, **parameters)


def test_a_game_that_is_no_dilemma_is_told_why() -> None:
    flat = small("TrustDilemma-v0")
    assert not flat.qualifies
    assert "the price of anarchy is below 1.15" in flat.remarks
    corner = small("PublicGoods-v1", q=0.0, theta=0.0)
    assert {"a private equilibrium is at a corner", "the optimum is at a corner"} <= set(corner.remarks)


OF_ITS_OWN = {
    *("CooperativeNegotiation-v1", "SynergySearch-v1", "TeamProduction-v1", "GiftExchange-v1", "AppleAppStore-v0"),
}
"""What records differ in: an agreement and a value of information, a game of each class, the released edition."""


@pytest.mark.parametrize(
    "game",
    [
        game if game in OF_ITS_OWN else pytest.param(game, marks=pytest.mark.slow)
        for game in games()
        if not game.startswith("Apache")
    ],
)
def test_every_certificate_can_be_written_as_json(game: str) -> None:
    record = certificate_record(small(game))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["nash_search"]["found"][0]["regret"] <= 1e-6 * StageGame(make_game(game)).scale


def test_mistakes_are_explained() -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'tehta'.*did you mean 'theta'"):
        certify("TeamProduction-v1", tehta=3.0)
    with pytest.raises(ValueError, match="did you mean 'TeamProduction-v1'"):
        certify("TeamProducton-v1")
    with pytest.raises(TypeError, match="beside a game that has its own"):
        certify(make_game("TeamProduction-v1"), theta=3.0)
