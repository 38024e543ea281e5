"""Equilibria and optima: known answers, laws, and what is said when there is no single answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.registry import games, make_game
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.dilemma import dilemma
from coopgym.oracles.games.equilibrium import Equilibria, find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm, StageGame
from coopgym.oracles.games.optimum import welfare_optimum
from coopgym.oracles.games.rollout import initial_state

MODES = ("private", "integrated", "mutuality=0.5")


@pytest.mark.parametrize(
    ("game", "reward"),
    [
        pytest.param(game, reward, marks=[pytest.mark.slow] if (g + r) % 3 else [])
        for g, game in enumerate(games())
        for r, reward in enumerate(MODES)
    ],
)
def test_nobody_gains_by_leaving_an_equilibrium(game: str, reward: str) -> None:
    form = StageGame(make_game(game), reward)
    found = find_equilibria(form)
    assert found.unique, found.describe()
    assert regret(form, found.only().profile, levels=10_001) <= 1e-6 * form.scale


@pytest.mark.parametrize(
    ("game", "nash", "coopetitive", "optimum"),
    [
        ("TrustDilemma-v0", [23.2], [26.8], [29.8]),
        ("PartnerHoldUp-v0", [19.4, 27.3], [20.8, 32.8], [23.0, 34.5]),
        ("PlatformEcosystem-v0", [16.8, 30.8], [17.3, 32.0], [18.9, 35.5]),
        ("DynamicPartnerSelection-v0", [17.3], [17.9], [18.8]),
        ("RecoveryRace-v0", [22.5], [25.1], [27.6]),
        ("SynergySearch-v0", [22.2], [24.2], [26.6]),
        ("SLCD-v0", [23.3, 22.5], [26.6, 27.4], [28.6, 28.6]),
        ("RenaultNissan-v0", [27.3, 24.9], [30.2, 27.9], [33.3, 30.0]),
        ("CooperativeNegotiation-v0", [22.5], [25.1], [27.6]),
        ("ReputationMarket-v0", [17.4], [17.9], [19.0]),
        ("TeamProduction-v0", [39.7], [42.8], [45.8]),
        ("LoyaltyTeam-v0", [39.7], [42.8], [45.8]),
        ("CoalitionFormation-v0", [38.7], [40.9], [42.9]),
        ("ApacheProject-v0", [38.0], [38.4], [38.7]),
        ("PublicGoods-v0", [39.1], [41.6], [44.0]),
        ("ReciprocalDilemma-v0", [22.9], [25.4], [28.6]),
        ("GiftExchange-v0", [22.9, 28.6], [25.1, 33.0], [28.6, 35.8]),
        ("IndirectReciprocity-v0", [19.8], [21.0], [22.9]),
        ("GraduatedSanction-v0", [19.4], [20.0], [21.4]),
        ("AppleAppStore-v0", [20.6, 25.7, 34.3], [21.5, 27.8, 37.1], [24.5, 30.7, 40.9]),
    ],
)
def test_the_released_edition_has_the_published_geometry(
    game: str, nash: list[float], coopetitive: list[float], optimum: list[float]
) -> None:
    made = make_game(game)
    solved = dilemma(made, initial_state(made, trust=1.0, damage=0.0))
    heads = [group[0] for group in StageGame(made).groups]
    for profile, percent in (
        (solved.nash.only().profile, nash),
        (solved.coopetitive.only().profile, coopetitive),
        (solved.optimum.profile, optimum),
    ):
        np.testing.assert_allclose(100 * profile[heads], percent, atol=0.051)


@given(
    theta=st.floats(2.0, 10.0),
    gamma=st.floats(1.2, 1.9),
    beta=st.floats(0.4, 0.7),
    n_agents=st.integers(2, 7),
    degree=st.floats(0.0, 1.0),
)
@settings(max_examples=15)
def test_equilibria_of_any_team_are_symmetric_and_no_better_than_the_optimum(
    theta: float, gamma: float, beta: float, n_agents: int, degree: float
) -> None:
    made = make_game("TeamProduction-v1", theta=theta, gamma=gamma, beta=beta, n_agents=n_agents)
    optimum = welfare_optimum(StageGame(made))
    found = find_equilibria(StageGame(made, f"mutuality={degree}"))
    assert found.found
    for equilibrium in found.found:
        assert np.ptp(equilibrium.profile) < 1e-5
        assert equilibrium.welfare <= optimum.welfare + 1e-9
    assert np.ptp(optimum.profile) < 1e-4


@pytest.mark.parametrize("game", games("formal"))
def test_the_ends_of_mutuality_are_private_and_cooperative(game: str) -> None:
    made = make_game(game)
    profiles = np.random.default_rng(0).random((50, made.n_agents))
    for degree, mode in ((0, "private"), (1, "cooperative")):
        one, other = (StageGame(made, reward).utilities(profiles) for reward in (f"mutuality={degree}", mode))
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("kind", [StageGame, CommitmentGame])
@pytest.mark.parametrize("game", ["PartnerHoldUp-v1", "GraduatedSanction-v1", "AppleAppStore-v1", "SLCD-v0"])
def test_no_profile_has_more_welfare_than_the_optimum(kind: type[NormalForm], game: str) -> None:
    made = make_game(game, max_steps=20)
    form = kind(made)
    optimum = welfare_optimum(form)
    profiles = np.random.default_rng(0).random((2000, made.n_agents))
    common = np.repeat(np.linspace(0.0, 1.0, 101)[:, None], made.n_agents, axis=1)
    tried = form.payoffs(np.concatenate([profiles, common])).mean(-1)
    # Commitments are chosen on a grid of one per cent.
    assert tried.max() <= optimum.welfare + (1e-9 if form.smooth else 2e-4) * form.scale


def test_the_linear_public_good_is_reported_at_its_corners() -> None:
    form = StageGame(make_game("PublicGoods-v1", q=0.0, theta=0.0))
    found = find_equilibria(form).only()
    assert found.profile.tolist() == [0.0] * 5
    assert not found.interior
    optimum = welfare_optimum(form)
    assert optimum.profile.tolist() == [1.0] * 5
    assert optimum.welfare / found.welfare == pytest.approx(2.0)


class Coordination(StageGame):
    """Everybody gains by doing what the others do: three equilibria, the middle one unstable."""

    def read(self, profiles, layers):
        others = (profiles.sum(-1)[..., None] - profiles) / (profiles.shape[-1] - 1)
        wish = 0.5 + 0.4 * np.tanh(6.0 * (others - 0.5))
        return [-((profiles - wish) ** 2) for _ in layers]


def test_several_equilibria_are_all_reported_with_their_stability() -> None:
    found = find_equilibria(Coordination(make_game("TrustDilemma-v1")), [0.0, 0.5, 1.0, [0.2, 0.9]])
    assert not found.unique
    assert [round(equilibrium.profile[0], 3) for equilibrium in found.found] == pytest.approx(
        [0.107, 0.5, 0.893], abs=2e-3
    )
    assert [equilibrium.stable for equilibrium in found.found] == [True, False, True]
    with pytest.raises(ValueError, match=r"expected one equilibrium, found 3"):
        found.only()


class Chase(StageGame):
    """Seat 0 wants to match, seat 1 to mismatch: no equilibrium in pure strategies."""

    smooth = True

    def read(self, profiles, layers):
        match = (profiles[..., 0] - 0.5) * (profiles[..., 1] - 0.5)
        return [np.stack([match, -match], axis=-1) for _ in layers]


def test_a_game_without_pure_equilibrium_is_not_given_one() -> None:
    found: Equilibria = find_equilibria(Chase(make_game("TrustDilemma-v1")), [0.0, [0.3, 0.9], 1.0])
    assert not any(equilibrium.regret > 1e-6 for equilibrium in found.found)
    assert found.unconverged
    assert found.worst_residual > 0.1
    assert "did not converge" in found.describe()
    assert not found.unique


def test_commitment_play_finds_two_basins_of_trust() -> None:
    found = find_equilibria(CommitmentGame(make_game("RecoveryRace-v1"), "private"))
    assert [equilibrium.profile[0] for equilibrium in found.found] == pytest.approx([0.10, 0.45], abs=0.011)
    assert found.found[0].welfare < found.found[1].welfare


def test_commitment_play_may_be_unequal_among_equals() -> None:
    found = find_equilibria(CommitmentGame(make_game("TrustDilemma-v0"), "integrated"))
    # One partner holds the norm, so that mean trust never reaches the level at which the relation ends.
    low, high = sorted(equilibrium.profile.tolist() for equilibrium in found.found)
    assert low == pytest.approx([0.26, 0.4], abs=0.001)
    assert high == pytest.approx(low[::-1], abs=1e-3)


def test_seats_in_different_situations_do_not_move_together() -> None:
    made = make_game("ReputationMarket-v1", n_agents=8)
    score = np.linspace(0.2, 0.9, 8)
    form = StageGame(made, "private", initial_state(made, score=score))
    assert len(form.groups) == 8
    equilibrium = find_equilibria(form).only()
    assert (np.diff(equilibrium.profile) > 0.0).any()
    assert regret(form, equilibrium.profile) <= 1e-6


@pytest.mark.parametrize("game", ["TeamProduction-v1", "ReputationMarket-v1", "SLCD-v1", "GraduatedSanction-v1"])
def test_commitments_are_sharpened_between_the_points_of_the_grid(game: str) -> None:
    form = CommitmentGame(make_game(game, max_steps=40))
    for equilibrium in find_equilibria(form).found:
        assert equilibrium.spacing == pytest.approx(1e-4)
        assert regret(form, equilibrium.profile, levels=2001) <= 1e-6


@pytest.mark.parametrize(
    ("game", "reward"),
    [
        ("TrustDilemma-v0", "integrated"),
        pytest.param("AppleAppStore-v1", "private", marks=pytest.mark.slow),
        pytest.param("ReciprocalDilemma-v1", "integrated", marks=pytest.mark.slow),
        pytest.param("TrustDilemma-v1", "integrated", marks=pytest.mark.slow),
    ],
)
def test_nobody_gains_by_leaving_a_commitment_beside_a_jump(game: str, reward: str) -> None:
    form = CommitmentGame(make_game(game), reward)
    for equilibrium in find_equilibria(form).found:
        assert regret(form, equilibrium.profile, levels=10_001) <= 1e-6 * form.scale


def test_memoryless_commitments_are_the_stage_equilibrium() -> None:
    made = make_game("TeamProduction-v1", max_steps=3)
    stage, commitment = (find_equilibria(kind(made)).only() for kind in (StageGame, CommitmentGame))
    np.testing.assert_allclose(commitment.profile, stage.profile, atol=2e-4)


class Between(CommitmentGame):
    """Both want 20 %, and more than that the prizes of two places just above, at which one matches and one flees."""

    def read(self, profiles, layers):
        place = np.where((profiles > 0.2) & (profiles < 0.21), np.where(profiles < 0.205, 1.0, -1.0), 0.0)
        met = place[..., :1] * place[..., 1:] * np.array([1.0, -1.0])
        return [0.005 * np.abs(place) + 0.001 * met - np.array([1.0, 2.0]) * (profiles - 0.2) ** 2 for _ in layers]


def test_an_equilibrium_of_the_grid_only_says_so() -> None:
    form = Between(make_game("TrustDilemma-v1", max_steps=2))
    found = find_equilibria(form).only()
    assert found.profile.tolist() == [0.2, 0.2]
    assert found.spacing == 0.01
    assert regret(form, found.profile, levels=form.levels) == 0.0
    assert found.regret == pytest.approx(0.005, abs=1e-4)


def test_the_same_search_gives_the_same_numbers() -> None:
    one, other = (find_equilibria(StageGame(make_game("AppleAppStore-v1"), "integrated")) for _ in range(2))
    assert one.only().profile.tolist() == other.only().profile.tolist()


def test_a_state_can_be_given() -> None:
    made = make_game("TrustDilemma-v1")
    low, high = (
        find_equilibria(StageGame(made, "integrated", initial_state(made, trust))).only() for trust in (0.1, 1.0)
    )
    assert low.profile[0] < 0.2 < 0.45 < high.profile[0]
    with pytest.raises(ValueError, match="no state 'trusst'"):
        initial_state(made, trusst=1.0)


def test_seats_with_different_interests_are_not_lumped_together() -> None:
    rows = [",".join("2" if i == 7 else str(int(i == j)) for j in range(8)) for i in range(8)]
    form = StageGame(make_game("TeamProduction-v1", n_agents=8), f"matrix={';'.join(rows)}")
    assert form.groups == ((0, 1, 2, 3, 4, 5, 6), (7,))
    found = find_equilibria(form).only()
    assert found.profile[7] == 1.0
    for seat in (0, 7):
        tried = np.repeat(found.profile[None], 1001, axis=0)
        tried[:, seat] = np.linspace(0.0, 1.0, 1001)
        assert form.utilities(tried)[:, seat].max() <= found.utilities[seat] + 1e-6


def test_seats_that_only_seem_exchangeable_are_all_audited() -> None:
    made = make_game("IndirectReciprocity-v1")
    form = StageGame(made, "inequity=1,0.5")
    assert form.interchangeable == ((0,), (1,), (2,), (3,))
    profile, grid = np.array([0.6, 0.6, 0.6, 0.2]), np.linspace(0.0, 1.0, 501)
    tried = np.repeat(np.repeat(profile[None, None], 4, axis=0), 501, axis=1)
    tried[np.arange(4), :, np.arange(4)] = grid
    gains = form.utilities(tried)[np.arange(4), :, np.arange(4)].max(1) - form.utilities(profile)
    assert regret(form, profile, levels=501) == pytest.approx(gains.max(), abs=1e-12)


def test_the_optimum_of_a_ridge_is_found_by_moving_together() -> None:
    form = StageGame(make_game("RenaultNissan-v1"), "inequity=1,0.5")
    optimum = welfare_optimum(form)
    nearby = np.clip(optimum.profile + 0.05 * np.random.default_rng(1).standard_normal((20_000, 2)), 0.0, 1.0)
    assert form.utilities(nearby).mean(-1).max() <= optimum.value + 1e-7


class Broken(StageGame):
    """Utilities that are no numbers where the first seat plays much."""

    def read(self, profiles, layers):
        return [np.where(profiles[..., :1] > 0.3, np.nan, profiles) for _ in layers]


def test_utilities_that_are_no_numbers_are_refused() -> None:
    form = Broken(make_game("TrustDilemma-v1"))
    for solve in (find_equilibria, welfare_optimum, lambda form: regret(form, [0.2, 0.2])):
        with pytest.raises(ValueError, match="not finite"):
            solve(form)


def test_states_that_do_not_fit_are_refused() -> None:
    made = make_game("TrustDilemma-v1", max_steps=1)
    over = made.step(initial_state(made), np.array([50.0, 50.0])).state
    batch = made.initial_state((3,))
    other = initial_state(make_game("SLCD-v1"))
    for state, message in (
        (over, "at the horizon of 1 steps"),
        (batch, "expected a single state"),
        (other, "this game"),
    ):
        with pytest.raises(ValueError, match=message):
            CommitmentGame(made, "private", state)
    with pytest.raises(ValueError, match="at least one profile"):
        find_equilibria(StageGame(made), [])
    with pytest.raises(ValueError, match="at least 2 levels"):
        regret(StageGame(made), [0.1, 0.1], levels=1)
