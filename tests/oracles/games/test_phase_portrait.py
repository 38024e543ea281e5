"""Portraits against the solvers they picture and against the laws of trust."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.registry import games, make_game
from coopgym.games.state import State, state_arrays
from coopgym.oracles.games.best_response import best_response, regret
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.phase_portrait import LADDER, PhasePortrait, StageGameByRow, phase_portrait, reactions
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, expected_step, unroll
from tests.support.formal_certificates import CERTIFICATES

SYMMETRIC = [game for game, facts in CERTIFICATES.items() if len(facts["groups"]) == 1]
SMALL = ("TrustDilemma-v1", "PartnerHoldUp-v1", "AppleAppStore-v1", "TeamProduction-v0")


@pytest.fixture(scope="module")
def team() -> PhasePortrait:
    return phase_portrait(make_game("TeamProduction-v1"))


@pytest.mark.parametrize("game", SYMMETRIC)
def test_reaction_curves_cross_the_diagonal_at_the_certified_equilibria(game: str) -> None:
    facts, found = CERTIFICATES[game], reactions(make_game(game))
    wanted = {("private", "nash"), ("integrated", "coopetitive_T0")}
    later = {("private", "nash_T1"), ("integrated", "coopetitive_T1")}
    for curves, expected in ((found.at_reset, wanted), (found.trusting, later)):
        for reward, key in expected:
            above = curves[reward][0] - found.others
            (crossing,) = np.flatnonzero(np.diff(np.sign(above)) < 0)
            low, high = found.others[crossing : crossing + 2]
            assert low - 0.003 <= facts[key][0] <= high + 0.003


@pytest.mark.parametrize("game", SMALL)
def test_reaction_curves_are_best_responses(game: str) -> None:
    made, found = make_game(game), reactions(make_game(game))
    form = StageGame(made, "integrated")
    for row, group in zip(found.at_reset["integrated"], found.groups, strict=True):
        answers = best_response(form, np.repeat(found.others[:, None], made.n_agents, axis=1), group[0])
        assert row == pytest.approx(answers.share, abs=1e-6)


@settings(max_examples=10)
@given(trust=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4), share=st.floats(0.0, 1.0))
def test_a_batch_of_states_pays_as_each_state_alone(trust: list[float], share: float) -> None:
    made = make_game("GiftExchange-v1")
    states = [initial_state(made, trust=level) for level in trust]
    stacked = type(states[0])(**{name: np.stack([vars(s)[name] for s in states]) for name in state_arrays(states[0])})
    profiles = np.broadcast_to([share, 1.0 - share], (len(trust), 3, 2))
    together = StageGameByRow(made, "integrated", stacked).utilities(profiles)
    apart = [StageGame(made, "integrated", state).utilities(profiles[0]) for state in states]
    assert together == pytest.approx(np.stack(apart), abs=1e-12)


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "PublicGoods-v1", "IndirectReciprocity-v1", "RecoveryRace-v1"])
def test_trust_stands_still_at_the_norm(game: str) -> None:
    portrait = phase_portrait(make_game(game))
    still = portrait.standstill[~np.isnan(portrait.standstill)]
    assert still == pytest.approx(CERTIFICATES[game]["baseline"][0], abs=1e-6)
    assert len(still) >= 9


def test_nothing_stands_still_where_damage_lets_trust_fall_anyhow() -> None:
    portrait = phase_portrait(make_game("RecoveryRace-v1"))  # damage 0.5 at reset
    assert np.isnan(portrait.standstill[LADDER > 0.5]).all()


@pytest.mark.parametrize("game", SMALL)
def test_the_ladder_of_equilibria_holds_at_every_trust(game: str) -> None:
    made, portrait = make_game(game), phase_portrait(make_game(game))
    assert portrait.residuals.max() < 1e-6
    group_of = [next(g for g, group in enumerate(portrait.groups) if seat in group) for seat in range(made.n_agents)]
    for rung in (0, 7, 20):
        form = StageGame(made, "integrated", initial_state(made, trust=float(LADDER[rung])))
        for branch in portrait.equilibria:
            assert regret(form, branch[rung][group_of], levels=201) <= 1e-6 * form.scale


def test_best_responses_point_towards_the_equilibrium(team: PhasePortrait) -> None:
    for trust, row in zip(team.trust, team.towards, strict=True):
        rest = np.interp(trust, team.ladder, team.mean_equilibria[0])
        apart = np.abs(team.cooperation - rest) > 0.02
        assert (np.sign(row) == np.sign(rest - team.cooperation))[apart].all()


def test_trust_changes_as_a_step_changes_it(team: PhasePortrait) -> None:
    made = make_game("TeamProduction-v1")
    state = initial_state(made, trust=0.7)
    after = expected_step(made, state, np.full(4, 0.2) * made.spec.endowments).state
    assert team.trust_change[7, 2] == pytest.approx(after.trust[0, 1] - 0.7, abs=1e-12)
    assert (np.diff(team.trust_change, axis=1) >= -1e-12).all(), "more cooperation never costs trust"


def test_play_ends_where_a_simulation_ends(team: PhasePortrait) -> None:
    made = make_game("TeamProduction-v1")
    row, column = 16, 6

    def mutual(state: State) -> float:
        return min(float(state.trust[0, 1]), 1.0 - float(state.damage[0, 1]))

    def myopic(t: int, state: State) -> Any:
        rest = np.interp(mutual(state), team.ladder, team.equilibria[0, :, 0])
        return np.full(4, rest if t else team.starts[column]) * made.spec.endowments

    first = initial_state(made, trust=float(team.starts[row]))
    *_, last = unroll(made, myopic, start=first, draws=NOMINAL)
    assert team.final_trust is not None
    assert team.final_trust[row, column] == pytest.approx(mutual(last.transition.state), abs=1e-9)


def test_trust_has_two_fates_in_the_team(team: PhasePortrait) -> None:
    assert team.final_trust is not None
    assert team.final_trust[0].max() < 0.05, "no trust is never regained by myopic play"
    assert team.final_trust[-1, -1] > 0.95
    assert (np.diff(team.final_trust, axis=0) >= -1e-9).all(), "more trust at the start never ends in less"


@pytest.mark.parametrize("game", [game for game in games("released") if "Apache" not in game][::4])
def test_released_games_have_portraits(game: str) -> None:
    portrait = phase_portrait(make_game(game))
    assert portrait.residuals.max() < 1e-6
    assert portrait.final_trust is not None
    assert ((portrait.final_trust >= 0.0) & (portrait.final_trust <= 1.0)).all()
