"""Best responses: against scipy and fine grids, at kinks and corners, and the regret that audits profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from coopgym.backend import torch_backend
from coopgym.games.registry import games, make_game
from coopgym.oracles.games.best_response import AUDIT_LEVELS, best_response, regret
from coopgym.oracles.games.line_search import maximise
from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm, StageGame

SMALL = [game for game in games() if not game.startswith("Apache")]


def scattered(form: NormalForm, rows: int) -> np.ndarray:
    return np.random.default_rng(1).random((rows, form.n_agents))


@pytest.mark.parametrize("game", SMALL)
@pytest.mark.parametrize("reward", ["private", "integrated"])
def test_no_deviation_on_a_fine_grid_beats_a_best_response(game: str, reward: str) -> None:
    form = StageGame(make_game(game), reward)
    profiles, grid = scattered(form, 2), np.linspace(0.0, 1.0, AUDIT_LEVELS)
    for seat in (0, form.n_agents - 1):
        answers = best_response(form, profiles, seat)
        for profile, utility in zip(profiles, answers.utility, strict=True):
            tried = np.repeat(profile[None], len(grid), axis=0)
            tried[:, seat] = grid
            assert form.utilities(tried)[:, seat].max() <= utility + 1e-9 * form.scale


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "PlatformEcosystem-v1", "PublicGoods-v1", "SLCD-v0"])
def test_scipy_finds_the_same_best_responses(game: str) -> None:
    form = StageGame(make_game(game), "integrated")
    profiles = scattered(form, 20)
    answers = best_response(form, profiles, 0)
    for profile, share in zip(profiles, answers.share, strict=True):

        def loss(own: float, profile: np.ndarray = profile) -> float:
            return -float(form.utilities([own, *profile[1:]])[0])

        found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-10})
        assert share == pytest.approx(found.x, abs=1e-5)


def test_a_kink_at_the_norm_holds_the_best_response() -> None:
    form = StageGame(make_game("GraduatedSanction-v1"), "mutuality=0.75")
    answer = best_response(form, np.full((1, 6), 0.4), 3)
    assert answer.share[0] == pytest.approx(0.4, abs=1e-8)
    assert answer.gain[0] == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize(("game", "parameters", "corner"), [("PublicGoods-v1", {"q": 0.0, "theta": 0.0}, 0.0)])
def test_a_corner_is_reached_exactly(game: str, parameters: dict[str, float], corner: float) -> None:
    form = StageGame(make_game(game, **parameters), "private")
    assert best_response(form, np.full((1, form.n_agents), 0.5), 1).share[0] == corner
    assert best_response(StageGame(form.game, "cooperative"), np.full((1, 5), 0.5), 1).share[0] == 1.0


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.1, 30.0), st.floats(0.1, 30.0)), min_size=1, max_size=5))
def test_peaks_of_any_sharpness_are_found(peaks: list[tuple[float, float, float]]) -> None:
    place, left, right = (np.array(column) for column in zip(*peaks, strict=True))

    def tents(shares: np.ndarray) -> np.ndarray:
        distance = shares - place[:, None]
        return -np.where(distance < 0.0, -left[:, None], right[:, None]) * distance

    share, value = maximise(tents)
    np.testing.assert_allclose(share, place, atol=1e-8)
    np.testing.assert_allclose(value, 0.0, atol=1e-6)


def test_commitments_are_chosen_on_the_grid() -> None:
    form = CommitmentGame(make_game("TrustDilemma-v1", max_steps=10), "private")
    answer = best_response(form, np.full((1, 2), 0.5), 0)
    assert answer.share[0] * 100 == pytest.approx(round(answer.share[0] * 100))
    tried = [form.utilities([level, 0.5])[0] for level in np.linspace(0, 1, 101)]
    assert answer.utility[0] == max(tried)


def test_regret_is_the_largest_gain_of_any_seat() -> None:
    form = StageGame(make_game("PartnerHoldUp-v1"))
    profile = np.array([0.5, 0.5])
    gains = [best_response(form, profile[None], seat).gain[0] for seat in range(2)]
    assert regret(form, profile) == pytest.approx(max(gains), abs=1e-7)


def test_exchangeable_seats_are_audited_once_each_situation() -> None:
    form = StageGame(make_game("TeamProduction-v1"))
    profile = np.array([0.1, 0.1, 0.9, 0.1])
    gains = [best_response(form, profile[None], seat).gain[0] for seat in range(4)]
    assert gains[0] == pytest.approx(gains[1], abs=1e-9)
    assert regret(form, profile) == pytest.approx(max(gains), abs=1e-7)


def test_mistakes_are_explained() -> None:
    form = StageGame(make_game("TrustDilemma-v1"))
    with pytest.raises(ValueError, match="seats 0 to 1"):
        best_response(form, [[0.5, 0.5]], 2)
    with pytest.raises(ValueError, match=r"expected \(B, 2\)"):
        best_response(form, [0.5, 0.5], 0)
    with pytest.raises(ValueError, match="one share per seat"):
        form.utilities([0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"shares of endowment in \[0, 1\]"):
        form.utilities([0.5, 50.0])
    with pytest.raises(ValueError, match=r"shares of endowment in \[0, 1\]"):
        form.utilities([0.5, float("nan")])
    with pytest.raises(ValueError, match="unknown reward"):
        StageGame(form.game, "privat")
    with pytest.raises(ValueError, match="NumPy backend"):
        StageGame(form.game.to(torch_backend()))
