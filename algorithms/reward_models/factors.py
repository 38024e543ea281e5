"""Factors of what an agent has seen and done, from which latent rewards are decoded.

A factor is an expression over fields of an agent's own observation. A field is the mean of a named block of it, brought
to [0, 1] by the bounds that the game states: after the step under the block's name, before it as ``<block>_before``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from coopgym.algorithms.reward_models.expressions import Expression, ExpressionError, parse_expression
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.play.draws import NOMINAL
from coopgym.play.unroll import open_loop, unroll
from coopgym.rewards import ObservedStep

OWN, PARTNERS = "own_action", "partner_actions"  # shares of endowment
RULES: Mapping[str, str] = {
    "own cooperation": OWN,
    "partners' cooperation": PARTNERS,
    "balance": f"min({OWN}, {PARTNERS}) / max({OWN}, {PARTNERS})",
    "change in trust": "trust - trust_before",
    "change in reputation": "standing_before - standing",
    "free riding": f"{OWN} - {PARTNERS}",
    "time": "time",
}
"""Factors that need no language model. Standing is the damage that others see in an agent, so that less is better."""


class FactorFields:
    """Reads the fields of factors from the observations of a game.

    Args:
        game: on any backend.
        wanted: names of the fields that are read; None for all.
    """

    def __init__(self, game: AnyGame, wanted: Collection[str] | None = None) -> None:
        self._xp = game.xp
        columns = [game.observation_columns("own", seat) for seat in range(game.n_agents)]
        blocks = {name: np.array([each[name] for each in columns]) for name, places in columns[0].items() if places}
        low, high = game.observation_bounds("own")
        span, rows = high - low, np.arange(game.n_agents)
        bounded = np.isfinite(span) & (span > 0.0)
        low, span = (np.where(bounded, each, other) for each, other in ((low, 0.0), (span, 1.0)))
        places = blocks | {f"{name}_before": block + low.shape[-1] for name, block in blocks.items()}
        self.names = tuple(places)
        """All names, each of a number per agent."""
        read = {name: places[name] for name in self.names if wanted is None or name in wanted}
        single = [name for name, each in read.items() if each.shape[1] == 1]
        wide = [name for name in read if name not in single]
        self._single, self._wide = tuple(single), tuple(wide)
        self._low, self._span = (game.backend.array(np.concatenate([each, each], axis=-1)) for each in (low, span))
        self._rows = game.backend.integers(rows[:, None])
        self._at_once = game.backend.integers(np.array([read[name][:, 0] for name in single]).reshape(-1, len(rows)).T)
        self._columns = [game.backend.integers(read[name]) for name in wide]

    def __call__(self, step: ObservedStep) -> dict[str, Array]:
        """Return the fields of a step, ``(..., N)`` by name."""
        shares = (self._xp.concat([step.after, step.before], axis=-1) - self._low) / self._span
        found = {
            name: shares[..., self._rows, columns].mean(-1)
            for name, columns in zip(self._wide, self._columns, strict=True)
        }
        if self._single:
            at_once = shares[..., self._rows, self._at_once]
            found |= {name: at_once[..., place] for place, name in enumerate(self._single)}
        return found


@dataclass(frozen=True)
class FactorSet:
    """Expressions by the names of the factors, in order.

    Attributes:
        expressions: names and texts.
        complete: whether a game must show every field that is read; else factors that read others are left out.
    """

    expressions: tuple[tuple[str, str], ...]
    complete: bool = True

    @property
    def name(self) -> str:
        """What texts of transforms call it: ``set_`` and a digest of what it says."""
        return f"set_{hashlib.sha256(repr(self.expressions).encode()).hexdigest()[:12]}"

    def parsed(self, game: AnyGame) -> tuple[Expression, ...]:
        """Return the factors of a game.

        Raises:
            ExpressionError: one that is no expression or reads a field that the game does not show; none at all.
        """
        names, found = frozenset(FactorFields(game).names), list[Expression]()
        for name, text in self.expressions:
            try:
                found.append(parse_expression(text, names))
            except ExpressionError as error:
                if self.complete:
                    raise ExpressionError(f"factor {name!r} in {game.id}: {error}") from error
        if not found:
            raise ExpressionError(f"{game.id}: no factor; expected expressions of {', '.join(sorted(names))}")
        return tuple(found)

    def verify(self, game: AnyGame) -> None:
        """Compute the factors on two steps of a game: the first with half of the endowment, the second with nothing.

        Raises:
            ExpressionError: as `parsed`, or a factor that is not a finite number for every agent.
        """
        fields, expressions = FactorFields(game), self.parsed(game)
        plan = game.backend.array([[0.5], [0.0]])
        for step in unroll(game, open_loop(game, plan), draws=NOMINAL, horizon=len(plan)):
            values = fields(ObservedStep.of(step))
            for expression in expressions:
                made = expression(values)
                if tuple(made.shape) != (game.n_agents,) or not bool(game.xp.isfinite(made).all()):
                    raise ExpressionError(f"{expression.text!r} gives {made}; expected {game.n_agents} finite numbers")


FACTOR_SETS: dict[str, FactorSet] = {"rules": FactorSet(tuple(RULES.items()), complete=False)}
"""Sets that texts of transforms may name."""


def register_factors(factors: FactorSet) -> str:
    """Let texts of transforms name a set, and return its name.

    >>> name = register_factors(FactorSet((("effort", "own_action"),)))
    >>> name, FACTOR_SETS[name].expressions[0]
    ('set_...', ('effort', 'own_action'))
    """
    FACTOR_SETS[factors.name] = factors
    return factors.name
