"""What a reward transform declares, what runs of it, and what it gets to see.

A transform is two things. `RewardTransform` is its declaration: frozen, hashable, written as text, part of the identity
of runs. `RunningTransform` is made from it for one batch of episodes and may remember what it needs.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, TypeAlias, TypeVar, get_type_hints

from coopgym.backend import Array
from coopgym.extras import extras_named
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards.modes import text_of


@dataclass(frozen=True)
class ObservedStep:
    """A step as the agents themselves saw it: row i of every array holds what agent i observed, and nothing else.

    Observations are those of the ``own`` view, whatever view an agent acts on.
    """

    game: AnyGame
    t: int
    """As `Step.t`."""
    before: Array
    """``(..., N, obs_dim)`` what the agents saw when they chose."""
    after: Array
    """``(..., N, obs_dim)`` what they see then, with what they have just played in it."""
    ended: Array
    """``(...)`` as `Step.ended`."""

    @classmethod
    def of(cls, step: Step) -> ObservedStep:
        """Return what a step looks like to those who play it."""
        game = step.game
        before, after = (game.observe(state, "own") for state in (step.before, step.transition.state))
        return cls(game, step.t, before, after, step.ended)


TransformInput: TypeAlias = Step | ObservedStep
"""What a transform is handed: the step where it needs the state, what the agents observed otherwise."""


class RunningTransform(ABC):
    """A transform at work on one batch ``(...)`` of episodes."""

    def reset(self, episodes: Array | None = None) -> None:
        """Forget what was, where episodes ``(...)`` start anew; None is all of them."""

    @abstractmethod
    def __call__(self, step: Any, reward: Array) -> Array:
        """Return rewards ``(..., N)`` in place of ``reward`` ``(..., N)``, which must stay as it is.

        Args:
            step: a `Step` if the transform needs the state, else an `ObservedStep`.
            reward: what the mode and the transforms before gave.
        """

    def end(self, alive: Array) -> Array | None:
        """Return corrections ``(K, ..., N)`` of the last K rewards, zero in episodes that go on; None for none.

        Args:
            alive: ``(...)`` episodes that have not ended, with the step just rewarded or before.
        """
        return None

    def state(self) -> dict[str, Array]:
        """Return what it remembers, by name, so that a training that is resumed pays on to the same numbers."""
        return {}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from a state that `state` returned."""


class LearnedTransform(RunningTransform):
    """A transform at work that learns from the episodes that it has seen end.

    It pays by what it knows, which changes in `fit` only. With two or more leading dimensions of the batch, the first
    counts replicas: each learns from its own episodes, to the same numbers as alone.
    """

    @abstractmethod
    def fit(self) -> None:
        """Learn. Deterministic: the same episodes give the same rewards afterwards."""


class RewardTransform(ABC):
    """The declaration of a transform. Derive a frozen dataclass whose fields are its settings, and register it.

    The flags say what users may rely on, and `coopgym.testing.check_transform` finds out whether they may.

    >>> from coopgym.rewards import Shaping
    >>> Shaping.usage(), Shaping("trust", weight=0.5).name, Shaping("trust").potential_based
    ('shaping(potential, weight=1, gamma=0.99)', 'shaping(trust, weight=0.5)', True)
    """

    kind: ClassVar[str]
    """What its text begins with: ``shaping`` for ``shaping(trust, weight=0.5)``."""
    version: ClassVar[int] = 1
    """Raise it when the same play may give other rewards than before: it is part of the identity of every run."""
    potential_based: bool = False
    """Whether all it adds is γ Φ(s') - Φ(s), Φ = 0 at the end, which leaves optimal plans and equilibria as they are.
    Solvers then take the mode in place of the transformed reward."""
    causal: bool = True
    """Whether a reward follows from what has happened so far. Others need whole episodes; environments refuse them."""
    learned: bool = False
    """Whether what runs of it is a `LearnedTransform`, which `RunningRewards` lets learn once in a horizon of steps."""
    gamma: float = 1.0
    """Discount of the learner for which the flags hold."""
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    """Registered ones are dataclasses."""

    @property
    def bounded_sum(self) -> bool:
        """Whether what it adds to an episode, discounted by `gamma`, is bounded: there is nothing to farm."""
        return False

    @property
    def per_agent(self) -> bool:
        """Whether an agent's reward depends on the agent's own row only, of the observations and of the rewards."""
        return False

    @property
    @abstractmethod
    def needs(self) -> frozenset[str]:
        """What it looks at besides rewards: of ``{"state", "observation"}``. With the state it sees everything."""

    @abstractmethod
    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        """Return what transforms the rewards of a batch of episodes of a game; `reset` comes before its first step."""

    def check(self, game: AnyGame) -> None:
        """Refuse a game that the transform does not fit.

        Raises:
            ValueError: it does not.
        """

    def follows(self, earlier: Sequence[RewardTransform]) -> None:
        """Refuse a place in the pipeline.

        Args:
            earlier: the transforms before it, in order.

        Raises:
            ValueError: it cannot stand after these.
        """

    @property
    def name(self) -> str:
        """Its text: settings without a default in order, then the others by name where they differ from it."""
        written = []
        for field in _settings(type(self)):
            value = getattr(self, field.name)
            if not _has_default(field):
                written.append(_written(value))
            elif value != field.default:
                written.append(f"{field.name}={_written(value)}")
        return f"{self.kind}({', '.join(written)})" if written else self.kind

    @property
    def key(self) -> str:
        """What identifies it in runs: its name, unless that says where something lies, in place of what that holds."""
        return self.name

    @classmethod
    def examples(cls) -> tuple[RewardTransform, ...]:
        """Return some to show it by: itself where every setting has a default. Other classes name theirs."""
        return (cls(),) if all(map(_has_default, _settings(cls))) else ()

    @classmethod
    def usage(cls) -> str:
        """How it is written, with the defaults of its settings."""
        shown = (f"{f.name}={_written(f.default)}" if _has_default(f) else f.name for f in _settings(cls))
        settings = ", ".join(shown)
        return f"{cls.kind}({settings})" if settings else cls.kind


