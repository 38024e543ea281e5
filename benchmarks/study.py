"""Study files: which agents play which games under which rewards. Typed, validated, written in TOML."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from coopgym.agents import agent_names, make_agent
from coopgym.games.registry import games, make_game
from coopgym.games.spec import View
from coopgym.rewards import MODES, reward_layer

STUDIES = Path(__file__).parent / "studies"
GAME_GROUPS = {"all": "", "all-v0": "-v0", "all-v1": "-v1"}
"""Names that stand for many games, and how the ids of those games end."""


class StudyError(ValueError):
    """A study cannot be loaded; the message names the file, the key, what was expected and the nearest known name."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is not known, with the nearest known one."""
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {name!r}; {hint}known: {', '.join(known)}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        names = {field.alias or name for name, field in cls.model_fields.items()}
        for key in values if isinstance(values, dict) else ():
            if key not in names:
                raise ValueError(unknown("key", key, names))
        return values


class ConstantScan(_Strict):
    """Constant cooperation levels in per cent of endowment, both ends included."""

    first: Annotated[int, Field(alias="from", ge=0, le=100)] = 0
    last: Annotated[int, Field(alias="to", ge=0, le=100)] = 100
    step: Annotated[int, Field(ge=1, le=100)] = 1

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the constant agents."""
        return tuple(f"Constant_{level:02d}" for level in range(self.first, self.last + 1, self.step))

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"from={self.first} lies above to={self.last}; expected from ≤ to")
        return self


class LearnerEntry(_Strict):
    """A learner that trains in self-play, one replica per reward mode and seed."""

    name: str
    label: str = ""
    """Name in tables; needed when one learner enters twice with different settings."""
    env_steps: Annotated[int, Field(ge=1)]
    hyperparameters: dict[str, Any] = {}

    @property
    def title(self) -> str:
        """Name under which results are compared."""
        return self.label or self.name

    @model_validator(mode="after")
    def _constructible(self) -> Self:
        from algorithms import learners

        known = learners()
        if self.name not in known:
            raise ValueError(unknown("learner", self.name, known))
        try:
            known[self.name](**self.hyperparameters)
        except (TypeError, ValueError) as error:
            raise ValueError(f"hyperparameters of {self.name}: {error}") from error
        return self


def _games(entries: str | list[str]) -> list[str]:
    known = games()
    chosen: dict[str, None] = {}
    for entry in [entries] if isinstance(entries, str) else entries:
        if entry in GAME_GROUPS:
            chosen |= dict.fromkeys(game for game in known if game.endswith(GAME_GROUPS[entry]))
        elif entry in known:
            chosen[entry] = None
        else:
            raise ValueError(unknown("game", entry, [*known, *GAME_GROUPS]))
    return list(chosen)


def _rewards(entries: list[str] | None) -> list[str] | None:
    return entries and [reward_layer(entry).name for entry in entries]


def require_agent(name: str) -> None:
    """Check that an agent can be made.

    Raises:
        ValueError: it cannot, for whatever reason.
    """
    try:
        make_agent(name)
    except (TypeError, ValueError) as error:
        raise ValueError(str(error)) from error
    except Exception as error:  # a user's module may raise anything when it is imported
        raise ValueError(f"agent {name!r} cannot be imported: {type(error).__name__}: {error}") from error


Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Block(_Strict):
    """Games × reward modes × whatever fills the seats. What is left out is taken from the study."""

    games: Annotated[list[str], Field(min_length=1)]
    parameters: dict[str, Any] = {}
    """Game parameters that differ from the default, the same for all games of the block."""
    agents: list[str] = []
    constants: ConstantScan | None = None
    learners: list[LearnerEntry] = []
    rewards: Annotated[list[str] | None, Field(min_length=1)] = None
    seeds: Annotated[list[Seed] | None, Field(min_length=1)] = None
    episodes: Annotated[int | None, Field(ge=1)] = None
    view: View | None = None
    record_steps: bool | None = None
    exploitability: bool | None = None

    _expand_games = field_validator("games", mode="before")(_games)
    _canonical_rewards = field_validator("rewards")(_rewards)

    @field_validator("agents")
    @classmethod
    def _known_agents(cls, names: list[str]) -> list[str]:
        for name in names:
            require_agent(name)
        return names

    @model_validator(mode="after")
    def _playable(self) -> Self:
        if not (self.agents or self.constants or self.learners):
            raise ValueError("nobody to play; give at least one of `agents`, `constants`, `learners`")
        for game in self.games:
            try:
                make_game(game, **self.parameters)
            except (TypeError, ValueError) as error:
                raise ValueError(f"parameters of {game}: {error}") from error
        return self


class Study(_Strict):
    """A named set of blocks, with the settings they share."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    rewards: Annotated[list[str], Field(min_length=1)] = list(MODES)
    seeds: Annotated[list[Seed], Field(min_length=1)] = [99, 100, 101]
    episodes: Annotated[int, Field(ge=1)] = 8
    """Episodes of an evaluation; agents and games without chance play one, since all would be the same."""
    view: View | None = None
    record_steps: bool = False
    exploitability: bool = False
    """Search how much each seat could gain by deviating from what is played; it takes seconds per run."""
    blocks: Annotated[list[Block], Field(min_length=1)]

    _canonical_rewards = field_validator("rewards")(_rewards)

    @model_validator(mode="after")
    def _fitting_rewards(self) -> Self:
        for block in self.blocks:
            for game in block.games:
                for reward in block.rewards or self.rewards:
                    reward_layer(reward).check(make_game(game, **block.parameters))
        return self

    @model_validator(mode="after")
    def _distinct_labels(self) -> Self:
        settings: dict[str, LearnerEntry] = {}
        for entry in (entry for block in self.blocks for entry in block.learners):
            if entry.title in agent_names():
                raise ValueError(f"learner label {entry.title!r} is the name of a built-in agent; choose another")
            if settings.setdefault(entry.title, entry) != entry:
                raise ValueError(f"two learners called {entry.title!r} differ; give one of them another `label`")
        return self

    def with_agent(self, name: str) -> Study:
        """Return the study with one more agent in every block, named like ``module:Class``.

        Raises:
            StudyError: there is no such agent.
        """
        try:
            require_agent(name)
        except ValueError as error:
            raise StudyError(str(error)) from error
        blocks = [
            block if name in block.agents else block.model_copy(update={"agents": [*block.agents, name]})
            for block in self.blocks
        ]
        return self.model_copy(update={"blocks": blocks})


def shipped_studies() -> list[str]:
    """Names of the studies that come with the package."""
    return sorted(path.stem for path in STUDIES.glob("*.toml"))


def load_study(name_or_path: str) -> Study:
    """Load a shipped study by name, or a study file by path.

    Raises:
        StudyError: no such study, not TOML, or not a valid study.
    """
    path = STUDIES / f"{name_or_path}.toml" if name_or_path in shipped_studies() else Path(name_or_path)
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(unknown("study", name_or_path, shipped_studies()) + ", or the path of a TOML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read: {error}; expected a study in TOML") from error
    try:
        return Study.model_validate(tomllib.loads(content))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise StudyError("\n".join(f"{path}: {_explain(fault)}" for fault in error.errors())) from error


def _explain(fault: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] in ("missing", "value_error"):
        return f"{place}: {message}" if place else message
    return f"{place} = {fault['input']!r}: {message[0].lower()}{message[1:]}"
