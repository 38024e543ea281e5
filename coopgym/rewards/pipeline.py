"""The reward pipeline: payoffs → mode → what the game makes of it → transforms → learner.

`Rewards` is the one object that every interface takes. It is text when written down, such as
``private + shaping(trust, weight=0.5)``, and part of the identity of every run. Scores never see a transform: whatever
a learner was paid, it is evaluated on the mode alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards.modes import FAMILIES, NAMED, RewardLayer, RewardMode
from coopgym.rewards.transforms import (
    LearnedTransform,
    ObservedStep,
    RewardTransform,
    RunningTransform,
    parse_transform,
    transform_kinds,
)


@dataclass(frozen=True)
class Rewards(RewardLayer):
    """A mode and the transforms of it, in the order in which they apply.

    Under private reward an agent knows nothing of what others earn or see, so that a transform must work on each
    agent's own observation and reward.

    Raises:
        ValueError: under a private mode, a transform that looks at more than an agent's own observation and reward; or
            one that cannot stand where it stands.

    >>> from coopgym.rewards import Mutuality, Shaping
    >>> rewards = Rewards(Mutuality(0.5), (Shaping("trust", weight=0.1),))
    >>> print(rewards, "|", rewards.evaluated)
    mutuality=0.5 + shaping(trust, weight=0.1) | mutuality=0.5
    >>> reward_layer(str(rewards)) == rewards
    True
    """

    mode: RewardMode
    transforms: tuple[RewardTransform, ...] = ()

    def __post_init__(self) -> None:
        for place, transform in enumerate(self.transforms):
            transform.follows(self.transforms[:place])
        for transform in self.transforms if self.mode.private else ():
            seen = sorted(transform.needs - {"observation"})
            if seen or not transform.per_agent:
                what = f"looks at the {' and '.join(seen)}" if seen else "mixes the rewards or observations of agents"
                raise ValueError(
                    f"{transform.name} {what}, but under {self.mode.name} reward an agent has its own reward and its "
                    "own observation to learn from; choose a transform of those, or another mode"
                )

    @property
    def name(self) -> str:
        return " + ".join((self.mode.name, *(transform.name for transform in self.transforms)))

    def __str__(self) -> str:
        return self.name

    @property
    def evaluated(self) -> Rewards:
        """The mode alone, on which everybody is evaluated whatever they were trained with."""
        return Rewards(self.mode) if self.transforms else self

    @property
    def degree(self) -> float | None:
        """λ of the mutuality continuum, of the mode."""
        return self.mode.degree

    def treats_alike(self, i: int, j: int) -> bool:
        """Whether the mode, swapping agents i and j, swaps their rewards and leaves all others."""
        return self.mode.treats_alike(i, j)

    def check(self, game: AnyGame) -> None:
        self.mode.check(game)
        for transform in self.transforms:
            transform.check(game)

    def __call__(self, step: Step) -> Array:
        """Return rewards ``(..., N)`` of a step.

        Raises:
            ValueError: there are transforms, which need `running`.
        """
        if self.transforms:
            raise ValueError(
                f"{self.name} may remember earlier steps: call .running(game, batch), or .evaluated for the mode alone"
            )
        return self.paid(step)

    def paid(self, step: Step) -> Array:
        """Return what the mode and the game itself make of a step, ``(..., N)``, before any transform."""
        return step.game.transformed(step, self.mode(step))

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningRewards:
        """Return what rewards a batch of episodes of a game; it alone remembers.

        Raises:
            ValueError: a game that the reward does not fit, or a transform that needs whole episodes.
        """
        self.check(game)
        for transform in self.transforms:
            if not transform.causal:
                raise ValueError(
                    f"{transform.name} needs whole episodes; an environment pays step by step and cannot take it"
                )
        return RunningRewards(self, game, batch)


class RunningRewards:
    """Rewards of one batch ``(...)`` of episodes.

    Transforms that are learned learn after as many steps as the longest episode has, whatever has ended by then: when
    that is does not depend on the rows, so that no replica moves another.
    """

    def __init__(self, rewards: Rewards, game: AnyGame, batch: tuple[int, ...]) -> None:
        self._paid = rewards.paid
        self._transforms = [("state" in each.needs, each.running(game, batch)) for each in rewards.transforms]
        self._are_observed = not all(sees_state for sees_state, _ in self._transforms)
        self._learned = [each for _, each in self._transforms if isinstance(each, LearnedTransform)]
        self._game, self._steps = game, 0

    @property
    def transforms(self) -> tuple[RunningTransform, ...]:
        """Transforms at work, in order; some have attributes of their own that tell how it goes."""
        return tuple(transform for _, transform in self._transforms)

    @property
    def learned(self) -> bool:
        """Whether rewards change as episodes are played."""
        return bool(self._learned)

    def reset(self, episodes: Array | None = None) -> None:
        """Forget what was, where episodes ``(...)`` start anew; None is all of them."""
        for _, transform in self._transforms:
            transform.reset(episodes)

    def __call__(self, step: Step) -> Array:
        """Return rewards ``(..., N)`` of the step that follows the last one."""
        rewards = self._paid(step)
        if self._transforms:
            rewards = self._transformed(step, rewards)
        if self._learned:
            self._learn()
        return rewards

    def state(self) -> dict[str, Array]:
        """Return what transforms remember, by name; `restore` continues from it."""
        steps = {"steps": self._game.backend.integers(self._steps)} if self._learned else {}
        return steps | _nested(transform.state() for _, transform in self._transforms)

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from a state that `state` returned."""
        self._steps = int(state.get("steps", 0))
        for place, (_, transform) in enumerate(self._transforms):
            transform.restore(_extracted(state, place))

    def _learn(self) -> None:
        self._steps += 1
        if self._steps % self._game.spec.horizon == 0:
            for transform in self._learned:
                transform.fit()

    def _transformed(self, step: Step, rewards: Array) -> Array:
        observed, alive = ObservedStep.of(step) if self._are_observed else None, ~step.ended
        if step.alive is not None:
            alive = alive & step.alive
        for sees_state, transform in self._transforms:
            rewards = transform(step if sees_state else observed, rewards)
            owed = transform.end(alive)
            if owed is not None:
                rewards = rewards + owed[-1]
        return rewards