TransformT = TypeVar("TransformT", bound=RewardTransform)
TRANSFORMS: dict[str, type[RewardTransform]] = {}
"""Transforms that text can ask for, by kind, as far as they are loaded; `transform_class` finds the others."""


def register_transform(transform: type[TransformT]) -> type[TransformT]:
    """Let text ask for a transform, a frozen dataclass; usable as a decorator.

    Raises:
        TypeError: not a dataclass, which could not be written as text.
        ValueError: its kind is not one word, or another transform's.

    >>> @register_transform
    ... class Scaled(RewardTransform):
    ...     kind = "scaled"
    Traceback (most recent call last):
        ...
    TypeError: Scaled: decorate it with @dataclass(frozen=True), so that it has a text
    """
    if not dataclasses.is_dataclass(transform):
        raise TypeError(f"{transform.__name__}: decorate it with @dataclass(frozen=True), so that it has a text")
    if not transform.kind.isidentifier():
        raise ValueError(f"{transform.__name__}: kind={transform.kind!r}; expected one word, such as 'shaping'")
    known = TRANSFORMS.setdefault(transform.kind, transform)
    if (known.__module__, known.__qualname__) != (transform.__module__, transform.__qualname__):
        raise ValueError(f"{transform.__name__}: {known.__name__} is the transform {transform.kind!r}; choose another")
    TRANSFORMS[transform.kind] = transform  # a module that is loaded again brings its class again
    return transform


def transform_kinds() -> tuple[str, ...]:
    """Kinds of transforms that text can ask for.

    >>> "shaping" in transform_kinds()
    True
    """
    return tuple(sorted({*TRANSFORMS, *_plugins()}))


def transform_class(kind: str) -> type[RewardTransform]:
    """Return the transform of a kind; one that a package brings by the entry point ``coopgym.transforms`` is loaded.

    Raises:
        ValueError: an unknown kind; the message has the nearest one.
        MissingExtraError: a package that the transform needs is not installed.

    >>> transform_class("shaping").usage()
    'shaping(potential, weight=1, gamma=0.99)'
    """
    if kind not in TRANSFORMS and kind in _plugins():
        with extras_named(f"the reward transform {kind!r}"):
            register_transform(_plugins()[kind].load())
    if kind not in TRANSFORMS:
        near = difflib.get_close_matches(kind, transform_kinds(), n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = (TRANSFORMS[each].usage() if each in TRANSFORMS else each for each in transform_kinds())
        raise ValueError(f"unknown transform {kind!r}; {hint}known transforms: {', '.join(known)}")
    return TRANSFORMS[kind]


@cache
def _plugins() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group="coopgym.transforms")}


_CALL = re.compile(r"(\w+)\((.*)\)")


def parse_transform(text: str) -> RewardTransform:
    """Return the transform that a text such as ``shaping(trust, weight=0.5)`` stands for.

    Raises:
        ValueError: an unknown transform or setting, or a value out of range; the message says what is known.
    """
    call = _CALL.fullmatch(text.strip())
    transform = transform_class(call[1] if call else text.strip())
    try:
        return transform(**_values(transform, call[2] if call else ""))
    except ValueError as error:
        raise ValueError(f"{text.strip()}: {error}; expected {transform.usage()}") from error


def _values(transform: type[RewardTransform], arguments: str) -> dict[str, Any]:
    """Settings by name, each of the type of its field."""
    names, types = [field.name for field in _settings(transform)], get_type_hints(transform)
    values: dict[str, Any] = {}
    for position, argument in enumerate(filter(None, map(str.strip, arguments.split(",")))):
        name, equals, value = map(str.strip, argument.partition("="))
        if not equals and position < len(names):
            name, value = names[position], argument
        if name not in names or name in values:
            raise ValueError(f"{argument!r} is no setting of it, or one that is given already")
        values[name] = _read(types[name], value)
    missing = [field.name for field in _settings(transform) if not (_has_default(field) or field.name in values)]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be given")
    return values


def _settings(transform: type[RewardTransform]) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(transform) if field.init]


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return text_of(value) if isinstance(value, float) else str(value)


def _read(kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{text!r}: expected true or false")
        return text == "true"
    return kind(text)
