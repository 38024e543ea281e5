"""What `check_transform` says about transforms that are not what they declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards import TRANSFORMS, ObservedStep, RewardTransform, RunningTransform, register_transform
from coopgym.testing import ConformanceError, check_transform


@dataclass(frozen=True)
class Bonus(RewardTransform, RunningTransform):
    """Pays a constant on top: harmless, and honest about it. It remembers nothing, so that it runs itself."""

    kind = "bonus"
    per_agent = True
    gamma: float = 0.99
    size: float = 1.0
    needs: ClassVar[frozenset[str]] = frozenset()

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return self

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward + self.size


@pytest.fixture(autouse=True)
def only_shipped_ones_afterwards() -> Iterator[None]:
    shipped = dict(TRANSFORMS)
    yield
    TRANSFORMS.clear()
    TRANSFORMS.update(shipped)


def test_an_honest_transform_passes() -> None:
    register_transform(Bonus)
    check_transform(Bonus())
    check_transform("bonus(size=-0.5)")


@dataclass(frozen=True)
class Farmable(Bonus):
    kind = "farmable"
    bounded_sum = True


@dataclass(frozen=True)
class NoPotential(Bonus):
    kind = "no_potential"
    potential_based = True
    needs = frozenset({"observation"})

    def __call__(self, step: ObservedStep, reward: Array) -> Array:
        return reward + step.after[..., 0]  # how much one has just put in: an action, not a state


@dataclass(frozen=True)
class LeftAtTheEnd(Bonus):
    """Potential based but for Φ of the last state."""

    kind = "left"
    potential_based = True
    per_agent = False
    needs = frozenset({"state"})

    def __call__(self, step: Step, reward: Array) -> Array:
        here, there = (state.trust.sum(-1) for state in (step.before, step.transition.state))
        return reward + self.gamma * there - here


@dataclass(frozen=True)
class Mixing(Bonus):
    kind = "mixing"

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward - reward.sum(-1)[..., None]


@dataclass(frozen=True)
class Peeking(Bonus):
    kind = "peeking"
    needs = frozenset({"observation"})

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward + step.transition.payoffs


@dataclass(frozen=True)
class InPlace(Bonus):
    kind = "in_place"

    def __call__(self, step: Any, reward: Array) -> Array:
        reward += 1.0
        return reward


@dataclass(frozen=True)
class Summed(Bonus):
    kind = "summed"

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward.sum(-1)


@dataclass(frozen=True)
class AcrossRows(Bonus):
    kind = "across"

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward - reward.mean()


@dataclass(frozen=True)
class OnNumPyOnly(Bonus):
    kind = "numpy"

    def __call__(self, step: Any, reward: Array) -> Array:
        return reward + (1.0 if isinstance(reward, np.ndarray) else 2.0)


@dataclass(frozen=True)
class Shelf(Bonus):
    """Keeps in the declaration what it has seen."""

    kind = "shelf"
    seen: list[float] = field(default_factory=list, init=False, compare=False)

    def __call__(self, step: Any, reward: Array) -> Array:
        self.seen.append(float(reward.sum()))
        return reward + 1.0


class _Counting(RunningTransform):
    """Pays its number of calls."""

    def __init__(self, forgetful: bool) -> None:
        self.count, self.forgetful = 0, forgetful

    def reset(self, episodes: Array | None = None) -> None:
        if episodes is None or self.forgetful:
            self.count = 0

    def __call__(self, step: Any, reward: Array) -> Array:
        self.count += 1
        return reward + self.count


@dataclass(frozen=True)
class NeverForgetting(Bonus):
    kind = "elephant"

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _Counting(forgetful=False)


@dataclass(frozen=True)
class ForgettingAll(Bonus):
    kind = "goldfish"

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _Counting(forgetful=True)


class _Redistributing(RunningTransform):
    """Spreads the sum of an episode over its steps when it is over."""

    def __init__(self, game: AnyGame) -> None:
        self.xp = game.xp

    def reset(self, episodes: Array | None = None) -> None:
        self.past: list[Any] = []
        self.alive: Any = True

    def __call__(self, step: Any, reward: Array) -> Array:
        self.past.append(reward)
        return reward * 0.0

    def end(self, alive: Array) -> Array | None:
        over, self.alive = self.alive & ~alive, alive
        mean = sum(self.past) / len(self.past) * over[..., None]
        return self.xp.stack([mean] * len(self.past))


@dataclass(frozen=True)
class Redistributing(Bonus):
    kind = "redistributing"

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _Redistributing(game)


@dataclass(frozen=True)
class Unlearned(Bonus):
    kind = "unlearned"
    learned = True


@dataclass(frozen=True)
class Vague(Bonus):
    kind = "vague"
    causal = None  # type: ignore[assignment]  # which is what is wrong with it


@dataclass(frozen=True)
class Clairvoyant(Bonus):
    kind = "clairvoyant"
    needs = frozenset({"future"})


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Farmable, "sums are bounded: .*longer episodes can farm it; declare bounded_sum = False"),
        (NoPotential, "potentials telescope: .*with Φ = 0 at the end, or declare potential_based = False"),
        (LeftAtTheEnd, "potentials telescope: .*differ by"),
        (Mixing, "each agent is on its own: .*declare per_agent = False"),
        (Peeking, r"it reads step.transition, which agents do not observe; declare needs = frozenset\({'state'}\)"),
        (InPlace, "rewards are numbers: it changes the rewards it is given; return a new array"),
        (Summed, r"it makes rewards of shape \(3,\) of \(3, 2\); keep it"),
        (AcrossRows, "episodes are apart: .*keep rows of a batch apart"),
        (OnNumPyOnly, "backends agree: .*torch differs from NumPy by"),
        (Shelf, "it can be a key: it remembers what it has seen; remember in what running"),
        (NeverForgetting, "a reset forgets: .*remembers rows that start anew"),
        (ForgettingAll, "a reset forgets: .*touches rows that go on"),
        (Redistributing, "causal rewards do not peek: .*declare causal = False, or correct the last one only"),
        (Unlearned, r"flags are declared: learned=True, but running\(\) returns no LearnedTransform; derive from it"),
        (Vague, "flags are declared: causal=None; declare True or False"),
        (Clairvoyant, r"needs \['future'\]; it may need observation, state"),
    ],
)
def test_what_is_not_as_declared_is_named_with_what_to_change(transform: type[Bonus], message: str) -> None:
    register_transform(transform)
    with pytest.raises(ConformanceError, match=message):
        check_transform(transform())


def test_a_transform_without_a_text_is_told_to_register() -> None:
    with pytest.raises(ConformanceError, match=r"its name does not parse: .*decorate it with @register_transform"):
        check_transform(Bonus())
