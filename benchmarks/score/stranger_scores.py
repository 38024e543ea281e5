"""Scores among strangers from the runs of a corpus, with what partners and seeds leave open.

In a game the score is Σ (v - v₀) / Σ (1 - v₀) over its scenarios (`coopgym.benchmarks.score.strangers`): v lies between
Random and a best response, and v₀ is that of the best single number. Partners are the same in all games, and other ones
might have been chosen, so an interval is for other partners as well as for other seeds: a game's ratio of sums is
linearised by partner, and every partner counts with its mean over games. The ends of the scale are certain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score.anchors import Scale
from coopgym.benchmarks.score.estimates import Estimate, linearised_ratios, mean_estimate, mean_over_seeds
from coopgym.benchmarks.score.grid import Task, run_grid
from coopgym.benchmarks.score.scored_agents import AgentLayout, AgentScores
from coopgym.benchmarks.score.settings import LEARNER, PRIVATE, Setting
from coopgym.benchmarks.score.strangers import INDISTINCT, normalised_returns
from coopgym.typing import BoolArray, FloatArray, IntArray

PROTOCOL = "strangers"
SCALE = Scale("the best single number", "a best response to everybody")
MIX = "mix"
"""Company of several partners; each mix is a partner of its own."""


@dataclass(frozen=True)
class Stranger:
    """Who is met, alone or as a mix, in whatever game and from whatever seat."""

    name: str
    kind: str

    @classmethod
    def of(cls, scenario: str, kind: str) -> Self:
        """Return who is met in a scenario.

        >>> Stranger.of("resident/0/grim-0.6", "unforgiving").name, Stranger.of("mix/0/1", "mix").name
        ('grim-0.6', 'mix 1')
        """
        company, _, title = scenario.split("/", 2)
        return cls(f"{MIX} {title}" if company == MIX else title, kind)


@dataclass(frozen=True)
class KindResult:
    """An agent among partners of one kind; means over games."""

    kind: str
    normalised: float
    """0 is what Random earns, 1 a best response."""
    floor: float
    """The same of the best single number."""

    @property
    def score(self) -> float:
        """Between the best single number and a best response; NaN where that number is one already.

        >>> round(KindResult("noisy", normalised=0.9, floor=0.8).score, 2)
        0.5
        """
        room = 1.0 - self.floor
        return (self.normalised - self.floor) / room if room > INDISTINCT else float("nan")


@dataclass(frozen=True)
class WorstPartner:
    """Of all partners that an agent met, the one with whom it earned least relative to a best response."""

    partner: str
    kind: str
    normalised: Estimate
    """Mean over games: 0 is what Random earns there, 1 a best response. Intervals are over seeds, with this partner."""
    advantage: float
    """What the agent earned more than this partner, as a part of what lies between Random and a best response."""


@dataclass(frozen=True, eq=False)
class StrangersScores(AgentScores):
    """Scores of agents in games, with what they come from, by partner ``(A, G, P, S)``."""

    partners: tuple[Stranger, ...]
    scenarios: FloatArray
    """``(G, P)`` how many there are with a partner; 0 where it is not met in a game."""
    floors: FloatArray
    """``(G, P)`` v₀, mean over these."""
    normalised: FloatArray
    """``(A, G, P, S)`` v, likewise; NaN where a partner is not met, or nothing is known."""
    advantages: FloatArray
    """``(A, G, P, S)`` what an agent earned more than its partners, in the same unit."""
    set_aside: int
    """Runs that met other scenarios than most runs of their game, or scenarios worth something else."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the partners that are met, in their order."""
        return tuple(dict.fromkeys(self.partners[place].kind for place in self._met.tolist()))

    @property
    def kind_floors(self) -> Mapping[str, float]:
        """What the best single number earns among partners of each kind."""
        return self._by_kind(self.floors)

    def crossed(self, name: str) -> FloatArray:
        met = self._met
        own = self._every_seed(name)[:, met]
        return _linearised(own, self.floors[:, met], self.scenarios[:, met]).mean(0)

    def differences(self, first: str, second: str) -> FloatArray:
        """Return (v - v') over the room of each game, linearised by partner, mean over games.

        Whether two agents earn alike has nothing to do with what the best single number leaves to be had, so the room
        is a unit here; were it drawn with the partners, the worse an agent the less sure it would be that it is.
        """
        met = self._met
        gaps, scenarios = self._every_seed(first) - self._every_seed(second), self.scenarios[:, met, None]
        gaps = np.where(scenarios > 0.0, scenarios * gaps[:, met], 0.0)
        by_partner = linearised_ratios(np.moveaxis(gaps, 1, -1), np.moveaxis(scenarios, 1, -1))
        return np.moveaxis(by_partner / self._room[:, None, None], -1, 1).mean(0)

    def cell(self, name: str, task: Task) -> Estimate | None:
        if name not in self.names or task not in self.tasks:
            return None
        return self.of_tasks([self.tasks.index(task)]).estimate(name)

    def by_kind(self, name: str) -> tuple[KindResult, ...]:
        """Return how an agent fares among partners of each kind."""
        own, floors = self._by_kind(mean_over_seeds(self.normalised[self.index(name)])), self.kind_floors
        return tuple(KindResult(kind, own[kind], floors[kind]) for kind in self.kinds)

    def advantage(self, name: str) -> float:
        """Return what an agent earned more than its partners, mean over games; below 0 they lived off it."""
        return float(mean_over_seeds(_over(self.scenarios, mean_over_seeds(self.advantages[self.index(name)]))))

    def worst_partner(self, name: str) -> WorstPartner | None:
        """Return with whom an agent did worst; None where nothing is known of it."""
        own = self.normalised[self.index(name)]  # (G, P, S)
        by_partner = mean_over_seeds(mean_over_seeds(own).T)  # of the games in which it is met
        if not np.isfinite(by_partner).any():
            return None
        worst = int(np.nanargmin(by_partner))
        met = self.scenarios[:, worst] > 0.0
        advantage = mean_over_seeds(self.advantages[self.index(name), met, worst]).mean()
        by_seed = self._every_seed(name)[met, worst].mean(0)
        return WorstPartner(
            self.partners[worst].name,
            self.partners[worst].kind,
            mean_estimate(by_seed[:1] if self.surely(name) else by_seed)
            or Estimate(float(by_partner[worst]), None, None, 0),
            float(advantage),
        )

    def of_tasks(self, kept: list[int]) -> Self:
        return replace(
            super().of_tasks(kept),
            scenarios=self.scenarios[kept],
            floors=self.floors[kept],
            normalised=self.normalised[:, kept],
            advantages=self.advantages[:, kept],
        )

    def _keep(self, kept: list[int]) -> Self:
        kept_agents = super()._keep(kept)
        return replace(kept_agents, normalised=self.normalised[kept], advantages=self.advantages[kept])

    @property
    def _met(self) -> IntArray:
        """Places of the partners that are met in any of the games."""
        return np.flatnonzero(self.scenarios.any(0))

    @property
    def _room(self) -> FloatArray:
        """``(G,)`` mean of 1 - v₀ over scenarios."""
        return _over(self.scenarios, 1.0 - self.floors)

    def _every_seed(self, name: str) -> FloatArray:
        """Return v of an agent ``(G, P, S)``; one run stands for every seed where nothing was learned."""
        own, certain = self.normalised[self.index(name)], self.deterministic[self.index(name)]
        return np.where(certain[:, None, None], own[..., :1], own)

    def _by_kind(self, values: FloatArray) -> dict[str, float]:
        """Means of ``(G, P)`` over the scenarios of each kind, and over the games that have some."""
        kinds = np.array([each.kind for each in self.partners])
        return {kind: float(mean_over_seeds(_over(self.scenarios * (kinds == kind), values))) for kind in self.kinds}


