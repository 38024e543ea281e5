"""Bandit learners on arms whose rewards are independent draws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.bandits import (
    UCB1,
    AlternatingArms,
    EpsilonGreedy,
    ExploreFirst,
    Instance,
    OnlineLearner,
    RewardTable,
    SequentialHalving,
    StochasticArms,
    SuccessiveElimination,
    ThompsonBeta,
    ThompsonGauss,
    UniformAllocation,
    UniformDiscretisation,
    Zooming,
    midpoints,
    play_bandit,
    selected,
)

LEARNERS: tuple[Callable[[], OnlineLearner], ...] = (
    ExploreFirst,
    EpsilonGreedy,
    SuccessiveElimination,
    UCB1,
    lambda: UCB1(anytime=True),
    ThompsonBeta,
    ThompsonGauss,
    UniformDiscretisation,
    Zooming,
    UniformAllocation,
    SequentialHalving,
)
BANDITS = LEARNERS[:5]
"""Those that declare a bound on any stochastic arms."""


class Uninformed(OnlineLearner):
    """Chooses at random, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[object] = []

    def prepare(self) -> None:
        self.shown = []

    def probabilities(self, context: np.ndarray | None = None) -> np.ndarray:
        self.shown.append(context)
        return np.full((self.replicas, self.arms), 1.0 / self.arms)

    def learn(self, arms: np.ndarray, rewards: np.ndarray, feedback: np.ndarray | None) -> None:
        self.shown.append(feedback)


class Told(Uninformed):
    full_feedback = True


class Contextual(Uninformed):
    contextual = True


