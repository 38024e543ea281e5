"""What stands in the blocks of a study file: scans of constants, learners, scenarios, ranges of parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from coopgym.agents import PUBLISHED, constant_names, make_agent
from coopgym.games.registry import games
from coopgym.rewards import reward_layer
from coopgym.visible_text import brief

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Learner

GAME_GROUPS = {"all": "", "all-v0": "-v0", "all-v1": "-v1"}
"""Names that stand for many games, and how the ids of those games end."""

Seed = Annotated[int, Field(ge=0, lt=2**31)]


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is not known, with the nearest known one."""
    known = sorted(known)
    folded = {entry.casefold(): entry for entry in known}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    return f"unknown {kind} {name!r}; {hint}known: {', '.join(known)}"


def refuse(faults: Iterable[str]) -> None:
    """Say all that is wrong with a part of a study file at once; do nothing if nothing is.

    Raises:
        ValidationError: it holds a fault each.
    """
    if found := [_fault(message) for message in faults]:
        raise ValidationError.from_exception_data("study", found)


def _fault(message: str, place: tuple[int | str, ...] = ()) -> InitErrorDetails:
    kind = PydanticCustomError("value_error", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=place, input=None)


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """A fault that was found before, to be told with others."""
    kind = PydanticCustomError(fault["type"], "{message}", {"message": fault["msg"]})
    return InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"])


class Strict(BaseModel):
    """A part of a study file: unknown keys are errors that name the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def in_full(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return the keys that shorter ones stand for; as a rule there are none of these."""
        return values

    @model_validator(mode="wrap")
    @classmethod
    def _known_keys(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Name unknown keys beside what is wrong with the known ones."""
        names = {field.alias or name for name, field in cls.model_fields.items()}
        values = cls.in_full(values) if isinstance(values, dict) else values
        strangers = [key for key in values if key not in names] if isinstance(values, dict) else []
        if not strangers:
            return handler(values)
        faults = [_fault(unknown("key", key, names)) for key in strangers]
        try:
            handler({key: value for key, value in values.items() if key in names})
        except ValidationError as error:
            faults += [_again(fault) for fault in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, faults)


class ConstantScan(Strict):
    """Constant cooperation levels in per cent of the own endowment, both ends included."""

    first: Annotated[int, Field(alias="from", ge=0, le=100)] = 0
    last: Annotated[int, Field(alias="to", ge=0, le=100)] = 100
    step: Annotated[int, Field(ge=1, le=100)] = 1
    published: bool = False
    """Take shares of the largest endowment for everybody, as the published study did."""

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the constant agents."""
        names = constant_names()[self.first : self.last + 1 : self.step]
        return tuple(PUBLISHED + name for name in names) if self.published else names

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"from={self.first} lies above to={self.last}; expected from ≤ to")
        return self


class ParameterRange(Strict):
    """Equally spaced values of a game parameter, both ends included."""

    first: Annotated[float, Field(alias="from")]
    last: Annotated[float, Field(alias="to")]
    count: Annotated[int, Field(ge=2)]

    @property
    def values(self) -> list[float]:
        """The values, in ascending or descending order as given."""
        return [float(value) for value in np.linspace(self.first, self.last, self.count)]


Sweep = dict[str, list[Any] | ParameterRange]
"""Values of game parameters: lists, or ``{ from, to, count }``."""


def swept(parameters: dict[str, Any], sweep: Sweep) -> list[dict[str, Any]]:
    """Return the fixed parameters with every combination of swept ones.

    Raises:
        ValueError: a parameter is both fixed and swept, or has no values.
    """
    if both := sorted(set(parameters) & set(sweep)):
        raise ValueError(f"parameter {both[0]!r} is both fixed and swept; keep it in one of `parameters`, `sweep`")
    axes = {name: given.values if isinstance(given, ParameterRange) else given for name, given in sweep.items()}
    if empty := [name for name, values in axes.items() if not values]:
        raise ValueError(f"sweep of {empty[0]!r} has no values")
    return [{**parameters, **dict(zip(axes, values, strict=True))} for values in product(*axes.values())]


RECORDED = "recorded"
"""Context of a validation where settings may have the names that files have for them."""