def among_strangers(runs: pa.Table, population: str = "test") -> pa.Table:
    """Keep the runs in which agents met the strangers of a population."""
    met = pc.and_(pc.equal(runs.column("protocol"), PROTOCOL), pc.equal(runs.column("scenario"), population))
    return runs.filter(pc.fill_null(met, False))


def strangers_table(runs: pa.Table, population: str = "test") -> StrangersScores:
    """Score agents among strangers; a learner once for every reward that it was trained on.

    Runs of a game count if they met the scenarios that most of its runs met, worth the same. A run that diverged counts
    as the worst one of its game. Who does not learn has one run of a game, which stands for all seeds. A game in which
    the best single number is a best response to everybody has no scores.

    Args:
        runs: the ``runs`` table; other protocols are passed over.
        population: whom they met.

    Raises:
        ValueError: two runs under one seed, or a ceiling that is not above what Random earns.

    >>> table = strangers_table(coopgym.load_corpus("learners-v1").runs)  # where nobody met any
    >>> table.names, table.games
    ((), ())
    """
    met = among_strangers(runs, population)
    rows = met.select(["environment", "env_parameters", *_COLUMNS]).to_pylist()
    games = [Setting(row["environment"], row["env_parameters"], PRIVATE).game for row in rows]
    worths = list(map(_Worth.of, rows))
    scales, partners = _scales(zip(games, worths, strict=True))
    told = np.full((len(rows), len(partners), 2), np.nan)
    set_aside = 0
    for number, (game, worth, row) in enumerate(zip(games, worths, rows, strict=True)):
        if worth is None:
            continue
        if worth == scales[game].worth:
            told[number] = scales[game].told(row)
        else:
            set_aside += 1
    valued = np.array([game in scales for game in games], dtype=bool)
    grid = run_grid(met.filter(pa.array(valued)))
    by_mode, lost = np.moveaxis(grid.place(told[valued]), 2, -1), grid.ended("diverged")  # (A, T, P, 2, S), (A, T, S)
    played: BoolArray = np.asarray(np.isfinite(by_mode).any((2, 3, 4)) | lost.any(-1))
    layout = AgentLayout.of(grid.algorithms, grid.tasks, played)
    normalised, advantages = np.moveaxis(layout.place(by_mode), -2, 0)
    shape = (len(layout.games), len(partners))
    table = StrangersScores(
        scale=SCALE,
        algorithms=layout.agents,
        tasks=layout.games,
        seeds=grid.seeds,
        scores=np.full((*layout.task.shape, len(grid.seeds)), np.nan),
        deterministic=np.zeros(layout.task.shape, dtype=bool),
        diverged=layout.place(lost) > 0,
        partners=partners,
        scenarios=np.array([scales[task.game].scenarios for task in layout.games]).reshape(shape),
        floors=np.array([scales[task.game].floors for task in layout.games]).reshape(shape),
        normalised=normalised,
        advantages=advantages,
        set_aside=set_aside,
    )
    return _settled(table.of_tasks(np.flatnonzero(table._room > INDISTINCT).tolist()))


