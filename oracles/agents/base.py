"""What oracle agents share: they rebuild their game, solve it once for all seats, and play what they found."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from coopgym.agents import Classifier, Strategy
from coopgym.games.game import AnyGame
from coopgym.games.parameters import Parameters
from coopgym.games.registry import game_class, games, make_game
from coopgym.games.spec import View
from coopgym.games.traits import WorldTraits
from coopgym.oracles.agents.solutions import SELECTIONS, Select, Solution, published
from coopgym.typing import FloatArray

Mode = Literal["auto", "reference", "computed"]
MODES: tuple[Mode, ...] = get_args(Mode)

_SOLUTIONS: dict[Hashable, Solution] = {}
"""What was solved in this process; all seats of a game, and all later plays of it, ask for the same."""


class Oracle(Strategy):
    """An agent that knows its game and computes what to play: one row of shares per step, or one for ever."""

    classifier = Classifier(memory_depth=0)
    needs: ClassVar[str | None] = None
    """Relational utility without which there is nothing to compute; None where any game will do."""
    follows_reward: ClassVar[bool] = False
    """Whether it plays differently under different reward modes of its seat."""
    sees: ClassVar[View | None] = None
    """View that it cannot do without; None where any will do."""

    game: AnyGame
    solution: Solution

    @classmethod
    def title(cls) -> str:
        """The name it is registered under."""
        return f"Oracle_{cls.__name__}"

    @classmethod
    def applies_to(cls, game: AnyGame) -> bool:
        """Whether it can play a game at all."""
        return cls.computable_in(game)

    @classmethod
    def computable_in(cls, game: AnyGame) -> bool:
        """Whether a game has what it computes with."""
        return cls.needs is None or cls.needs in game.traits().relational

    @abstractmethod
    def solve(self, game: AnyGame) -> Solution:
        """Return what to play.

        Raises:
            ValueError: it does not apply to the game, or found nothing that it may play.
        """

    def prepare(self) -> None:
        spec = self.seat.game
        self.game = registered_game(spec.id, spec.parameters)
        key = (type(self), *self.settings(), spec.id, spec.parameters)
        if key not in _SOLUTIONS:
            _SOLUTIONS[key] = self.solve(self.game)
        self.solution = _SOLUTIONS[key]

    def foresee(self, game: AnyGame, seeds: range) -> None:
        """Compute what the episodes of some seeds will ask for, where that is quicker before than step by step."""

    def settings(self) -> tuple[Hashable, ...]:
        """What the solution depends on besides the game."""
        return (self.seat.reward,) if self.follows_reward else ()

    def cooperate(self, observation: FloatArray) -> FloatArray:
        steps = len(self.solution.shares)
        return self.solution.shares[np.minimum(self.round, steps - 1), self.seat.index]


class PublishedOracle(Oracle):
    """One of the seven oracles of the published study.

    In the released edition it plays what the reference implementation plays, where that has a definition for the game;
    elsewhere it computes what its name says.
    """

    published_for: ClassVar[str]
    """Family of reference profiles that its definition belongs to."""

    def __init__(self, mode: Mode = "auto") -> None:
        """Fix the definition.

        Args:
            mode: "reference" as published, "computed" from the game that is played, "auto" as published in the released
                edition where there is such a definition and computed elsewhere.
        """
        if mode not in MODES:
            raise ValueError(f"mode={mode!r}: expected one of {', '.join(MODES)}")
        self.mode: Mode = mode

    @classmethod
    def applies_to(cls, game: AnyGame) -> bool:
        return cls.published_in(game) or cls.computable_in(game)

    @classmethod
    def published_in(cls, game: AnyGame) -> bool:
        """Whether the reference implementation has a definition for a game."""
        return cls.published_for in game.traits().published

    @abstractmethod
    def reference(self, game: Any) -> FloatArray:
        """Return the reference implementation's actions ``(N,)`` or ``(steps, N)``, in units."""

    @abstractmethod
    def compute(self, game: AnyGame) -> Solution:
        """Return what to play by the game's own payoffs."""

    def solve(self, game: AnyGame) -> Solution:
        fits = {"auto": self.applies_to, "reference": self.published_in, "computed": self.computable_in}[self.mode]
        if not fits(game):
            fitting = [id for id in games() if fits(make_game(id))]
            raise ValueError(
                f"{self.title()} with mode={self.mode!r} does not apply to {game.id}; it plays {', '.join(fitting)}"
            )
        if self.mode != "computed" and self.published_in(game):
            return published(self.reference(game), game)
        return self.compute(game)

    def settings(self) -> tuple[Hashable, ...]:
        return (self.mode,)


class PublishedEquilibrium(PublishedOracle):
    """One of the seven that is an equilibrium when computed, so that there may be several to choose from."""

    def __init__(self, mode: Mode = "auto", select: Select = "stable") -> None:
        """Fix the definition and the choice.

        Args:
            mode: as `PublishedOracle`.
            select: as `checked_select`.
        """
        super().__init__(mode)
        self.select = checked_select(select)

    def settings(self) -> tuple[Hashable, ...]:
        return (self.mode, self.select)


def checked_select(select: Select) -> Select:
    """Return how to choose between several equilibria.

    Args:
        select: "stable" takes the one with the highest welfare among those not known to be unstable, "welfare" among
            all, "only" refuses to choose.

    Raises:
        ValueError: none of these.
    """
    if select not in SELECTIONS:
        raise ValueError(f"select={select!r}: expected one of {', '.join(SELECTIONS)}")
    return select


@lru_cache(maxsize=256)
def registered_game(id: str, parameters: Parameters) -> AnyGame:
    """Return the registered game with these parameters, on the NumPy backend.

    Raises:
        ValueError: the registry holds no such game, so that nothing can be computed about it.
    """
    if id not in games() or not isinstance(parameters, game_class(id).Parameters):
        raise ValueError(
            f"{id!r} is not a registered game with these parameters; oracles rebuild their game from the registry, so "
            "they play the games that coopgym.games() lists"
        )
    return game_class(id)(parameters)


def drawn_world(game: AnyGame) -> WorldTraits:
    """Return what is drawn of a game's costs and synergy.

    Raises:
        ValueError: nothing is.
    """
    world = game.traits().world
    if world is None:
        raise ValueError(f"{game.id}: nothing is drawn in this one; make the game with world='common', say")
    return world
