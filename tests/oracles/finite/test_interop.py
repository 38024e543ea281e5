"""Finite games against nashpy and OpenSpiel, which know nothing of this package."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.registry import make_game
from coopgym.oracles.finite.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from coopgym.oracles.finite.discretised import FiniteGame, discretise
from coopgym.oracles.finite.game_solver import external_regrets, recommendation_regrets
from coopgym.oracles.finite.no_regret import Hedge, action_values
from coopgym.oracles.finite.zero_sum import minimax, security_level
from coopgym.oracles.games.normal_form import FloatArray, StageGame
from tests.support.textbook_games import Cournot, LinearPublicGood

SEEDS = st.integers(0, 2**32 - 1)
ROUNDING = 1e-6
"""Violation that a linear programme may leave, in games with utilities of about 1."""


def random_game(seed: int, shape: tuple[int, ...] = (3, 4)) -> FiniteGame:
    return FiniteGame.tabulated(np.random.default_rng(seed).uniform(-1.0, 1.0, (*shape, len(shape))))


def discretised_games() -> dict[str, FiniteGame]:
    """Two-player games as they come out of the suite and out of textbooks."""
    games = {
        f"{game_id} {reward}": discretise(StageGame(make_game(game_id), reward), 7)
        for game_id in ("TrustDilemma-v1", "GiftExchange-v1", "SLCD-v0")
        for reward in ("private", "integrated")
    }
    return {**games, "public good": discretise(LinearPublicGood(2, 1.5), 5), "Cournot": discretise(Cournot(2), 6)}


GAMES = discretised_games()
SMALL = ("public good", "Cournot")
"""Games of few enough actions that all pairs of supports are soon tried."""


# nashpy


def nashpy_equilibria(game: FiniteGame, method: str) -> list[tuple[FloatArray, FloatArray]]:
    nashpy = pytest.importorskip("nashpy")
    # Games in which several equilibria share a support are degenerate; nashpy says so and may miss some.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return list(getattr(nashpy.Game(game.utilities[..., 0], game.utilities[..., 1]), method)())


@pytest.mark.parametrize(
    ("name", "method"),
    [*((name, "vertex_enumeration") for name in GAMES), *((name, "support_enumeration") for name in SMALL)],
)
def test_pure_equilibria_are_those_of_nashpy(name: str, method: str) -> None:
    game = GAMES[name]
    theirs = nashpy_equilibria(game, method)
    pure = {
        (int(row.argmax()), int(column.argmax())) for row, column in theirs if min(row.max(), column.max()) > 1 - 1e-9
    }
    assert pure == {tuple(profile) for profile in game.pure_nash().tolist()}
    assert pure


@settings(max_examples=25)
@given(SEEDS)
def test_every_equilibrium_of_nashpy_is_a_correlated_one_inside_the_bracket(seed: int) -> None:
    game = random_game(seed)
    # Support enumeration finds none in some games that are not square.
    equilibria = nashpy_equilibria(game, "vertex_enumeration")
    assert equilibria  # nashpy may miss some where vertices nearly coincide, so their number says nothing
    low, high = (
        float((CorrelatedEquilibrium(direction=direction).solve(game) * game.welfare).sum())
        for direction in ("worst", "best")
    )
    for row, column in equilibria:
        joint = product([row, column])
        assert recommendation_regrets(game, joint).max() <= 1e-9
        assert low - ROUNDING <= (joint * game.welfare).sum() <= high + ROUNDING


@settings(max_examples=25)
@given(SEEDS)
def test_the_value_of_zero_sum_games_is_that_of_nashpy(seed: int) -> None:
    payoff = random_game(seed).utilities[..., 0]
    row, column = nashpy_equilibria(FiniteGame.bimatrix(payoff, -payoff), "vertex_enumeration")[0]
    assert minimax(payoff).value == pytest.approx(float(row @ payoff @ column), abs=ROUNDING)


# OpenSpiel


class Spiel:
    """A finite game in OpenSpiel, with its policies."""

    def __init__(self, game: FiniteGame) -> None:
        self.pyspiel = pytest.importorskip("pyspiel")
        self.policy = pytest.importorskip("open_spiel.python.policy")
        self.exploitability = pytest.importorskip("open_spiel.python.algorithms.exploitability")
        tensors = [game.utilities[..., seat].ravel().tolist() for seat in range(game.n_agents)]
        self.shape = game.shape
        self.game = self.pyspiel.convert_to_turn_based(self.pyspiel.create_tensor_game(tensors, list(game.shape)))
        self.states = [states[0] for states in self.policy.TabularPolicy(self.game).states_per_player]

    def mixed(self, strategies: list[FloatArray]) -> Any:
        return self.pyspiel.TabularPolicy(
            {
                state: [(action, float(chance)) for action, chance in enumerate(strategy)]
                for state, strategy in zip(self.states, strategies, strict=True)
            }
        )

    def tabular(self, strategies: list[FloatArray]) -> Any:
        policy = self.policy.TabularPolicy(self.game)
        for seat, strategy in enumerate(strategies):
            policy.action_probability_array[seat, : len(strategy)] = strategy
        return policy

    def nash_conv(self, strategies: list[FloatArray]) -> float:
        return float(self.exploitability.nash_conv(self.game, self.tabular(strategies)))

    def device(self, distribution: FloatArray) -> list[tuple[float, Any]]:
        """A joint distribution as the recommendations of a correlation device."""
        return [
            (
                float(chance),
                self.mixed([np.eye(count)[action] for count, action in zip(self.shape, profile, strict=True)]),
            )
            for profile, chance in np.ndenumerate(distribution)
            if chance > 0.0
        ]


def random_strategies(game: FiniteGame, seed: int) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(count)) for count in game.shape]


def product(strategies: list[FloatArray]) -> FloatArray:
    joint = np.maximum(reduce(np.multiply.outer, strategies), 0.0)
    return joint / joint.sum()


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_exploitability_of_a_profile_is_the_sum_of_its_regrets(shape: tuple[int, ...]) -> None:
    for seed in range(5):
        game = random_game(seed, shape)
        strategies = random_strategies(game, seed)
        regrets = external_regrets(game, product(strategies))
        assert Spiel(game).nash_conv(strategies) == pytest.approx(regrets.sum(), abs=1e-9)


@pytest.mark.parametrize("name", GAMES)
def test_openspiel_agrees_on_the_equilibria_of_the_suite(name: str) -> None:
    game = GAMES[name]
    spiel = Spiel(game)
    for profile in game.pure_nash():
        strategies = [np.eye(count)[action] for count, action in zip(game.shape, profile, strict=True)]
        assert spiel.nash_conv(strategies) <= 1e-9
    social = [np.eye(count)[action] for count, action in zip(game.shape, game.social_maximum(), strict=True)]
    gains = external_regrets(game, product(social)).sum()
    assert spiel.nash_conv(social) == pytest.approx(gains, abs=1e-9 * game.ranges.max())


def test_best_responses_are_those_of_openspiel() -> None:
    best_response = pytest.importorskip("open_spiel.python.algorithms.best_response")
    for seed in range(5):
        game = random_game(seed)
        spiel, strategies = Spiel(game), random_strategies(game, seed)
        for seat in range(2):
            theirs = best_response.BestResponsePolicy(spiel.game, seat, spiel.tabular(strategies))
            values = action_values(game.utilities, strategies, seat)
            assert theirs.value(spiel.game.new_initial_state()) == pytest.approx(values.max(), abs=1e-9)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_regrets_of_joint_distributions_are_those_of_openspiel(shape: tuple[int, ...]) -> None:
    for seed in range(3):
        game = random_game(seed, shape)
        spiel = Spiel(game)
        distribution = np.random.default_rng(seed).dirichlet(np.ones(np.prod(shape))).reshape(shape)
        device = spiel.device(distribution)
        external, internal = external_regrets(game, distribution), recommendation_regrets(game, distribution)
        coarse = spiel.pyspiel.cce_dist(spiel.game, device).dist_value
        assert coarse == pytest.approx(np.maximum(external, 0.0).sum(), abs=1e-9)
        # OpenSpiel adds up the best answers to all recommendations, this package takes the worst of them.
        every = spiel.pyspiel.ce_dist(spiel.game, spiel.pyspiel.determinize_corr_dev(device)).dist_value
        assert internal.max() - 1e-9 <= every <= internal @ np.array(shape) + 1e-9


@pytest.mark.parametrize("direction", ["best", "worst"])
@pytest.mark.parametrize("name", ["TrustDilemma-v1 private", "GiftExchange-v1 integrated", "Cournot"])
def test_openspiel_accepts_the_answers_of_the_linear_programmes(name: str, direction: Any) -> None:
    game = GAMES[name]
    spiel = Spiel(game)
    correlated = spiel.device(CorrelatedEquilibrium(direction=direction).solve(game))
    coarse = spiel.device(CoarseCorrelatedEquilibrium(direction=direction).solve(game))
    recommended = spiel.pyspiel.determinize_corr_dev(correlated)
    assert spiel.pyspiel.ce_dist(spiel.game, recommended).dist_value <= ROUNDING
    assert spiel.pyspiel.cce_dist(spiel.game, coarse).dist_value <= ROUNDING


def test_openspiel_measures_the_regret_of_no_regret_play() -> None:
    game = GAMES["GiftExchange-v1 integrated"]
    spiel, play = Spiel(game), Hedge(rounds=200).play(game)
    theirs = spiel.pyspiel.cce_dist(spiel.game, spiel.device(play.distribution)).dist_value
    assert theirs == pytest.approx(np.maximum(play.regrets, 0.0).sum(), abs=1e-9)


# Brute force


@settings(max_examples=25)
@given(SEEDS)
def test_no_random_distribution_beats_the_best_correlated_equilibrium(seed: int) -> None:
    game = random_game(seed, (2, 2))
    best = float((CorrelatedEquilibrium().solve(game) * game.welfare).sum())
    worst = float((CorrelatedEquilibrium(direction="worst").solve(game) * game.welfare).sum())
    for distribution in np.random.default_rng(seed).dirichlet(np.full(4, 0.3), size=200).reshape(-1, 2, 2):
        if recommendation_regrets(game, distribution).max() <= 0.0:
            assert worst - ROUNDING <= (distribution * game.welfare).sum() <= best + ROUNDING


@settings(max_examples=25)
@given(SEEDS)
def test_no_mixture_on_a_grid_secures_more_than_minimax(seed: int) -> None:
    game = random_game(seed, (2, 3))
    mixtures = np.linspace(0.0, 1.0, 401)
    own = game.utilities[..., 0]
    secured = np.minimum.reduce(np.outer(mixtures, own[0]) + np.outer(1.0 - mixtures, own[1]), axis=1)
    level = security_level(game, 0)
    # Between grid points the level lies at most one slope times half a spacing higher.
    assert secured.max() - ROUNDING <= level <= secured.max() + np.abs(own[0] - own[1]).max() / 800 + ROUNDING
