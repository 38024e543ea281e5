"""Study files: which agents play which games under which rewards. Typed, validated, written in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import chain, product
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from coopgym.agents import agent_names
from coopgym.benchmarks.audits import AUDITS, AuditOptions, reference_labels
from coopgym.benchmarks.study.agent_info import require_view
from coopgym.benchmarks.study.schema import (
    RECORDED,
    ConstantScan,
    LearnerEntry,
    ScenarioEntry,
    Seed,
    Setting,
    Strict,
    Sweep,
    refuse,
    require_agent,
    reward_names,
    swept,
    unknown,
)
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.rewards import MODES, reward_layer
from coopgym.strangers import population, read_anchors, scenarios
from coopgym.visible_text import brief
from coopgym.worlds import FIXED, TEST_SEEDS

STUDIES = Path(__file__).parents[1] / "studies"
AMONG = "among:"
"""How scenarios of cross-play are named: ``among:TitForTat`` is one focal agent among copies of TitForTat."""
MOST_FAULTS, LONGEST_FAULT = 20, 400
"""How many faults of a study are told at once, and with how many characters each."""


class StudyError(ValueError):
    """A study cannot be loaded; the message names the file, the key, what was expected and the nearest known name."""


T = TypeVar("T")


def faults_of(check: Callable[[T], object], each: Iterable[T]) -> Iterator[str]:
    """Yield what a check says against some things, one after the other."""
    for one in each:
        try:
            check(one)
        except ValueError as error:
            yield str(error)


class Block(Setting):
    """Games × reward modes × whatever fills the seats.

    >>> Block(games=["TrustDilemma-v1"], agents=["Random"], sweep={"gamma": [2.0, 3.0]}).settings("TrustDilemma-v1")
    [{'gamma': 2.0}, {'gamma': 3.0}]
    """

    sweep: Sweep = {}
    """Game parameters that take several values; every combination is a game of its own."""
    agents: list[str] = []
    constants: ConstantScan | None = None
    learners: list[LearnerEntry] = []
    scenarios: list[ScenarioEntry] = []
    cross_play: bool = False
    """Whether every agent and learner of the block also plays alone among copies of every other one."""
    strangers: Literal["test"] | None = None
    """Population that every agent and learner of the block meets as well, on private reward: docs/strangers.md."""
    episodes: Annotated[int | None, Field(ge=1)] = None
    stochastic_episodes: Annotated[int | None, Field(ge=0)] = None
    view: View | None = None
    record_steps: bool | None = None
    exploitability: bool | None = None

    @classmethod
    def in_full(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Read ``worlds`` as what it is short for, a sweep over the parameter ``world``."""
        if "worlds" not in values:
            return values
        others, sweep = {key: value for key, value in values.items() if key != "worlds"}, values.get("sweep", {})
        if not isinstance(sweep, dict) or "world" in sweep:
            refuse(["give the worlds once: as `worlds` or in `sweep`"])
        return {**others, "sweep": {**sweep, "world": values["worlds"]}}

    @field_validator("agents")
    @classmethod
    def _known_agents(cls, names: list[str]) -> list[str]:
        refuse(faults_of(require_agent, names))
        return names

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """Parameters of every variant of the games."""
        return swept(self.parameters, self.sweep)

    def settings(self, game: str) -> list[dict[str, Any]]:
        """Overridden parameters of every variant of a game, each in its one form."""
        return [make_game(game, **variant).overridden() for variant in self.variants]

    @property
    def titles(self) -> list[str]:
        """Names of agents and learners, without constants."""
        return [*self.agents, *(entry.title for entry in self.learners)]

    @property
    def encounters(self) -> list[ScenarioEntry]:
        """The scenarios of cross-play."""
        # Not checked: names of agents may hold what names of scenarios in study files may not, such as slashes.
        return [ScenarioEntry.model_construct(name=f"{AMONG}{name}", background=(name,)) for name in self.titles]

    @model_validator(mode="after")
    def _playable(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if not (self.agents or self.constants or self.learners):
            yield "nobody to play; give at least one of `agents`, `constants`, `learners`"
        names = [scenario.name for scenario in self.scenarios]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1 or name.startswith(AMONG)):
            yield f"scenario {name!r}: expected names that differ and do not start with {AMONG!r}"
        yield from faults_of(self._require_anchors, self.games if self.strangers else [])
        for game, variant in product(self.games, self.variants):
            try:
                seats = make_game(game, **variant).n_agents
            except (TypeError, ValueError) as error:
                yield f"parameters of {game}: {error}"
                continue
            yield from faults_of(partial(ScenarioEntry.check, seats=seats, game=game), self.scenarios)
        yield from faults_of(self._refuse_twice, self.games)

    def _require_anchors(self, game: str) -> None:
        """Make sure that it is known what meeting the strangers of a game is worth.

        Raises:
            ValueError: it is not.
        """
        met = population(game, self.strangers or "")
        if self.parameters or self.sweep:
            raise ValueError(
                f"strangers: partners are met in {game} as it is; give `parameters` and `sweep` another block"
            )
        if missing := {scenario.name for scenario in scenarios(met)} - {*read_anchors(met)}:
            raise ValueError(
                f"strangers: {len(missing)} scenarios of {game} have not been valued, such as {min(missing)}; "
                f"`coopgym strangers build {game} --population {met.name}` does that"
            )

    def _refuse_twice(self, game: str) -> None:
        """Make sure that no two values of the sweep are the same game."""
        try:
            settings = self.settings(game)
        except (TypeError, ValueError):
            return  # told beside the parameters
        for number, setting in enumerate(settings):
            if setting in settings[:number]:
                one, other = self.variants[settings.index(setting)], self.variants[number]
                raise ValueError(f"sweep: {one} and {other} are the same {game}; keep one of them")