def _settled(table: StrangersScores) -> StrangersScores:
    """Score all runs, with those that diverged as what they count as, and let who does not learn count once.

    Whatever the seed of its run, it has met the same partners on the same draws.
    """
    reached = _scores(table.normalised, table.floors, table.scenarios)
    scripted = np.array([each.kind != LEARNER for each in table.algorithms], dtype=bool)
    once = scripted[:, None] & np.isfinite(reached).any(-1)
    normalised, advantages = (
        _once(_with_worst(values, reached, table.diverged), once) for values in (table.normalised, table.advantages)
    )
    scores = _scores(normalised, table.floors, table.scenarios)
    return replace(table, scores=scores, deterministic=once, normalised=normalised, advantages=advantages)


def _with_worst(values: FloatArray, reached: FloatArray, lost: BoolArray) -> FloatArray:
    """Give runs that were lost ``(A, G, S)`` the values ``(A, G, P, S)`` of whoever reached least in their game."""
    filled = values.copy()
    for game in np.flatnonzero(lost.any((0, 2)) & np.isfinite(reached).any((0, 2))).tolist():
        agent, seed = np.unravel_index(np.nanargmin(reached[:, game]), reached[:, game].shape)
        worst = values[agent, game, :, seed]
        filled[:, game] = np.where(lost[:, game, None], worst[:, None], values[:, game])
    return filled


def _once(values: FloatArray, once: BoolArray) -> FloatArray:
    """Put the only run of those who have one of a game ``(A, G)`` under the first seed of ``(A, G, P, S)``."""
    first = np.full(values.shape, np.nan)
    first[..., :1] = mean_over_seeds(values)[..., None]
    return np.where(once[..., None, None], first, values)


