"""What a game is in words: one record that language models, the console and the documentation are told from.

Texts of a page are templates. A placeholder in braces stands for a number of the game as it comes with its defaults,
so that no number is written twice: a parameter (``{theta}``), a fact of its specification (``{endowments[0]}``), a
constant of the module that defines the game (``{COLLAPSE}``), or whatever else the game has (``{game.outside[0]}``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any

from coopgym.games.parameters import describe

if TYPE_CHECKING:
    from coopgym.games.game import AnyGame


RULES = ("seats", "actions", "payoff", "state", "agreement", "membership", "end", "trust")
"""Fields of a page that are the rules of its game."""
VERBATIM = ("title", "summary", "versions")
"""Texts that are no templates: they are shown without a game, or speak of several."""


@dataclass(frozen=True)
class Symbol:
    """How a state array or a block of an observation is written in formulas."""

    field: str
    """Name of the state array, or of the block among the columns of an observation, or of both."""
    symbol: str
    meaning: str
    range: str = "[0, 1]"


@dataclass(frozen=True)
class Source:
    """A report and where in it to look."""

    report: str
    place: str = ""
    subject: str = ""

    def __str__(self) -> str:
        where = f"{self.report} {self.place}".rstrip()
        return f"{where} ({self.subject})" if self.subject else where


@dataclass(frozen=True, kw_only=True)
class GamePage:
    """A game's page. Fields from `seats` to `trust` are the rules; others discuss them and belong to no player.

    Raises:
        ValueError: a text is missing, a template cannot be read, or a symbol is explained twice.
    """

    title: str
    summary: str
    """One sentence on what the game is about."""
    story: str = ""
    """Why it is a dilemma."""
    seats: str
    actions: str
    payoff: tuple[str, ...] = ()
    """What a step pays, a paragraph per layer."""
    state: str = ""
    """How stocks start and move."""
    agreement: str = ""
    membership: str = ""
    end: str
    trust: str = ""
    """How trust moves, where that is all that `state` would say."""
    observation: str = ""
    """What the layout of observations does not say of them."""
    info: str = ""
    """Diagnostics beyond those of every game, keys between backticks."""
    off_switch: str = ""
    """What ``mechanism=False`` does."""
    closed_forms: str = ""
    """What solves the game on paper; numbers come from its certificate."""
    symbols: tuple[Symbol, ...] = ()
    sources: tuple[Source, ...] = ()
    remark: str = ""
    """What of the sources was changed or added."""
    versions: str = ""
    """How the editions differ."""
    version: int = 1
    """Raise it when a word changes that a language model reads."""

    def __post_init__(self) -> None:
        for name in ("title", "summary", "seats", "actions", "end"):
            if not getattr(self, name):
                raise ValueError(f"page {self.title!r}: {name} is empty")
        if isinstance(self.payoff, str):
            raise ValueError(f"page {self.title!r}: payoff is a tuple of paragraphs, not one text")
        if not self.summary.endswith("."):
            raise ValueError(f"page {self.title!r}: the summary is a sentence and ends with a full stop")
        if self.version < 1:
            raise ValueError(f"page {self.title!r}: version={self.version}; count from 1")
        for text in self.templates():
            try:
                [*Formatter().parse(text)]
            except ValueError as error:
                raise ValueError(f"page {self.title!r}: {error} in {text!r}") from error
        explained = [symbol.field for symbol in self.symbols]
        for field in explained:
            if explained.count(field) > 1:
                raise ValueError(f"page {self.title!r}: {field} is explained twice")

    def templates(self) -> Iterator[str]:
        """Yield the texts that have placeholders."""
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if isinstance(value, str) and each.name not in VERBATIM:
                yield value
        yield from self.payoff

    def symbol(self, field: str) -> Symbol | None:
        """Return how a state array or a block is written, None where the page does not say."""
        return next((symbol for symbol in self.symbols if symbol.field == field), None)

    def rendered(self, text: str, game: AnyGame) -> str:
        """Fill the placeholders of a text of this page.

        Raises:
            ValueError: a placeholder names nothing that the game has.
        """
        try:
            return _NUMBERS.vformat(text, (), facts(game))
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"page {self.title!r}: {error} is nothing of {game.id}, in {text!r}") from error

    def as_prompt(self, game: AnyGame) -> str:
        """Return the rules as a language model reads them, with the numbers of ``game``."""
        return "\n".join(f"{heading}: {self.rendered(text, game)}" for heading, text in self.rules())

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield headings and templates of the rules, in the order in which they are told."""
        for name in RULES:
            value = getattr(self, name)
            texts: Sequence[str] = (value,) if isinstance(value, str) else value
            yield from ((name.capitalize(), text) for text in texts if text)

    def digest(self, game: AnyGame) -> str:
        """Return the SHA-256 of what a language model reads of the page: the summary and the rules."""
        return hashlib.sha256(f"{self.summary}\n{self.as_prompt(game)}".encode()).hexdigest()


