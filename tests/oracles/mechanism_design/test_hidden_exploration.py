"""Hidden exploration: thresholds are exact, greed fails, and repeated advice is worth following."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.bandits.learner import OnlineLearner
from coopgym.oracles.mechanism_design.hidden_exploration import HiddenExploration, explore_repeatedly
from coopgym.typing import FloatArray, IntArray

ADVICE = HiddenExploration(first=(6.0, 4.0), second=(5.0, 5.0), samples=10)


@dataclass
class Always(OnlineLearner):
    """Explores with one arm."""

    arm: int = 1

    def prepare(self) -> None:
        pass

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return np.tile(np.eye(2)[self.arm], (self.replicas, 1))

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        pass


def priors() -> st.SearchStrategy[HiddenExploration]:
    def made(seed: int) -> HiddenExploration:
        rng = np.random.default_rng(seed)
        pair = sorted((tuple(rng.uniform(0.5, 6.0, 2).tolist()) for _ in range(2)), key=lambda p: -p[0] / sum(p))
        return HiddenExploration(pair[0], pair[1], int(rng.integers(1, 25)))

    return st.integers(0, 2**32 - 1).map(made)


@settings(max_examples=60)
@given(priors())
def test_at_the_threshold_nobody_gains_by_not_listening_and_above_it_somebody_does(advice: HiddenExploration) -> None:
    exact = advice.threshold()
    assert min(advice.incentives(exact)) >= -1e-12
    assert advice.threshold(conservative=True) <= advice.threshold(any_learner=True) <= exact
    if 0.0 < exact < 0.99 and advice.lag > 1e-6:
        assert advice.incentives(min(1.0, 1.01 * exact))[1] < 0.0


@settings(max_examples=20)
@given(priors())
def test_posterior_gaps_average_to_the_prior_gap(advice: HiddenExploration) -> None:
    assert advice.chances.sum() == pytest.approx(1.0)
    assert advice.chances @ advice.gaps == pytest.approx(-advice.lag)
    for chance in (0.0, 0.2, 1.0):
        # Told "1" and told "2" are all there is: what following gains in total is known without the threshold.
        first, second = advice.incentives(chance)
        everything = (1.0 - chance) * float(advice.chances @ np.abs(advice.gaps)) - chance * advice.lag
        assert first + second == pytest.approx(everything)


@settings(max_examples=20, deadline=None)
@given(priors())
def test_greed_never_tries_the_other_arm_at_least_as_often_as_it_lags(advice: HiddenExploration) -> None:
    assert advice.never_tried(200) >= advice.lag - 1e-9


def test_greed_is_exact_on_the_first_rounds() -> None:
    even = HiddenExploration((1.0, 1.0), (4.0, 5.0), 1)  # the mean of arm 1 falls below 4/9 after the first loss
    assert even.never_tried(1) == pytest.approx(1.0)
    assert even.never_tried(2) == pytest.approx(0.5)


def test_repeated_exploration_stretches_regret_and_is_worth_following() -> None:
    run = explore_repeatedly(ADVICE, Always(), horizon=600, replicas=3000, rng=np.random.default_rng(0))
    chance = ADVICE.threshold(any_learner=True)
    assert run.explorations.mean() == pytest.approx(590 * chance, rel=0.03)
    for told in (run.told_first, run.told_second):
        assert told.mean() > -3.0 * told.std() / np.sqrt(len(told))
    assert (run.regret >= run.exploration_regret - 1e-9).all()


def test_too_much_exploration_is_not_worth_following() -> None:
    run = explore_repeatedly(ADVICE, Always(), horizon=60, replicas=4000, rng=np.random.default_rng(0), chance=0.6)
    assert run.told_second.mean() < -3.0 * run.told_second.std() / np.sqrt(4000)


def test_bad_input_is_refused_with_reasons() -> None:
    with pytest.raises(ValueError, match="higher mean first"):
        HiddenExploration((1.0, 3.0), (1.0, 1.0), 5)
    with pytest.raises(ValueError, match="samples=0"):
        HiddenExploration((2.0, 1.0), (1.0, 1.0), 0)
    with pytest.raises(ValueError, match="more than the warm-up"):
        explore_repeatedly(ADVICE, Always(), 10, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="probability"):
        ADVICE.incentives(1.5)