def _gains(normalised: FloatArray, floors: FloatArray, scenarios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Σ (v - v₀) and Σ (1 - v₀) over the scenarios with each partner, ``(..., G, P, S)``; 0 with nobody."""
    weights, lowest = scenarios[..., None], floors[..., None]
    gains, spans = (np.where(weights > 0.0, weights * (top - lowest), 0.0) for top in (normalised, 1.0))
    return gains, spans


def _scores(normalised: FloatArray, floors: FloatArray, scenarios: FloatArray) -> FloatArray:
    """Return the scores of games ``(..., G, S)``."""
    gains, spans = _gains(normalised, floors, scenarios)
    return gains.sum(-2) / spans.sum(-2)


def _linearised(normalised: FloatArray, floors: FloatArray, scenarios: FloatArray) -> FloatArray:
    """Return the same by partner ``(..., G, P, S)``: their mean is the score, their spread that of a ratio of sums.

    A partner that is not met in a game stands there with the game's score.
    """
    gains, spans = (np.moveaxis(each, -2, -1) for each in _gains(normalised, floors, scenarios))
    return np.moveaxis(linearised_ratios(gains, spans), -1, -2)


def _over(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Weighted means ``(G,)`` over partners of ``(G, P)``; NaN where nothing has weight."""
    total = weights.sum(-1)
    sums = np.where(weights > 0.0, weights * values, 0.0).sum(-1)
    return np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 0.0)


class _Worth(NamedTuple):
    """Scenarios of a game and what they are worth; runs that agree in it can be compared."""

    scenarios: tuple[str, ...]
    kinds: tuple[str, ...]
    random: tuple[float, ...]
    floors: tuple[float, ...]
    ceilings: tuple[float, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self | None:
        """Read a row of ``runs``; None where the run met nobody, as one that failed."""
        if row["stranger_returns"] is None:
            return None
        return cls(*(tuple(row[f"stranger_{name}"]) for name in cls._fields))

    @property
    def partners(self) -> tuple[Stranger, ...]:
        """Who is met in each scenario."""
        return tuple(map(Stranger.of, self.scenarios, self.kinds))


_COLUMNS = (*(f"stranger_{name}" for name in _Worth._fields), "stranger_returns", "stranger_partner_returns")


@dataclass(frozen=True, eq=False)
class _GameScale:
    """What returns in the scenarios of a game are worth, by partner ``(P,)``; NaN where one is not met."""

    worth: _Worth
    members: FloatArray
    """``(P, scenarios)`` 1 where a partner is met."""

    @classmethod
    def of(cls, worth: _Worth, partners: Sequence[Stranger]) -> Self:
        """Arrange scenarios by partner."""
        return cls(worth, np.array([[float(met == each) for met in worth.partners] for each in partners]))

    @property
    def scenarios(self) -> FloatArray:
        """How many there are with each."""
        return self.members.sum(1)

    @property
    def floors(self) -> FloatArray:
        """What the best single number earns, v₀."""
        return _over(self.members, self._normalised(self.worth.floors))

    def told(self, row: Mapping[str, Any]) -> FloatArray:
        """Return v of a run, and what it earned more than its partners in the same unit, ``(P, 2)``."""
        own, theirs = (self._normalised(row[f"stranger_{name}"]) for name in ("returns", "partner_returns"))
        return np.stack([_over(self.members, each) for each in (own, own - theirs)], axis=-1)

    def _normalised(self, returns: Sequence[float]) -> FloatArray:
        given = (returns, self.worth.random, self.worth.ceilings)
        return normalised_returns(*(np.array(each, dtype=np.float64) for each in given))


def _scales(rows: Iterable[tuple[str, _Worth | None]]) -> tuple[dict[str, _GameScale], tuple[Stranger, ...]]:
    """Return what most runs of each game were worth, and whom all of these met."""
    counted: dict[str, Counter[_Worth]] = {}
    for game, worth in rows:
        if worth is not None:
            counted.setdefault(game, Counter())[worth] += 1
    common = {game: worths.most_common(1)[0][0] for game, worths in counted.items()}
    partners = tuple(dict.fromkeys(each for worth in common.values() for each in worth.partners))
    return {game: _GameScale.of(worth, partners) for game, worth in common.items()}, partners
