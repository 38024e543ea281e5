"""Replays: coded histories in the registered games, and partners that are fitted to them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from coopgym.benchmarks.case_studies import load_case
from coopgym.benchmarks.case_studies.fitting import PATIENCE, RECIPROCITY, fit_case, fitted, retraced, retraced_together
from coopgym.benchmarks.case_studies.replay import GameEdition, Replay, coded_action, replay, scripts
from coopgym.benchmarks.case_studies.team.engine import symmetric_effort
from coopgym.benchmarks.cli.main import app
from coopgym.games.registry import make_game
from coopgym.mechanisms.team_model import TeamModel

CASES = ("slcd", "renault-nissan", "apache", "app-store")
EDITIONS: tuple[GameEdition, ...] = ("v0", "v1")

replayed = cache(replay)


def ends(path: Replay) -> list[float]:
    return [phase.after[0] for phase in path.phases]


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("case", CASES)
def test_histories_are_played_in_the_registered_games(case: str, edition: GameEdition) -> None:
    file, path = load_case(case), replayed(case, edition)
    assert path.game == f"{file.game}-{edition}"
    assert [phase.steps for phase in path.phases] == [phase.steps for phase in file.phases]
    assert len(path.shares) == len(path.trust) - 1 == sum(phase.steps for phase in file.phases)
    assert all(np.isfinite(phase.signals).all() for phase in path.phases)
    assert all(((trust >= 0.0) & (trust <= 1.0)).all() for trust in path.trust)


def test_levels_are_departures_from_the_baseline_within_the_endowment() -> None:
    game = make_game("RenaultNissan-v0")
    np.testing.assert_allclose(coded_action(game, (-2, 0)), [0.0, 30.0])
    np.testing.assert_allclose(coded_action(game, (-1, 2)), [13.5, 60.0])


@pytest.mark.parametrize("case", ["slcd", "renault-nissan", "app-store"])
def test_signals_of_the_released_edition_are_saturated(case: str) -> None:
    for phase in replayed(case, "v0").phases:
        np.testing.assert_allclose(phase.signals, np.sign(phase.levels), atol=1e-3)


@pytest.mark.parametrize("case", ["slcd", "renault-nissan", "app-store"])
def test_signals_of_the_formal_edition_tell_levels_apart(case: str) -> None:
    sizes = {abs(float(signal)) for phase in replayed(case, "v1").phases for signal in phase.signals}
    assert max(sizes) < 0.9
    assert len({round(size, 2) for size in sizes}) >= 2


def test_the_released_equilibrium_of_slcd_destroys_trust() -> None:
    path = replayed("slcd", "v0", "coopetitive equilibrium")
    assert (path.phases[0].actions < 30.0).all()
    assert ends(path)[-1] < 0.01


@pytest.mark.parametrize("edition", EDITIONS)
def test_without_divergence_trust_ends_clearly_higher(edition: GameEdition) -> None:
    happened, instead = ends(replayed("slcd", edition)), ends(replayed("slcd", edition, "without divergence"))
    assert happened[2] > 0.65
    assert instead[:3] == happened[:3]
    assert instead[-1] > happened[-1] + 0.3


@pytest.mark.parametrize("edition", EDITIONS)
def test_samsung_loses_trust_in_sony_first(edition: GameEdition) -> None:
    divergence = replayed("slcd", edition).phases[3].trust
    assert divergence[0, 1] < divergence[1, 0]


@pytest.mark.parametrize("edition", EDITIONS)
def test_trust_goes_from_one_episode_of_the_alliance_into_the_next(edition: GameEdition) -> None:
    phases = replayed("renault-nissan", edition).phases
    for earlier, later in pairwise(phases):
        assert later.before == pytest.approx(earlier.after)
    gaps = [abs(phase.before[0] - phase.preset_trust) for phase in phases]
    assert gaps[0] == pytest.approx(0.0)
    assert max(gaps) > 0.1


def test_teams_of_another_size_begin_anew() -> None:
    phases = replayed("apache", "v1").phases
    assert [len(phase.actions) for phase in phases] == [8, 15, 40, 35]
    assert all(phase.before == pytest.approx((0.5, 0.0)) for phase in phases)
    loyalties = [phase.loyalty or 0.0 for phase in phases]
    assert loyalties == sorted(loyalties, reverse=True)
    assert loyalties[-1] > 0.0


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_recursion_can_act_in_the_registered_store(edition: GameEdition) -> None:
    path = replayed("app-store", edition, "recursion")
    crisis, before = path.phases[3], path.phases[2]
    assert (crisis.actions[:2] < before.actions[:2]).all()
    assert ends(path)[3] < ends(path)[2]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_team_at_its_symmetric_equilibrium_stays_far_below_the_coded_efforts(edition: GameEdition) -> None:
    rested, coded = replayed("apache", edition, "symmetric equilibrium"), replayed("apache", edition)
    efforts = [float(phase.actions.mean()) for phase in rested.phases]
    assert all(np.ptp(phase.actions) == 0.0 for phase in rested.phases)
    assert all(
        0.0 < effort < 0.5 * float(phase.actions.mean()) for effort, phase in zip(efforts, coded.phases, strict=True)
    )


def test_nobody_in_the_symmetric_equilibrium_would_rather_do_otherwise() -> None:
    team = TeamModel(n_agents=8, omega=20.0, beta=0.7, c=1.0, phi_B=0.75, phi_C=0.25, a_max=50.0)
    alike = np.full(8, symmetric_effort(team, 0.4))

    def utility(own: float) -> float:
        efforts = np.concatenate([[own], alike[1:]])
        return float((team.payoffs(efforts) + team.loyalty_terms(np.full(8, 0.4), efforts))[0])

    assert symmetric_effort(team, 0.0) == pytest.approx(team.equilibrium())
    assert symmetric_effort(team, 0.4) > symmetric_effort(team, 0.0)
    assert all(utility(alike[0] * factor) < utility(alike[0]) for factor in (0.5, 0.9, 1.1, 2.0))


def test_unknown_scripts_are_refused() -> None:
    assert scripts(load_case("renault-nissan")) == ("history",)
    with pytest.raises(ValueError, match="no script 'peace'; it has history, without divergence"):
        replay("slcd", script="peace")


def test_a_partner_that_made_the_path_is_found() -> None:
    rng = np.random.default_rng(3)
    others = rng.uniform(-0.2, 0.4, 40)
    targets = {"private": np.full(40, 0.1), "integrated": np.full(40, 0.35)}
    own = retraced(np.full(40, 0.5), others, targets["integrated"], np.array(0.7), np.array(0.4))
    found = fitted("seat", own, others, targets, held_out=10)
    assert (found.mode, found.reciprocity, found.patience) == ("integrated", pytest.approx(0.7), pytest.approx(0.4))
    assert found.held_out_error < 1e-9 < found.constant_error


def test_the_held_out_phase_does_not_move_the_fit() -> None:
    rng = np.random.default_rng(4)
    own, others = rng.uniform(0.0, 1.0, 30), rng.uniform(-0.3, 0.3, 30)
    targets = {"private": np.full(30, 0.4)}
    changed = own.copy()
    changed[-6:] = 0.0
    first, second = (fitted("seat", path, others, targets, held_out=6) for path in (own, changed))
    assert (first.reciprocity, first.patience, first.fitted_error) == (
        second.reciprocity,
        second.patience,
        second.fitted_error,
    )
    assert first.held_out_error != second.held_out_error


def test_a_team_that_made_the_path_is_found() -> None:
    baselines = np.repeat([0.2, 0.3], 20)
    targets = {"private": np.full(40, 0.1), "cooperative": np.repeat([0.5, 0.4], 20)}
    made = retraced_together(np.full(40, 0.8), baselines, targets["cooperative"], RECIPROCITY[3], PATIENCE[6])
    found = fitted("team", made, baselines, targets, 10, retraced_together)
    assert (found.mode, found.reciprocity, found.patience) == ("cooperative", RECIPROCITY[3], PATIENCE[6])
    assert found.held_out_error < 1e-9 < found.constant_error


@given(
    targets=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12),
    baseline=st.floats(0.0, 1.0),
    first=st.floats(0.0, 1.0),
    reciprocity=st.floats(0.0, 2.0),
    patience=st.floats(0.0, 0.9),
)
def test_a_team_is_a_partner_whose_others_do_as_it_does(
    targets: list[float], baseline: float, first: float, reciprocity: float, patience: float
) -> None:
    arguments = np.array(targets), np.array(reciprocity), np.array(patience)
    own, baselines = np.full(len(targets), first), np.full(len(targets), baseline)
    together = retraced_together(own, baselines, *arguments)
    np.testing.assert_array_equal(retraced(own, together - baselines, *arguments), together)


def test_the_path_of_a_project_whose_size_changes_is_that_of_the_project() -> None:
    """What is best for all is calibrated to the coded efforts in this game: no other reward comes near them."""
    (community,) = fit_case("apache")
    assert (community.seat, community.mode) == ("core contributors", "cooperative")
    assert community.fitted_error < 0.1
    assert community.held_out_error < 0.5 * community.constant_error


def test_seats_that_keep_their_places_have_partners_of_their_own() -> None:
    assert [each.seat for each in fit_case("slcd")] == list(make_game("SLCD-v1").spec.roles)


def test_the_command_prints_signals_trust_and_hand_overs() -> None:
    result = CliRunner().invoke(app, ["case", "replay", "renault-nissan", "--edition", "v0"], env={"COLUMNS": "140"})
    assert result.exit_code == 0, result.output
    assert "RenaultNissan-v0: history" in result.output
    assert "-1.00 -1.00" in result.output
    assert "own start" in result.output


def test_the_command_fits_partners_where_the_size_of_the_team_changes() -> None:
    result = CliRunner().invoke(app, ["case", "replay", "apache", "--edition", "v1", "--fit"], env={"COLUMNS": "140"})
    assert result.exit_code == 0, result.output
    assert "core contributors" in result.output
