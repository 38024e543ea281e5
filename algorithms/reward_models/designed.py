"""Designed rewards as transforms: what was designed for one seat of a game is read from a file and added to its reward.

A design is data: situations of `coopgym.oracles.tabular.situations` and what each level of cooperation is paid in them.
``coopgym reward design GAME --json design.json`` writes one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.algorithms.reward_models.factors import OWN, PARTNERS, FactorFields
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.oracles.tabular.situations import BAND, PARTNER, Situations
from coopgym.rewards import ObservedStep, RewardTransform, RunningTransform, register_transform
from coopgym.typing import FloatArray

FORMAT = "coopgym-design-1"
DIGITS = 16
"""Digits of the hash of a design."""
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "format": str,
    "game": str,
    "seat": int,
    "levels": int,
    "trust_edges": list,
    "times": int,
    "situations": list,
}
"""What a file must hold; whatever else it holds is for readers."""


@dataclass(frozen=True)
class DesignTable:
    """What is added to the reward of one seat of a game, by situation and level.

    Attributes:
        game: id of the game that it was designed for.
        seat: that it was designed for.
        levels: equally spaced shares of endowment, from 0 to 1; the nearest one counts.
        trust_edges: ascending bounds between the bins of trust.
        times: bins of time.
        added: situations as (bin of trust, place in `PARTNER`, bin of time), and what each level is paid there.
    """

    game: str
    seat: int
    levels: int
    trust_edges: tuple[float, ...]
    times: int
    added: tuple[tuple[tuple[int, int, int], tuple[float, ...]], ...]

    @property
    def situations(self) -> Situations:
        """How situations are told apart."""
        return Situations(self.trust_edges, self.times)

    @property
    def table(self) -> FloatArray:
        """What is added in every situation, ``(situations, levels)``."""
        found = np.zeros((*self.situations.shape, self.levels))
        for place, row in self.added:
            found[place] = row
        return found.reshape(-1, self.levels)

    @property
    def digest(self) -> str:
        """Hash of all that changes a reward; notes for readers, spaces and order do not."""
        content = [self.game, self.seat, self.levels, self.trust_edges, self.times, sorted(self.added)]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGITS]

    def written(self, **notes: Any) -> str:
        """Return it as the JSON text that `read_design` reads, with notes for readers."""
        situations = [
            {
                "trust": trust,
                "partner": PARTNER[partner],
                "time": time,
                "words": self.situations.words(np.ravel_multi_index((trust, partner, time), self.situations.shape)),
                "added": list(row),
            }
            for (trust, partner, time), row in self.added
        ]
        content = {
            "format": FORMAT,
            "game": self.game,
            "seat": self.seat,
            **notes,
            "levels": self.levels,
            "trust_edges": list(self.trust_edges),
            "times": self.times,
            "situations": situations,
        }
        return json.dumps(content, indent=1) + "\n"


def read_design(path: str | Path) -> DesignTable:
    """Return the design that a file holds. Nothing in it is run.

    Raises:
        ValueError: no such file, or one that is no design; the message says what is wrong with it.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"{path}: {reason}; 'coopgym reward design GAME --json {path}' writes a design") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected the JSON of 'coopgym reward design GAME --json'") from error
    try:
        return _checked(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _checked(content: Any) -> DesignTable:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"no design; expected an object with format={FORMAT!r}")
    for name, kind in FIELDS.items():
        if not isinstance(content.get(name), kind) or isinstance(content[name], bool):
            raise ValueError(f"{name}={content.get(name)!r}: expected {kind}")
    levels, times, seat = content["levels"], content["times"], content["seat"]
    for name, number, least in (("levels", levels, 2), ("times", times, 1), ("seat", seat, 0)):
        if number < least:
            raise ValueError(f"{name}={number}: expected at least {least}")
    edges = _numbers("trust_edges", content["trust_edges"])
    if not all(low < high for low, high in zip((0.0, *edges), (*edges, 1.0), strict=True)):
        raise ValueError(f"trust_edges={list(edges)}: expected ascending numbers between 0 and 1")
    shape = Situations(edges, times).shape
    added: dict[tuple[int, int, int], tuple[float, ...]] = {}
    for number, each in enumerate(content["situations"]):
        where = f"situations[{number}]"
        if not isinstance(each, dict) or each.get("partner") not in PARTNER:
            raise ValueError(f"{where}: expected an object with a partner of {', '.join(PARTNER)}")
        place: tuple[Any, int, Any] = (each.get("trust"), PARTNER.index(each["partner"]), each.get("time"))
        for name, value, bins in (("trust", place[0], shape[0]), ("time", place[2], shape[2])):
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < bins:
                raise ValueError(f"{where}: {name}={value!r}; expected a bin, 0 to {bins - 1}")
        row = _numbers(f"{where}: added", each.get("added"))
        if len(row) != levels:
            raise ValueError(f"{where}: added has {len(row)} numbers; expected {levels}, one per level")
        if place in added:
            raise ValueError(f"{where}: the same situation is there before; name each once")
        added[place] = row
    return DesignTable(content["game"], seat, levels, edges, times, tuple(sorted(added.items())))


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    fits = isinstance(values, list) and all(isinstance(each, int | float) for each in values)
    if not fits or not all(math.isfinite(each) for each in values):
        raise ValueError(f"{name}={values!r}: expected a list of finite numbers")
    return tuple(map(float, values))


