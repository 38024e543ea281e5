"""What an agent sees happen in a step, as one of a few captions that an annotator can read.

``You raise cooperation a little; the others put in as much as you; trust rises.`` Captions are numbers in arrays, and
words only where somebody reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from coopgym.algorithms.reward_models.factors import OWN, PARTNERS, FactorFields
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.rewards import ObservedStep
from coopgym.typing import FloatArray

VERSION = 1
"""Raise it when a caption may mean something else than before."""
MOVES = (
    "cut cooperation a lot",
    "cut cooperation a little",
    "hold cooperation",
    "raise cooperation a little",
    "raise cooperation a lot",
)
OTHERS = ("less than you", "as much as you", "more than you")
TRUST = ("falls", "stays", "rises")
HELD, LARGE, ALIKE, FLAT = 0.02, 0.15, 0.1, 0.002
"""Shares of endowment below which a move is none, from which it is large, within which others put in as much, and the
change of trust below which it stays."""


@dataclass(frozen=True)
class Caption:
    """What an agent did, what the others did, and what became of its trust in them; places in the lists above."""

    move: int
    others: int
    trust: int

    def __str__(self) -> str:
        return f"You {MOVES[self.move]}; the others put in {OTHERS[self.others]}; trust {TRUST[self.trust]}."

    @property
    def features(self) -> list[float]:
        """Which move, which others, which trust, as ones among zeros."""
        parts = ((self.move, MOVES), (self.others, OTHERS), (self.trust, TRUST))
        return [float(place == chosen) for chosen, words in parts for place in range(len(words))]


CAPTIONS = tuple(Caption(*places) for places in product(*(range(len(words)) for words in (MOVES, OTHERS, TRUST))))
"""All of them; arrays hold places in this list."""
FEATURES: FloatArray = np.array([caption.features for caption in CAPTIONS])
"""``(C, F)``."""


BOUNDS: FloatArray = np.array(
    [[-LARGE, -HELD, HELD, LARGE], [-ALIKE, ALIKE, np.inf, np.inf], [-FLAT, FLAT, np.inf, np.inf]]
)
"""``(3, 4)`` what the own move, the others' lead and the change of trust exceed; its number is a place in the lists."""
STRIDES = (len(OTHERS) * len(TRUST), len(TRUST), 1)
"""What a place in each of the lists adds to a place in `CAPTIONS`."""
FIELDS = frozenset({OWN, f"{OWN}_before", PARTNERS, "trust", "trust_before"})


class Captioner:
    """Captions the steps of a game."""

    def __init__(self, game: AnyGame) -> None:
        self._fields, self._xp = FactorFields(game, FIELDS), game.xp
        self._bounds, self._strides = game.backend.array(BOUNDS), game.backend.integers(np.array(STRIDES))

    def __call__(self, step: ObservedStep) -> Array:
        """Return places in `CAPTIONS`, ``(..., N)``."""
        seen = self._fields(step)
        changes = (
            seen[OWN] - seen[f"{OWN}_before"],
            seen[PARTNERS] - seen[OWN],
            seen["trust"] - seen["trust_before"],
        )
        exceeded = self._xp.stack(changes, axis=-1)[..., None] > self._bounds
        return self._xp.sum(self._xp.sum(exceeded, axis=-1, dtype=self._xp.int64) * self._strides, axis=-1)