class _Numbers(Formatter):
    """Formats numbers in as few digits as they need, and shares with ``%`` as "30 %"."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "%":
            return f"{100.0 * value:g} %"
        if not format_spec and isinstance(value, float):
            return f"{value:g}"
        return str(super().format_field(value, format_spec))


_NUMBERS = _Numbers()


def facts(game: AnyGame) -> Mapping[str, Any]:
    """Return what placeholders may name: parameters, facts of the specification, constants, the game itself."""
    spec = game.spec
    return {
        **_constants(game),
        **game.parameter_dict(),
        "n_agents": spec.n_agents,
        "last": spec.n_agents - 1,
        "horizon": spec.horizon,
        "endowments": spec.endowments,
        "baselines": spec.baselines,
        "norms": spec.baselines / spec.endowments,
        "shares": spec.shares,
        "interdependence": spec.interdependence,
        "game": game,
    }


def _constants(game: AnyGame) -> dict[str, Any]:
    """Return the constants of the modules of a game's class and its bases, nearer ones first."""
    modules = (vars(sys.modules[kind.__module__]) for kind in reversed(type(game).__mro__))
    return {name: value for module in modules for name, value in module.items() if name.isupper()}


def page_of(game: AnyGame) -> GamePage:
    """Return the page of a game; a game without one gets a plain page of its specification and its docstring."""
    return game.page or _plain_page(game)


def _plain_page(game: AnyGame) -> GamePage:
    spec = game.spec
    _, _, told = (type(game).__doc__ or "").partition("\n\n")
    parameters = [f"{name} {{{name}}} ({_verbatim(meaning)})" for name, _, meaning in describe(game.parameters)]
    return GamePage(
        title=spec.name,
        summary=f"{spec.summary.rstrip('.') or spec.name}.",
        story=_verbatim(told),
        seats=f"{_verbatim(_listed(spec.agents, spec.roles))}.",
        actions=f"in {_in_order_of_seats('[0, {{endowments[{}]}}]', spec.endowments)}; "
        f"norm {_in_order_of_seats('{{baselines[{}]}}', spec.baselines)}.",
        state=f"follows the parameters {', '.join(parameters)}.",
        end="after {horizon} steps" + (", or earlier." if game.may_end_early else "."),
    )


def _verbatim(text: str) -> str:
    """Return a text in one line, as a template of itself."""
    return " ".join(text.split()).replace("{", "{{").replace("}", "}}")


def _listed(agents: Sequence[str], roles: Sequence[str]) -> str:
    if tuple(agents) == tuple(roles):
        return f"{agents[0]} .. {agents[-1]}"
    return ", ".join(f"{agent} = {role}" for agent, role in zip(agents, roles, strict=True))


def _in_order_of_seats(template: str, values: Iterable[float]) -> str:
    """Name a number once where all seats have the same, else seat by seat."""
    listed = [*values]
    seats = range(1 if len({*listed}) == 1 else len(listed))
    return ", ".join(template.format(seat) for seat in seats)