class LearnerEntry(Strict):
    """A learner that trains in self-play, one replica per reward mode and seed."""

    name: str
    label: str = ""
    """Name in tables; needed when one learner enters twice with different settings."""
    env_steps: Annotated[int, Field(ge=1)]
    objective: Literal["individual", "team"] | None = None
    """Whose reward every seat maximises; None leaves it to the learner's hyper-parameters."""
    hyperparameters: dict[str, Any] = {}

    @property
    def title(self) -> str:
        """Name under which results are compared."""
        return self.label or self.learner.title

    @cached_property
    def learner(self) -> Learner:
        """The learner with its hyper-parameters.

        Raises:
            ValueError, TypeError: an unknown hyper-parameter or a value out of range.
        """
        from coopgym.algorithms import learners

        return learners()[self.name](**self.settings)

    @property
    def settings(self) -> dict[str, Any]:
        """Hyper-parameters with the objective among them."""
        return self.hyperparameters | ({} if self.objective is None else {"objective": self.objective})

    @field_validator("hyperparameters")
    @classmethod
    def _by_current_names(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from coopgym.algorithms import learners

        name = info.data.get("name", "")
        return learners()[name].current(given) if info.context == RECORDED and name in learners() else given

    @model_validator(mode="after")
    def _constructible(self) -> Self:
        from coopgym.algorithms import learners

        known = learners()
        if self.name not in known:
            raise ValueError(unknown("learner", self.name, known))
        try:
            _ = self.learner
        except (TypeError, ValueError) as error:
            raise ValueError(f"hyperparameters of {self.name}: {error}") from error
        return self


class ScenarioEntry(Strict):
    """Who surrounds the agents and learners of a block: each of them is the focal one in turn."""

    name: Annotated[str, Field(pattern=r"^[^/*?\[\]]+$")]
    background: Annotated[tuple[str, ...], Field(min_length=1)]
    """Agents or learners of the study in the other seats, in ascending order; one stands for all of them."""
    focal_seats: tuple[Annotated[int, Field(ge=0)], ...] | Literal["each"] = "each"
    """Seats of the focal agent; ``"each"`` puts it into every kind of seat in turn, alone."""

    def check(self, seats: int, game: str) -> None:
        """Make sure that a game has the seats and the others fill the rest.

        Raises:
            ValueError: they do not.
        """
        taken = (0,) if self.focal_seats == "each" else self.focal_seats
        if not taken or len(set(taken)) != len(taken) or max(taken) >= seats:
            raise ValueError(
                f"scenario {self.name!r}: focal_seats={list(taken)} must be distinct seats of {game}, 0 to {seats - 1}"
            )
        others = seats - len(taken)
        if not others or len(self.background) not in (1, others):
            raise ValueError(
                f"scenario {self.name!r}: {game} leaves {others} seats to the background; "
                f"expected one agent or {others}, got {len(self.background)}"
            )


def game_ids(entries: str | list[str]) -> list[str]:
    """Return the games that ids and group names stand for, each once.

    Raises:
        ValueError: an unknown name.
    """
    known = games()
    chosen: dict[str, None] = {}
    for entry in [entries] if isinstance(entries, str) else entries:
        if not isinstance(entry, str):
            raise ValueError(f"got {brief(entry)} as a game; expected its id, such as {known[0]!r}")
        if entry in GAME_GROUPS:
            chosen |= dict.fromkeys(game for game in known if game.endswith(GAME_GROUPS[entry]))
        elif entry in known:
            chosen[entry] = None
        else:
            raise ValueError(unknown("game", entry, [*known, *GAME_GROUPS]))
    return list(chosen)


def reward_names(entries: list[str] | None) -> list[str] | None:
    """Return reward modes under their canonical names."""
    return entries and [reward_layer(entry).name for entry in entries]


def require_agent(name: str) -> None:
    """Check that an agent can be made.

    Raises:
        ValueError: it cannot, for whatever reason.
    """
    try:
        make_agent(name)
    except (TypeError, ValueError, ImportError) as error:
        raise ValueError(str(error)) from error


class Setting(Strict):
    """Games with their parameters, rewards and seeds; what is left out is taken from the study."""

    games: Annotated[list[str], Field(min_length=1)]
    parameters: dict[str, Any] = {}
    """Game parameters that differ from the default, the same for all games of the block."""
    rewards: Annotated[list[str] | None, Field(min_length=1)] = None
    seeds: Annotated[list[Seed] | None, Field(min_length=1)] = None

    @field_validator("games", mode="before")
    @classmethod
    def _expand_games(cls, entries: Any) -> list[str]:
        if not isinstance(entries, str | list):
            raise ValueError(f'got {brief(entries)}; expected ids of games or groups of them, such as "all-v1"')
        faults: list[str] = []
        chosen: dict[str, None] = {}
        for entry in [entries] if isinstance(entries, str) else entries:
            try:
                chosen |= dict.fromkeys(game_ids([entry]))
            except ValueError as error:
                faults.append(str(error))
        refuse(faults)
        return list(chosen)

    _canonical_rewards = field_validator("rewards")(reward_names)