class AuditBlock(Setting):
    """An audit: actions fixed in advance, to learn what deviations pay (`coopgym.benchmarks.audits`)."""

    protocol: str
    options: AuditOptions = AuditOptions()
    labels: str | list[str] | None = None
    """Names under which results are filed; ``"reference"`` takes those of the published audit."""

    def labels_of(self, game: str) -> tuple[str, ...]:
        """Names under which the results of a game are filed."""
        if self.labels == "reference":
            return reference_labels(make_game(game).spec)
        return (self.labels,) if isinstance(self.labels, str) else tuple(self.labels or ("audit",))

    @model_validator(mode="after")
    def _known(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if self.protocol not in AUDITS:
            yield unknown("audit protocol", self.protocol, AUDITS)
        for game in self.games:
            try:
                make_game(game, **self.parameters)
            except (TypeError, ValueError) as error:
                yield f"parameters of {game}: {error}"


class Study(Strict):
    """A named set of blocks and audits, with the settings they share.

    >>> study = Study(name="mine", blocks=[{"games": ["TrustDilemma-v1"], "agents": ["TitForTat", "Random"]}])
    >>> study.seeds, study.rewards
    ([99, 100, 101], ['private', 'integrated', 'cooperative'])
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    rewards: Annotated[list[str], Field(min_length=1)] = list(MODES)
    mutuality: list[Annotated[float, Field(ge=0, le=1)]] = []
    """Points λ between private (0) and cooperative (1) that are played besides the reward modes."""
    seeds: Annotated[list[Seed], Field(min_length=1)] = [99, 100, 101]
    episodes: Annotated[int, Field(ge=1)] = 8
    """Episodes of an evaluation; agents and games without chance play one, since all would be the same."""
    stochastic_episodes: Annotated[int, Field(ge=0)] = 16
    """Episodes in which a learner's actions are drawn from its policies; the others play their means."""
    view: View | None = None
    record_steps: bool = False
    exploitability: bool | None = None
    """Search how much each seat could gain by deviating from what is played, at quick effort; it takes seconds per run.
    None searches what private play is ranked by: policies that were trained on the own private reward."""
    blocks: list[Block] = []
    audits: list[AuditBlock] = []

    _canonical_rewards = field_validator("rewards")(reward_names)

    @classmethod
    def of_a_corpus(cls, description: Any) -> Self:
        """Read the study that a corpus keeps, of any age: learners' settings may have the names that they had then.

        Raises:
            ValidationError: it is not a study.
        """
        return cls.model_validate(description, context=RECORDED)

    @model_validator(mode="before")
    @classmethod
    def _with_mutuality(cls, values: Any) -> Any:
        if not (isinstance(values, dict) and isinstance(grid := values.get("mutuality"), list) and grid):
            return values
        added = [f"mutuality={point}" for point in grid if isinstance(point, int | float)]
        given = values.get("rewards", list(MODES))
        return values | {"rewards": [*given, *(name for name in added if name not in given)]}

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not (self.blocks or self.audits):
            raise ValueError("nothing to run; give at least one of [[blocks]], [[audits]]")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = chain(
            self._unfitting_rewards(),
            self._unseen(),
            self._unmet(),
            self._too_many_draws(),
            self._labels_used_twice(),
            self._unknown_backgrounds(),
        )
        refuse(dict.fromkeys(faults))
        return self

    def _unfitting_rewards(self) -> Iterator[str]:
        for game, variant, rewards in self._played():
            made = make_game(game, **variant)
            yield from faults_of(partial(_require_fit, game=made), rewards)

    def _played(self) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        for block in self.blocks:
            yield from ((game, each, block.rewards or self.rewards) for game in block.games for each in block.variants)
        for audit in self.audits:
            yield from ((game, audit.parameters, audit.rewards or self.rewards) for game in audit.games)

    def _unseen(self) -> Iterator[str]:
        for block in self.blocks:
            for game in (make_game(name, **block.variants[0]) for name in block.games):
                view = block.view or self.view or game.spec.default_view
                yield from faults_of(partial(require_view, game=game, view=view), block.agents)

    def _unmet(self) -> Iterator[str]:
        for block in self.blocks:
            view = block.view or self.view or "own"
            if block.strangers and view != "own":
                yield f"strangers: they are met in the view 'own', not in {view!r}; give `view` another block"

    def _too_many_draws(self) -> Iterator[str]:
        for block in self.blocks:
            episodes = block.episodes or self.episodes
            if episodes > len(TEST_SEEDS) and any(each.get("world", FIXED) != FIXED for each in block.variants):
                yield f"episodes={episodes}: worlds have {len(TEST_SEEDS)} test draws; give their blocks no more"

    def _labels_used_twice(self) -> Iterator[str]:
        settings: dict[str, LearnerEntry] = {}
        budgets: dict[tuple[str, str], int] = {}
        for games, entry in ((block.games, entry) for block in self.blocks for entry in block.learners):
            if entry.title in agent_names():
                yield f"learner label {entry.title!r} is the name of a built-in agent; choose another"
            known = settings.setdefault(entry.title, entry)
            if known.model_copy(update={"env_steps": entry.env_steps}) != entry:
                yield f"two learners called {entry.title!r} differ; give one of them another `label`"
                continue
            for game in games:  # budgets may differ from game to game
                if budgets.setdefault((entry.title, game), entry.env_steps) != entry.env_steps:
                    yield f"learner {entry.title!r} has two budgets on {game}; give one of them another `label`"

    def _unknown_backgrounds(self) -> Iterator[str]:
        for block in self.blocks:
            for scenario in block.scenarios:
                required = partial(self._require_player, block=block, scenario=scenario.name)
                yield from faults_of(required, scenario.background)

    def _require_player(self, name: str, block: Block, scenario: str) -> None:
        trained_on = [other for other in self.blocks if name in {entry.title for entry in other.learners}]
        if not trained_on:
            require_agent(name)
            return
        for game in block.games:
            if not any(game in other.games and block.settings(game) == other.settings(game) for other in trained_on):
                raise ValueError(
                    f"scenario {scenario!r}: learner {name!r} does not train on {game} in this study; "
                    "put it into a block with this game and these parameters"
                )

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


def _require_fit(reward: str, game: AnyGame) -> None:
    reward_layer(reward).running(game, ())


def shipped_studies() -> list[str]:
    """Names of the studies that come with the package.

    >>> "quick" in shipped_studies()
    True
    """
    return sorted(path.stem for path in STUDIES.glob("*.toml"))


def load_study(name_or_path: str) -> Study:
    """Load a shipped study by name, or a study file by path.

    Raises:
        StudyError: no such study, not TOML, or not a valid study.

    >>> study = load_study("quick")
    >>> study.rewards, study.seeds
    (['private', 'integrated', 'cooperative'], [99, 100, 101, 102, 103])
    """
    path = STUDIES / f"{name_or_path}.toml" if name_or_path in shipped_studies() else Path(name_or_path)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudyError(unknown("study", name_or_path, shipped_studies()) + ", or the path of a TOML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read: {error}; expected a study in TOML") from error
    try:
        description = tomllib.loads(content)
    except ValueError as error:  # also of numbers with more digits than Python reads
        raise StudyError(f"{path}: not valid TOML: {_shortened(str(error))}") from error
    except RecursionError as error:
        raise StudyError(
            f"{path}: lists or tables too deep inside each other; no study needs more than five"
        ) from error
    try:
        return Study.model_validate(description)
    except ValidationError as error:
        raise StudyError("\n".join(f"{path}: {line}" for line in _explanations(error))) from error


def _explanations(error: ValidationError) -> Iterator[str]:
    faults = [_shortened(_explain(fault)) for fault in error.errors()]
    yield from faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        yield f"{len(faults) - MOST_FAULTS} more faults; mend these first"


def _explain(fault: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] in ("missing", "value_error"):
        return f"{place}: {message}" if place else message
    return f"{place} = {brief(fault['input'])}: {message[0].lower()}{message[1:]}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_FAULT else f"{text[: LONGEST_FAULT - 1]}…"
