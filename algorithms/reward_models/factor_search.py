"""Factors written by a language model: several proposals, one merged from them, and repairs until it can be computed.

A model is a function ``ask(prompt, temperature) -> answer``. What it answers is read as expressions and never executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import TypeAlias

from coopgym.algorithms.reward_models.expressions import ALLOWED, ExpressionError
from coopgym.algorithms.reward_models.factors import FactorFields, FactorSet
from coopgym.games.game import AnyGame

TextModel: TypeAlias = Callable[[str, float], str]
"""Answers a prompt at a temperature."""

PROPOSING, MERGING = 1.0, 0.3
"""Temperatures of proposals, and of merging and repairs."""
MOST = 16
"""Factors in a set."""


@dataclass(frozen=True)
class Prompt:
    """What a model is told; raise the version whenever a word changes."""

    id: str
    version: int
    text: str

    def __call__(self, **values: str) -> str:
        """Return the prompt with values in its places."""
        return Template(self.text).substitute(values)


PROMPTS: Mapping[str, Prompt] = {
    prompt.id: prompt
    for prompt in (
        Prompt(
            "propose",
            1,
            "Agents play a game: $game\n"
            "Only the sum of an episode's rewards is known. Name up to $most factors of one agent's step that tell "
            "how much the step adds to that sum.\n"
            "Each is an expression of the agent's observation after the step, or before it (names ending in _before). "
            "All names stand for numbers between 0 and 1: $fields.\n"
            "Allowed: $allowed.\n"
            "Answer with one line per factor and nothing else:\nname = expression\n",
        ),
        Prompt(
            "merge",
            1,
            "$task\nOthers have proposed:\n\n$proposals\n\nMerge these into one list of factors: keep what is useful, "
            "leave out what is said twice.\n",
        ),
        Prompt(
            "repair",
            1,
            "$task\nThis was answered:\n\n$answer\n\nIt cannot be used: $error\nAnswer with the whole list, mended.\n",
        ),
    )
}


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    prompt: str
    version: int
    asked: str
    temperature: float
    answer: str


@dataclass(frozen=True)
class FactorSearch:
    """Factors that were found, and all that was said on the way."""

    factors: FactorSet
    exchanges: tuple[Exchange, ...]


class FactorSearchError(ValueError):
    """No answer could be used; nothing that was said is lost."""

    def __init__(self, message: str, exchanges: Sequence[Exchange]) -> None:
        super().__init__(message)
        self.exchanges = tuple(exchanges)


def search_factors(ask: TextModel, game: AnyGame, *, proposals: int = 5, repairs: int = 5) -> FactorSearch:
    """Let a language model write the factors of a game.

    Args:
        ask: the model.
        game: what they are for.
        proposals: candidates that are merged.
        repairs: how often an error may be fed back.

    Raises:
        FactorSearchError: after all repairs the answer still cannot be used.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> found = search_factors(lambda prompt, temperature: "effort = own_action", game, proposals=2)
    >>> found.factors.expressions, [exchange.temperature for exchange in found.exchanges]
    ((('effort', 'own_action'),), [1.0, 1.0, 0.3])
    """
    exchanges = list[Exchange]()

    def said(id: str, temperature: float, **values: str) -> str:
        prompt = PROMPTS[id]
        asked = prompt(**values)
        answer = ask(asked, temperature)
        exchanges.append(Exchange(prompt.id, prompt.version, asked, temperature, answer))
        return answer

    fields = ", ".join(sorted(FactorFields(game).names))
    about = {"game": game.in_one_sentence(), "most": str(MOST), "fields": fields, "allowed": ALLOWED}
    task = PROMPTS["propose"](**about)
    proposed = [said("propose", PROPOSING, **about) for _ in range(proposals)]
    answer = said("merge", MERGING, task=task, proposals="\n\n".join(proposed))
    for repair in range(repairs + 1):
        try:
            factors = read_factors(answer)
            factors.verify(game)
        except ExpressionError as error:
            if repair == repairs:
                raise FactorSearchError(
                    f"{game.id}: no factors after {repairs} repairs; the last error: {error}", exchanges
                ) from error
            answer = said("repair", MERGING, task=task, answer=answer, error=str(error))
        else:
            return FactorSearch(factors, tuple(exchanges))
    raise ValueError(f"repairs={repairs}: expected at least 0")


_LINE = re.compile(r"^[-*\d.\s`]*(?P<name>[A-Za-z][\w ']*?)`?\s*=(?!=)\s*(?P<expression>.+?)[`\s]*$")


def read_factors(answer: str) -> FactorSet:
    r"""Return the lines ``name = expression`` of an answer as a set; other lines are passed over.

    Raises:
        ExpressionError: no such line, too many, or a name that stands twice.

    >>> read_factors("Of course! Here they are:\n- effort = own_action\n").expressions
    (('effort', 'own_action'),)
    """
    found = [(line["name"], line["expression"]) for line in map(_LINE.match, answer.splitlines()) if line]
    if not 0 < len(found) <= MOST:
        raise ExpressionError(f"expected 1 to {MOST} lines 'name = expression', found {len(found)}")
    names = [name for name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ExpressionError(f"{', '.join(twice)}: expected every name once")
    return FactorSet(tuple(found))


def replayed(exchanges: Sequence[Exchange]) -> TextModel:
    """Return a model that answers as another did, question by question.

    Raises:
        LookupError: when asked something else, or more.
    """
    told: Iterator[Exchange] = iter(exchanges)

    def ask(prompt: str, temperature: float) -> str:
        exchange = next(told, None)
        if exchange is None or (exchange.asked, exchange.temperature) != (prompt, temperature):
            raise LookupError(f"no stored answer to {prompt[:60]!r} at temperature {temperature:g}; ask a model")
        return exchange.answer

    return ask