@register_transform
@dataclass(frozen=True)
class Designed(RewardTransform):
    """Adds what a design pays for the situation that an agent acts in and the level nearest to what it puts in.

    A design is for one seat among certain partners, and that seat alone is paid unless all are. What identifies it is
    what the file holds, not where it lies: its name has the hash, and a file that has changed since is refused.

    Attributes:
        file: as ``coopgym reward design GAME --json FILE`` writes it; the name must be without commas and parentheses.
        everyone: pay every seat by the same table, where seats are alike.
        digest: hash of the design, as `name` has it; empty takes the file as it is.

    Raises:
        ValueError: no such file, no design in it, or another one than the hash says.

    >>> import tempfile
    >>> table = DesignTable("TrustDilemma-v1", 0, 2, (0.5,), 1, (((0, 1, 0), (0.0, 0.25)),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "design.json"
    ...     _ = file.write_text(table.written())
    ...     Designed(str(file)).key
    'designed(3844309be7c79fc0)'
    """

    kind = "designed"
    file: str = field(compare=False)
    everyone: bool = False
    digest: str = ""
    design: DesignTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        design = read_design(self.file)
        if self.digest not in ("", design.digest):
            raise ValueError(
                f"{self.file} holds the design {design.digest} and no longer {self.digest}; bring that file back, or "
                "leave the digest out to take the file as it is"
            )
        object.__setattr__(self, "digest", design.digest)
        object.__setattr__(self, "design", design)

    @property
    def key(self) -> str:
        return f"{self.kind}({self.digest}{', everyone=true' if self.everyone else ''})"

    @property
    def per_agent(self) -> bool:
        return True

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"observation"})

    def check(self, game: AnyGame) -> None:
        if game.spec.id != self.design.game:
            raise ValueError(f"{self.file}: designed for {self.design.game}, not for {game.spec.id}; design one for it")
        if self.design.seat >= game.n_agents:
            raise ValueError(f"{self.file}: seat={self.design.seat}, but {game.spec.id} has {game.n_agents} seats")

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _RunningDesign(self, game)


class _RunningDesign(RunningTransform):
    """A design in one game. It remembers nothing: a step shows the situation and the level."""

    def __init__(self, declared: Designed, game: AnyGame) -> None:
        self._game, self._xp, self._fields = game, game.xp, FactorFields(game)
        self._trust = "trust_received" if "trust_received" in self._fields.names else "trust"
        self._design = declared.design
        paid = np.full(game.n_agents, declared.everyone)
        paid[self._design.seat] = True
        self._paid = game.backend.array(paid.astype(np.float64))
        self._table = game.backend.array(self._design.table.reshape(-1))
        shares = game.spec.baselines / game.spec.endowments
        others = (shares.sum() - shares) / (game.n_agents - 1)
        self._norms = game.backend.array(others)
        self._edges = game.backend.array(np.asarray(self._design.trust_edges))

    def __call__(self, step: ObservedStep, reward: Array) -> Array:
        seen, xp, levels = self._fields(step), self._xp, self._design.levels
        trust = self._above(seen[f"{self._trust}_before"][..., None] >= self._edges)
        above = seen[f"{PARTNERS}_before"] - self._norms
        side = self._above(xp.stack([above > -BAND, above > BAND], axis=-1))
        time = self._time(step.t)
        level = xp.astype(xp.round(seen[OWN] * (levels - 1)), xp.int64)
        situation = (trust * len(PARTNER) + side) * self._design.times + time
        return reward + self._paid * self._table[situation * levels + level]

    def _above(self, truths: Array) -> Array:
        return self._xp.sum(self._xp.astype(truths, self._xp.int64), axis=-1)

    def _time(self, t: int | Array) -> Any:
        times, horizon = self._design.times, self._game.spec.horizon
        if isinstance(t, int):
            return min(t * times // horizon, times - 1)
        part = t * times // horizon
        return self._xp.clip(self._xp.astype(part, self._xp.int64), 0, times - 1)[..., None]


def table_of(
    game: AnyGame, seat: int, levels: int, situations: Situations, rows: Sequence[tuple[int, FloatArray]]
) -> DesignTable:
    """Return the design that adds rows ``(levels,)`` in some situations.

    Args:
        game: that it is for.
        seat: that it is for.
        levels: of cooperation.
        situations: how they are told apart.
        rows: situations and what is added in them.
    """
    added = []
    for situation, row in rows:
        trust, partner, time = (int(part) for part in situations.parts(situation))
        added.append(((trust, partner, time), tuple(float(each) for each in row)))
    return DesignTable(game.spec.id, seat, levels, situations.trust_edges, situations.times, tuple(sorted(added)))
