"""Clip and Delta: what steps are paid from each one on, what padding earns, and trust dropped and built again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import make_agent
from coopgym.benchmarks.experiments.rewards.trust_farming import GAMES, break_even, measured
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.rewards import TrustGained, reward_layer
from coopgym.rewards.clip_delta import clip, clip_delta, delta
from coopgym.rewards.shaping import POTENTIALS
from coopgym.testing import check_agent, check_transform
from coopgym.testing.conformance import ConformanceError
from coopgym.testing.tape import random_tape, replay
from coopgym.testing.transform import Subject, sums_are_bounded
from coopgym.typing import FloatArray

scores = st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=30)
thresholds, discounts = st.floats(-2.0, 2.0), st.floats(0.1, 1.0)
GAME = make_game("TrustDilemma-v1", max_steps=9)


def to_go(paid: FloatArray, gamma: float = 1.0) -> FloatArray:
    """Discounted sums of what is paid from each step on."""
    sums = np.array(paid)
    for k in range(len(sums) - 2, -1, -1):
        sums[k] += gamma * sums[k + 1]
    return sums


@given(scores, thresholds, discounts)
def test_from_each_step_on_comes_its_clipped_score(process: list[float], eta: float, gamma: float) -> None:
    expected = np.minimum(np.array(process) - eta, 0.0)
    expected[-1] = 0.0
    npt.assert_allclose(to_go(clip_delta(process, eta, gamma), gamma), expected, rtol=0, atol=1e-11)


@given(scores, discounts)
def test_delta_telescopes_to_the_first_score(process: list[float], gamma: float) -> None:
    first = process[0] if len(process) > 1 else 0.0
    assert to_go(delta(process, gamma), gamma)[0] == pytest.approx(first, abs=1e-11)


@given(scores, thresholds, st.floats(-5.0, 5.0), st.integers(1, 50))
def test_padding_earns_nothing(process: list[float], eta: float, filler: float, times: int) -> None:
    padded = [process[0], *([filler] * times), *process]
    assert clip(padded, eta).sum() <= clip(process, eta).sum() + 1e-9
    assert clip_delta(padded, eta).sum() == pytest.approx(min(process[0] - eta, 0.0), abs=1e-9)


def added(transform: TrustGained, seed: int) -> tuple[FloatArray, FloatArray]:
    """What a transform adds to a random episode, and the trust gained in it, both ``(T, N)``."""
    running, potential = transform.running(GAME, ()), POTENTIALS["mean_trust"](GAME)
    running.reset()
    paid, gained = list[FloatArray](), list[FloatArray]()
    for t, (before, actions, transition) in enumerate(replay(GAME, random_tape(GAME, 9, (), seed))):
        step = Step(GAME, t, before, actions, transition)
        here, there = potential.around(step)
        paid.append(running(step, 0.0 * step.actions))
        gained.append(np.maximum(there - here, 0.0))
    return np.array(paid), np.array(gained)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), discounts, st.floats(0.0, 0.1), st.floats(-3.0, 3.0))
def test_what_is_paid_after_a_step_comes_to_its_score(seed: int, gamma: float, eta: float, weight: float) -> None:
    transform = TrustGained("mean_trust", weight, mechanism="clip_delta", eta=eta, gamma=gamma)
    paid, gained = added(transform, seed)
    score = np.minimum(gained - eta, 0.0)
    for seat in range(2):
        npt.assert_allclose(gamma * to_go(paid[:, seat], gamma)[1:], weight * score[:-1, seat], rtol=0, atol=1e-10)
    npt.assert_array_equal(paid[0], 0.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), discounts)
def test_steps_are_paid_what_the_function_of_whole_sequences_says_one_step_late(seed: int, gamma: float) -> None:
    paid, gained = added(TrustGained("mean_trust", mechanism="delta", gamma=gamma), seed)
    npt.assert_allclose(gamma * paid[1:, 0], delta(gained[:, 0], gamma)[:-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("mechanism", ["none", "clip", "delta", "clip_delta"])
def test_every_mechanism_is_what_it_declares(mechanism: str) -> None:
    for potential in POTENTIALS:
        check_transform(TrustGained(potential, 2.0, mechanism))


def test_trust_gained_as_it_is_can_be_farmed_and_says_so() -> None:
    assert not TrustGained("trust").bounded_sum
    assert TrustGained("trust", mechanism="clip_delta").bounded_sum

    @dataclass(frozen=True)
    class Boastful(TrustGained):
        @property
        def bounded_sum(self) -> bool:
            return True

    boastful = Boastful("mean_trust", mechanism="clip", eta=0.5)
    with pytest.raises(ConformanceError, match="longer episodes can farm it; declare bounded_sum = False"):
        sums_are_bounded(Subject(boastful, ("TrustDilemma-v1",), 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trust_gained(hope)", "unknown potential 'hope'; known potentials: trust, mean_trust"),
        ("trust_gained(trust, mechanism=cut)", "unknown mechanism 'cut'; known: none, clip, delta, clip_delta"),
        ("trust_gained(trust, gamma=0)", "gamma=0.0: expected a number in"),
        ("trust_gained(trust, eta=nan)", "eta=nan: expected a finite number"),
        ("trust_gained", "potential must be given"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        reward_layer(f"private + {text}")


@pytest.mark.parametrize("id", GAMES)
def test_dropping_trust_to_build_it_again_pays_under_the_raw_reward_and_not_under_clip_and_delta(id: str) -> None:
    found = measured(id, constants=(0, 50, 80, 100))
    attack, honest = found["attack"], found["honest"]
    weight = 2.0 * break_even(found, "none")
    assert attack["payoff"] + weight * attack["none"] > honest["payoff"] + weight * honest["none"]
    assert attack["payoff"] < honest["payoff"]
    assert break_even(found, "clip_delta") == np.inf


def test_an_oscillator_builds_and_drops_and_refuses_an_empty_cycle() -> None:
    check_agent(lambda: make_agent("Oscillator(build=2, drop=1)"))
    with pytest.raises(ValueError, match="drop=0: expected a whole number of at least 1"):
        make_agent("Oscillator(drop=0)")