class RewardsByRow:
    """Rewards of one batch whose leading entries, R of them, have rewards of their own."""

    def __init__(self, rewards: Sequence[Rewards], game: AnyGame, batch: tuple[int, ...]) -> None:
        distinct = list(dict.fromkeys(rewards))
        self._running = [each.running(game, batch) for each in distinct]
        self._of_row = [distinct.index(each) for each in rewards]

    def reset(self, episodes: Array | None = None) -> None:
        """As `RunningRewards.reset`."""
        for running in self._running:
            running.reset(episodes)

    @property
    def learned(self) -> bool:
        """As `RunningRewards.learned`."""
        return any(running.learned for running in self._running)

    def state(self) -> dict[str, Array]:
        """As `RunningRewards.state`."""
        return _nested(running.state() for running in self._running)

    def restore(self, state: Mapping[str, Array]) -> None:
        """As `RunningRewards.restore`."""
        for place, running in enumerate(self._running):
            running.restore(_extracted(state, place))

    def __call__(self, step: Step) -> Array:
        """Return rewards ``(R, ..., N)`` of the step that follows the last one."""
        rewards = [running(step) for running in self._running]
        return step.game.xp.stack([rewards[which][row] for row, which in enumerate(self._of_row)], axis=0)


def _nested(states: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
    """Return states under the places that they have in a row."""
    return {f"{place}.{name}": array for place, state in enumerate(states) for name, array in state.items()}


def _extracted(state: Mapping[str, Array], place: int) -> dict[str, Array]:
    """Return the state that `_nested` put at a place."""
    prefix = f"{place}."
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def running_rewards(
    reward: str | RewardLayer | Sequence[str | RewardLayer], game: AnyGame, batch: tuple[int, ...]
) -> RunningRewards | RewardsByRow:
    """Return what rewards a batch of episodes of a game.

    Args:
        reward: one for all rows, or one per entry of the leading batch dimension.
        game: on the backend of the episodes.
        batch: leading dimensions.

    Raises:
        ValueError: as `reward_layer` and `Rewards.running`, or as many rewards as the leading dimension has not.

    >>> from coopgym import make_game, play
    >>> game = make_game("TrustDilemma-v1")
    >>> rewards = running_rewards(["private", "cooperative"], game, (2,))
    >>> step = next(play.unroll(game, play.open_loop(game, np.array([[0.2, 0.8]])), batch=(2,), draws=play.NOMINAL))
    >>> rewards(step).round(2)  # the same step in both rows, each with a reward of its own
    array([[2.09, 0.97],
           [1.53, 1.53]])
    """
    if isinstance(reward, str | RewardLayer) or not isinstance(reward, Sequence):
        return reward_layer(reward).running(game, batch)
    rewards = [reward_layer(each) for each in reward]
    if not batch or len(rewards) != batch[0]:
        raise ValueError(f"got {len(rewards)} rewards for a batch of shape {batch}: expected one per leading entry")
    return RewardsByRow(rewards, game, batch)


MODES: dict[str, Rewards] = {name: Rewards(mode) for name, mode in NAMED.items()}
"""The three named modes."""

_FORMS = ", ".join((*NAMED, *(form for form, _ in FAMILIES.values())))
_BEFORE_A_TRANSFORM = re.compile(r"\s*\+\s*(?=[A-Za-z_])")  # the plus in a number such as 1e+16 stands before a digit


def reward_layer(reward: str | RewardLayer) -> Rewards:
    """Return the pipeline that a text, a mode or a pipeline stands for.

    Args:
        reward: ``"private"``, ``"integrated"``, ``"cooperative"``, ``"mutuality=0.5"``, ``"svo=45"``,
            ``"inequity=1,0.5"`` or ``"matrix=1,0;0,1"``, followed by any transforms: ``"private + shaping(trust)"``; or
            a `RewardMode`, or `Rewards`.

    Raises:
        ValueError: not a known form, a number out of range, or a transform that does not go with the mode.
        TypeError: none of these.

    >>> reward_layer("inequity=1,0.5").mode
    InequityAversion(envy=1.0, guilt=0.5)
    >>> reward_layer("mutuality=1.5")
    Traceback (most recent call last):
        ...
    ValueError: reward='mutuality=1.5': mutuality=1.5: expected a number in [0, 1]; known forms: ...
    """
    if isinstance(reward, Rewards):
        return reward
    if isinstance(reward, RewardMode):
        return Rewards(reward)
    if not isinstance(reward, str):
        raise TypeError(f"reward={reward!r}: expected a mode name, a RewardMode or Rewards; names: {_FORMS}")
    if reward in MODES:
        return MODES[reward]
    mode, *transforms = _BEFORE_A_TRANSFORM.split(reward.strip())
    return Rewards(_mode(mode), tuple(map(parse_transform, transforms)))


def _mode(text: str) -> RewardMode:
    if text in NAMED:
        return NAMED[text]
    family, _, argument = text.partition("=")
    if family in FAMILIES:
        try:
            return FAMILIES[family][1](argument)
        except ValueError as error:
            raise ValueError(f"reward={text!r}: {error}; known forms: {_FORMS}") from error
    if text.partition("(")[0].strip() in transform_kinds():
        raise ValueError(
            f"{text!r} is a transform, and a mode comes first: 'cooperative + {text}'; known forms: {_FORMS}"
        )
    near = difflib.get_close_matches(text, NAMED, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown reward {text!r}; {hint}known forms: {_FORMS}")


def objective(reward: str | RewardLayer) -> Rewards:
    """Return what a solver maximises in place of a reward: its mode, if no transform moves optima and equilibria.

    Raises:
        ValueError: a transform that is not potential based, or as `reward_layer`.

    >>> print(objective("private + shaping(trust)"))
    private
    """
    layer = reward_layer(reward)
    for transform in layer.transforms:
        if not transform.potential_based:
            raise ValueError(
                f"{layer.name}: {transform.name} is not potential based, so that the optima and equilibria of "
                f"{layer.mode.name} reward need not be its own; solve {layer.mode.name!r} instead"
            )
    return layer.evaluated
