"""Equilibria, continua and the boundaries of basins: games solved on paper, and brute force on those of the suite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coopgym.games.registry import make_game
from coopgym.oracles.games.basin_search import find_basins
from coopgym.oracles.games.basins import Basins
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm
from coopgym.typing import FloatArray
from tests.support.textbook_games import TextbookGame

Curve = Callable[[FloatArray], FloatArray]


class Grid(TextbookGame):
    """A textbook game that may jump, so that its seats search on a grid."""

    smooth = False


class Wishes(Grid):
    """π_i = -(c_i - wish_i(mean of the others))²: the best response is known, and so is every equilibrium."""

    def __init__(self, *wishes: Curve, n_agents: int = 3) -> None:
        super().__init__(n_agents)
        self.wishes = wishes
        if len(wishes) > 1:
            self.groups = tuple((seat,) for seat in range(n_agents))
            self.interchangeable = self.groups

    def rule(self, shares: FloatArray) -> FloatArray:
        others = (shares.sum(-1, keepdims=True) - shares) / (shares.shape[-1] - 1)
        if len(self.wishes) == 1:
            return -((shares - self.wishes[0](others)) ** 2)
        wished = np.stack([wish(others[..., seat]) for seat, wish in enumerate(self.wishes)], axis=-1)
        return -((shares - wished) ** 2)


class WeakestLink(Grid):
    """π_i = 0.2 c_i + 0.5 min(c) - c_i²/2: nobody gains by leaving a common share between 20 and 70 %."""

    def rule(self, shares: FloatArray) -> FloatArray:
        return 0.2 * shares + 0.5 * shares.min(-1, keepdims=True) - 0.5 * shares**2


class Stairs(Grid):
    """π_i = min over seats of the stairs climbed - c_i: every stair is an equilibrium, between them one goes down."""

    first, rise = 0.0037, 0.005

    def rule(self, shares: FloatArray) -> FloatArray:
        climbed = np.floor((shares - self.first) / self.rise + 1e-9)
        return 0.01 * climbed.min(-1, keepdims=True) - shares


def solved(form: NormalForm) -> Basins:
    return find_basins({"private": form}, {"private": find_equilibria(form, [0.0, 0.25, 1.0])})["private"]


def shares(basins: Basins) -> list[float]:
    return [float(rest.profiles[0, 0]) for rest in basins.equilibria]


def s_shaped(others: FloatArray) -> FloatArray:
    return 0.5 + 0.4 * np.tanh(6.0 * (others - 0.5))


def test_an_unstable_equilibrium_bounds_the_basins_of_its_neighbours() -> None:
    basins = solved(Wishes(s_shaped))
    assert shares(basins) == pytest.approx([0.1071, 0.5, 0.8929], abs=1e-4)
    assert [rest.stability for rest in basins.rests] == ["stable", "unstable", "stable"]
    assert [rest.basin for rest in basins.rests[::2]] == [
        (0.0, pytest.approx(0.5, abs=1e-4)),
        (pytest.approx(0.5, abs=1e-4), 1.0),
    ]
    (boundary,) = basins.boundaries
    assert boundary.equilibrium
    assert boundary.answers == pytest.approx((0.5, 0.5), abs=1e-3)
    for start, reached in ((0.3, 0.1071), (0.7, 0.8929)):
        found = basins.reached_from(start)
        assert found is not None
        assert found.profiles[0] == pytest.approx([reached] * 3, abs=1e-4)


def test_where_the_best_response_jumps_up_basins_meet_without_an_equilibrium() -> None:
    basins = solved(Wishes(lambda others: np.where(others < 0.4567, 0.2, 0.8)))
    assert shares(basins) == pytest.approx([0.2, 0.8])
    (boundary,) = basins.boundaries
    assert not boundary.equilibrium
    assert boundary.share == pytest.approx(0.4567, abs=5e-5)
    assert boundary.answers == pytest.approx((0.2, 0.8))
    assert basins.rests[0].basin == (0.0, pytest.approx(0.4567, abs=5e-5))


def test_where_the_best_response_jumps_down_nobody_settles() -> None:
    basins = solved(Wishes(lambda others: np.where(others < 0.4567, 0.8, 0.2)))
    assert not basins.equilibria
    assert basins.unsettled == (pytest.approx(0.4567, abs=5e-5),)
    assert basins.reached_from(0.3) is None


def test_an_equilibrium_that_attracts_from_one_side_is_called_so() -> None:
    basins = solved(Wishes(lambda others: np.minimum(others + 0.5 * np.abs(others - 0.3), 0.8)))
    assert shares(basins) == pytest.approx([0.3, 0.8], abs=1e-4)
    assert [rest.stability for rest in basins.rests] == ["half-stable", "stable"]
    middle = pytest.approx(0.3, abs=1e-4)
    assert [rest.basin for rest in basins.rests] == [(0.0, middle), (middle, 1.0)]
    assert [(boundary.share, boundary.equilibrium) for boundary in basins.boundaries] == [(middle, True)]


def test_a_continuum_is_found_from_end_to_end() -> None:
    form = WeakestLink(4)
    assert len(find_equilibria(form).found) > 2, "single starts see points of it"
    basins = solved(form)
    (continuum,) = basins.continua
    assert not basins.equilibria
    assert not basins.boundaries
    assert continuum.members is None
    assert continuum.profiles[[0, -1], 0] == pytest.approx([0.2, 0.7], abs=1e-4)
    assert (continuum.stability, continuum.basin) == ("stable", (0.0, 1.0))
    assert continuum.regret <= 1e-6
    assert all(regret(form, profile) <= 1e-6 for profile in continuum.profiles)
    norm = float(form.norm[0])
    reached = basins.from_norm
    assert reached is not None
    assert reached.profiles[0] == pytest.approx([norm] * 4), "inside a continuum best responses stay"


@pytest.mark.parametrize("first", [0.0037, 0.0])
def test_equilibria_closer_than_the_grid_are_a_series_and_no_continuum(first: float) -> None:
    form = Stairs(3)
    form.first = first
    (series,) = solved(form).continua
    stairs = np.union1d([0.0], np.arange(first, 1.0 + 1e-9, Stairs.rise))
    assert series.members == len(stairs)
    assert series.profiles[[0, -1], 0] == pytest.approx(stairs[[0, -1]], abs=1e-4)


def test_every_equilibrium_of_two_unequal_seats_is_found_with_its_stability() -> None:
    steep, shifted = s_shaped, lambda others: 0.5 + 0.45 * np.tanh(5.0 * (others - 0.45))
    basins = solved(Wishes(steep, shifted, n_agents=2))
    assert [rest.stability for rest in basins.rests] == ["stable", "unstable", "stable"]
    line = np.linspace(0.0, 1.0, 100_001)
    composed = steep(shifted(line)) - line
    crossings = line[np.flatnonzero(np.diff(np.sign(composed)))]
    assert shares(basins) == pytest.approx(crossings.tolist(), abs=1e-4)
    assert basins.rests[1].profiles[0, 1] == pytest.approx(float(shifted(crossings[1])), abs=1e-3)


def test_seats_of_three_kinds_are_followed_from_common_starts() -> None:
    def steeper(others: FloatArray) -> FloatArray:
        return 0.52 + 0.42 * np.tanh(7.0 * (others - 0.5))

    basins = solved(Wishes(s_shaped, steeper, s_shaped))
    assert basins.followed == "starts"
    low, high = basins.rests
    assert (low.stability, low.profiles[0] < 0.2) == (None, pytest.approx([True] * 3))
    (boundary,) = basins.boundaries
    assert boundary.share == pytest.approx(0.5, abs=0.03)
    assert boundary.answers is None
    assert boundary.precision <= 0.03
    assert (low.basin, high.basin) == ((0.0, boundary.share), (boundary.share, 1.0))


def test_where_three_kinds_find_no_equilibrium_none_is_made_up() -> None:
    def contrary(others: FloatArray) -> FloatArray:
        return np.where(others < 0.4567, 0.8, 0.2)

    form = Wishes(contrary, contrary, lambda others: np.where(others < 0.4567, 0.2, 0.8))
    basins = solved(form)
    assert (basins.rests, basins.boundaries, basins.from_norm) == ((), (), None)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.02, 0.98), min_size=3, max_size=7))
def test_any_best_response_curve_is_divided_into_basins(heights: list[float]) -> None:
    def curve(others: FloatArray) -> FloatArray:
        return np.interp(others, np.linspace(0.0, 1.0, len(heights)), heights)

    assume((np.abs(np.diff(heights) * (len(heights) - 1) - 1.0) > 0.05).all())  # along the diagonal seats hardly move
    # So do they at a corner that touches the diagonal without crossing it, which no grid sees.
    assume((np.abs(heights - np.linspace(0.0, 1.0, len(heights))) > 0.02).all())
    line = np.linspace(0.0, 1.0, 10_001)
    crossings = line[np.flatnonzero(np.diff(np.sign(curve(line) - line)))]
    assume((np.diff(crossings) > 0.02).all())  # closer ones are beyond the resolution of the grid
    basins = solved(Wishes(curve))
    starts = np.linspace(0.005, 0.995, 67)
    ends = starts.copy()
    for _ in range(3000):
        ends += 0.1 * (curve(ends) - ends)
    edges = np.array([boundary.share for boundary in basins.boundaries])
    for start, end in zip(starts, ends, strict=True):
        if not (np.abs(edges - start) < 1e-3).any():
            reached = basins.reached_from(float(start))
            assert reached is not None
            assert reached.profiles[0, 0] == pytest.approx(end, abs=5e-3)


def direction(game: str, reward: str, common: FloatArray) -> FloatArray:
    """Signs of BR(x) - x by brute force: all deviations of seat 0, 1 % apart, and 1e-4 apart near its own share."""
    form = CommitmentGame(make_game(game), reward)
    tried = np.concatenate([np.linspace(0.0, 1.0, 101), np.linspace(-0.003, 0.003, 61)])
    signs = np.empty(len(common))
    for row, share in enumerate(common):
        deviations = np.clip(np.concatenate([tried[:101], share + tried[101:]]), 0.0, 1.0)
        profiles = np.full((len(deviations), form.n_agents), share)
        profiles[:, 0] = deviations
        utilities = form.utilities(profiles)[:, 0]
        best = deviations[utilities.argmax()]
        signs[row] = 0.0 if utilities.max() - utilities[np.abs(deviations - share).argmin()] < 1e-12 else best - share
    return np.sign(signs)


@pytest.mark.parametrize(
    ("game", "boundary"),
    [("PublicGoods-v1", 0.152), pytest.param("IndirectReciprocity-v1", 0.209, marks=pytest.mark.slow)],
)
def test_unstable_commitments_under_integrated_reward_are_where_brute_force_finds_them(
    game: str, boundary: float
) -> None:
    form = CommitmentGame(make_game(game), "integrated")
    basins = solved(form)
    assert [rest.stability for rest in basins.rests] == ["stable", "unstable", "stable"]
    unstable = float(basins.rests[1].profiles[0, 0])
    assert unstable == pytest.approx(boundary, abs=5e-4)
    assert [each.equilibrium for each in basins.boundaries] == [True]
    low, high = (float(rest.profiles[0, 0]) for rest in basins.rests[::2])
    places = np.array([low - 0.005, low + 0.005, unstable - 0.002, unstable + 0.002, high - 0.005, high + 0.005])
    assert direction(game, "integrated", places).tolist() == [1, -1, -1, 1, 1, -1]


@pytest.mark.slow
def test_partner_selection_supports_any_private_convention_from_15_to_53_per_cent() -> None:
    basins = solved(CommitmentGame(make_game("DynamicPartnerSelection-v1"), "private"))
    (continuum,) = basins.continua
    assert continuum.members is None
    assert not basins.equilibria
    low, high = continuum.profiles[[0, -1], 0]
    assert (low, high) == pytest.approx((0.152, 0.531), abs=5e-4)
    inside = np.random.default_rng(0).uniform(low, high, 6)
    assert direction("DynamicPartnerSelection-v1", "private", inside).tolist() == [0] * 6
    assert direction("DynamicPartnerSelection-v1", "private", np.array([low - 0.002, high + 0.002])).tolist() == [1, -1]