def played(learner: OnlineLearner, replicas: int, rounds: int, arms: int = 4, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Arms and probabilities of rounds in which every arm pays a fixed coin, the same in all replicas."""
    rng = np.random.default_rng(seed)
    learner.reset(arms, 200, replicas)
    chosen, likely = [], []
    for _ in range(rounds):
        likely.append(learner.probabilities())
        numbers = rng.random((learner.draws,))
        chosen.append(learner.act(np.tile(numbers, (replicas, 1))))
        learner.update(chosen[-1], (rng.random(arms) < np.linspace(0.2, 0.8, arms))[chosen[-1]].astype(float))
    return np.array(chosen), np.array(likely)


@pytest.mark.parametrize("make", LEARNERS)
def test_replicas_do_not_depend_on_how_many_there_are(make: Callable[[], OnlineLearner]) -> None:
    alone, many = played(make(), 1, 40)[0], played(make(), 3, 40)[0]
    np.testing.assert_array_equal(many, np.repeat(alone, 3, axis=1))


@pytest.mark.parametrize("make", [make for make in LEARNERS if make is not UniformDiscretisation])
def test_what_is_chosen_is_as_likely_as_it_is_said_to_be(make: Callable[[], OnlineLearner]) -> None:
    learner = make()
    played(learner, 1, 25, arms=3)
    told = learner.probabilities()[0]
    # The same state in many replicas shows how often each arm is chosen; one that holds another learner is left out.
    for name, value in vars(learner).items():
        if isinstance(value, np.ndarray) and value.shape[:1] == (1,) and name != "rows":
            setattr(learner, name, np.repeat(value, 4000, axis=0))
    learner.replicas, learner.rows, learner.offsets = 4000, np.arange(4000), 3 * np.arange(4000)
    chosen = learner.act(np.random.default_rng(1).random((4000, learner.draws)))
    shares = np.bincount(chosen, minlength=3) / 4000
    np.testing.assert_allclose(shares, told, atol=5.0 * math.sqrt(0.25 / 4000))
    assert told.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("make", LEARNERS)
def test_restarted_replicas_begin_again_and_others_go_on(make: Callable[[], OnlineLearner]) -> None:
    learner, fresh = make(), make()
    played(learner, 2, 30)
    kept = learner.probabilities()[1].copy()
    learner.restart(np.array([True, False]))
    fresh.reset(4, 200, 2)
    np.testing.assert_array_equal(learner.probabilities()[0], fresh.probabilities()[0])
    np.testing.assert_array_equal(learner.probabilities()[1], kept)
    assert learner.round.tolist() == [0, 30]


@pytest.mark.parametrize("make", BANDITS)
def test_declared_bounds_hold_on_coins(make: Callable[[], OnlineLearner]) -> None:
    ledger = play_bandit(make(), StochasticArms([0.8, 0.6, 0.5, 0.3]), 2000, 50, rng=3)
    assert ledger.declared is not None
    assert ledger.of_declared is not None
    assert 0.0 < ledger.of_declared <= 1.0
    assert ledger.of_lower_bound is not None
    # Far less than what no consistent learner can beat would mean that it sees what it must not.
    assert ledger.of_lower_bound > 0.5


def test_bounds_are_declared_only_where_they_are_proved() -> None:
    adaptive = Instance(4, process="adaptive")
    assert all(make().declared_bound(1000, adaptive) is None for make in LEARNERS)
    assert UCB1(constant=0.5).declared_bound(1000, Instance.of([0.5, 0.4])) is None
    assert UCB1(anytime=True).declared_bound(1000, Instance(3)) is None
    assert ThompsonBeta().declared_bound(1000, Instance.of([0.5, 0.4])) is None
    # No reward in [0, 1] is normal; with its default noise it loses more on coins than it declared, in the long run.
    assert ThompsonGauss().declared_bound(1000, Instance(3, process="bayesian")) is None
    assert Zooming().declared_bound(1000, Instance(3, lipschitz=1.0)) is None
    assert UniformDiscretisation(1.0).declared_bound(1000, Instance(512, lipschitz=2.0)) is None


def test_learners_never_see_what_other_arms_would_have_brought_unless_they_declare_it() -> None:
    table = RewardTable(np.random.default_rng(0).random((20, 3)))
    blind, told = Uninformed(), Told()
    play_bandit(blind, table, 20)
    play_bandit(told, table, 20)
    assert all(each is None for each in blind.shown)
    assert sum(each is not None for each in told.shown) == 20
    blind.reset(3, 1)
    with pytest.raises(ValueError, match="declares full_feedback=False and so must not see"):
        blind.update(np.array([0]), np.array([1.0]), np.ones((1, 3)))
    told.reset(3, 1)
    with pytest.raises(ValueError, match="needs the rewards of all arms"):
        told.update(np.array([0]), np.array([1.0]))
    with pytest.raises(ValueError, match="which StochasticArms does not show"):
        play_bandit(Told(), StochasticArms([0.5, 0.4]), 2)
    with pytest.raises(ValueError, match="needs a context"):
        play_bandit(Contextual(), table, 2)


def test_an_arm_is_dropped_within_its_bound_and_the_best_never() -> None:
    learner = SuccessiveElimination()
    ledger = play_bandit(learner, StochasticArms([0.9, 0.4, 0.1]), 1500, 40, rng=5)
    assert ledger.instance.gaps is not None
    for arm, gap in enumerate(ledger.instance.gaps[1:], start=1):
        assert learner.eliminated_after[:, arm].max() <= 32.0 * math.log(1500) / gap**2 + 1.0
    assert learner.active[:, 0].all()
    assert not learner.active[:, 2].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6), st.floats(0.0, 1.0, exclude_max=True))
def test_a_draw_selects_the_smallest_index_whose_cumulative_probability_exceeds_it(
    weights: list[float], draw: float
) -> None:
    if sum(weights) == 0.0:
        weights = [1.0]
    likely = np.array(weights) / sum(weights)
    chosen = int(selected(likely[None], np.array([draw]))[0])
    cumulative = likely.cumsum()
    assert likely[chosen] > 0.0
    assert not (cumulative[:chosen] > draw).any()
    assert cumulative[chosen] > draw or chosen == np.flatnonzero(likely)[-1]


def test_thompson_sampling_is_certain_of_an_arm_that_always_wins() -> None:
    learner = ThompsonBeta()
    learner.reset(2, 100)
    for arm, reward in ((0, 1.0), (1, 0.0)):
        for _ in range(40):
            learner.update(np.array([arm]), np.array([reward]))
    assert learner.probabilities()[0, 0] > 0.999999
    assert learner.act(np.array([[0.5, 0.5, 0.5]]))[0] == 0


def test_a_reward_between_0_and_1_is_tossed_like_a_coin() -> None:
    learner = ThompsonBeta(prior=((2.0, 1.0), (1.0, 1.0)))
    learner.reset(2, 10, replicas=1000)
    numbers = np.random.default_rng(0).random((1000, 3))
    learner.update(learner.act(numbers), np.full(1000, 0.3))
    won = learner.alpha.sum(1) - 3.0
    assert set(won.tolist()) == {0.0, 1.0}
    assert won.mean() == pytest.approx(0.3, abs=0.05)


def test_normal_posteriors_are_those_of_bayes() -> None:
    learner = ThompsonGauss(prior_mean=0.2, prior_variance=2.0, noise_variance=0.5)
    learner.reset(2, 10)
    rewards = [0.1, 0.9, 0.4]
    for reward in rewards:
        learner.update(np.array([1]), np.array([reward]))
    precision = 1.0 / 2.0 + 3 / 0.5
    assert learner.variance[0].tolist() == pytest.approx([2.0, 1.0 / precision])
    assert learner.mean[0, 1] == pytest.approx((0.2 / 2.0 + sum(rewards) / 0.5) / precision)


def test_zooming_keeps_every_candidate_covered_and_active_ones_apart() -> None:
    learner = Zooming(lipschitz=2.0)
    learner.reset(64, 1000, replicas=3)
    rng = np.random.default_rng(0)
    means = 0.9 - np.abs(midpoints(64)[None] - np.array([[0.1], [0.5], [0.8]]))
    for _ in range(1000):
        chosen = learner.choose()
        learner.update(chosen, (rng.random(3) < means[np.arange(3), chosen]).astype(float))
    distances = 2.0 * np.abs(midpoints(64)[:, None] - midpoints(64))
    for row in range(3):
        active = np.flatnonzero(learner.active[row])
        radius = learner.radius(learner.counts[row, active])
        uncovered = (distances[active] > radius[:, None]).all(0)
        # One candidate is activated a round, and the balls that just shrank may have left a few more.
        assert uncovered.sum() <= 2
        apart = distances[np.ix_(active, active)][~np.eye(len(active), dtype=bool)]
        assert apart.min() > learner.radius(np.array([learner.counts[row].max()]))[0] / 2.0


def test_zooming_searches_a_square_as_well() -> None:
    learner = Zooming(dimensions=2, constant=0.25)
    learner.reset(144, 2000)
    grid = np.stack(np.meshgrid(midpoints(12), midpoints(12), indexing="ij"), axis=-1).reshape(-1, 2)
    means = 0.9 - np.abs(grid - [0.7, 0.3]).max(1)
    for _ in range(2000):
        learner.update(chosen := learner.choose(), means[chosen])
    assert means[learner.counts[0].argmax()] > 0.9 - 0.15
    with pytest.raises(ValueError, match="square number"):
        learner.reset(100 + 1, 10)


def test_the_anytime_version_does_not_know_the_horizon() -> None:
    short, long = UCB1(anytime=True), UCB1(anytime=True)
    arms = AlternatingArms([0.7, 0.5, 0.4], delta=0.1)
    first = play_bandit(short, arms, 100, record=True).arms
    second = play_bandit(long, arms, 300, record=True).arms
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, second[:100])


@pytest.mark.parametrize("make", [UniformAllocation, SequentialHalving])
def test_the_best_arm_is_named_as_often_as_is_declared(make: type[SequentialHalving | UniformAllocation]) -> None:
    learner, arms = make(), StochasticArms([0.5, 0.8, 0.5, 0.4, 0.5])
    play_bandit(learner, arms, 500, 400, rng=1)
    wrong = float((learner.prediction() != 1).mean())
    declared = learner.declared_error(500, arms.instance)
    assert declared is not None
    assert wrong <= declared + 3.0 * math.sqrt(declared / 400)
    assert wrong < 0.05


def test_sequential_halving_spends_no_more_than_its_budget_before_one_arm_is_left() -> None:
    learner = SequentialHalving()
    play_bandit(learner, StochasticArms(np.linspace(0.1, 0.9, 7)), 210, 50)
    assert (learner.active.sum(1) == 1).all()


@pytest.mark.parametrize("make", LEARNERS)
@pytest.mark.parametrize("arms", [1, 3])
def test_one_round_is_played_and_bounded(make: Callable[[], OnlineLearner], arms: int) -> None:
    ledger = play_bandit(make(), StochasticArms(np.linspace(0.2, 0.8, arms), lipschitz=1.0), 1)
    assert ledger.counts.sum() == 1.0
    assert ledger.declared is None or ledger.declared >= 0.0  # and not NaN


class Saying(OnlineLearner):
    """Says what it is told to, and chooses by it unless a choice is given."""

    def __init__(self, likely: list[float], chosen: list[int] | None = None) -> None:
        self.likely, self.chosen = likely, chosen

    def prepare(self) -> None:
        pass

    def probabilities(self, context: np.ndarray | None = None) -> np.ndarray:
        return np.tile(self.likely, (self.replicas, 1))

    def act(self, uniforms: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        return super().act(uniforms) if self.chosen is None else np.array(self.chosen)

    def learn(self, arms: np.ndarray, rewards: np.ndarray, feedback: np.ndarray | None) -> None:
        pass


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (Saying([math.nan, 0.5]), "at least 0 that sum to one"),
        (Saying([3.0, 3.0]), "sums from 6 to 6"),
        (Saying([-1.0, 2.0]), "got at least -1"),
        (Saying([1.0]), r"probabilities of shape \(3, 1\)"),
        (Saying([], [0, 1, -1]), r"chose \[0, 1, -1\] .* whole numbers from 0 to 1"),
        (Saying([], [0, 1, 2]), "whole numbers from 0 to 1"),
        (Saying([], [1]), r"of shape \(1,\); expected \(replicas,\) = \(3,\)"),
    ],
)
def test_a_learner_of_ones_own_is_told_what_is_wrong(learner: OnlineLearner, message: str) -> None:
    with pytest.raises(ValueError, match=f"Saying.*{message}"):
        play_bandit(learner, StochasticArms([0.5, 0.4]), 2, replicas=3)


@pytest.mark.parametrize(
    ("arms", "rewards", "message"),
    [
        ([0, 1], [math.nan, 0.5], "from nan"),
        ([0, 1], [7.0, 0.5], r"rewards in \[0, 1\]"),
        ([0], [0.5], r"arms of shape \(1,\)"),
        ([0, 1], [0.5], r"rewards of shape \(1,\)"),
    ],
)
def test_what_is_no_reward_is_not_learned(arms: list[int], rewards: list[float], message: str) -> None:
    learner = UCB1()
    learner.reset(2, 10, replicas=2)
    with pytest.raises(ValueError, match=message):
        learner.update(np.array(arms), np.array(rewards))
    assert not learner.counts.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExploreFirst(pulls=0), "pulls=0"),
        (lambda: UCB1(constant=0.0), r"constant=0\.0"),
        (lambda: ThompsonBeta(prior=(0.0, 1.0)), "prior="),
        (lambda: ThompsonGauss(noise_variance=0.0), "noise_variance"),
        (lambda: Zooming(lipschitz=-1.0), "lipschitz"),
        (lambda: Zooming(dimensions=3), "dimensions=3"),
        (lambda: UCB1().reset(0, 10), "arms=0"),
        (lambda: UCB1().reset(2, 10, replicas=0), "replicas=0"),
        (lambda: Instance.of([1.2]), "means"),
        (lambda: StochasticArms([0.5], noise=-1.0), "noise"),
        (lambda: RewardTable([[2.0]]), "rewards"),
        (lambda: play_bandit(UCB1(), RewardTable([[0.5]]), 2), "horizon=2"),
        (lambda: play_bandit(UCB1(), AlternatingArms([0.9], delta=0.2), 3), r"in \[0, 1\], scaled"),
    ],
)
def test_bad_input_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
