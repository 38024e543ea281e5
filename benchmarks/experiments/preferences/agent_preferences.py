"""Preferences among the agents of a corpus: how often one beats the other, by criterion, game and seed.

P(y, y') is the share of criteria and games by which a run of y beats a run of y', drawn at random among seeds; ties
count one half. Every criterion and every game has the same weight, and all agents are compared in the same games, so
that a cycle is one of criteria and not of who played where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.drawing.formatting import listed
from coopgym.benchmarks.execute.exploit import Selection
from coopgym.benchmarks.score.bootstrap import Bootstrap
from coopgym.benchmarks.score.criteria import AMONG_STRANGERS, CRITERIA, CriterionValues, criterion_values
from coopgym.benchmarks.score.estimates import FEWEST, TIE, Estimate
from coopgym.benchmarks.score.settings import PLAYERS
from coopgym.benchmarks.study.schema import unknown
from coopgym.oracles.preferences.majority_cycles import MajorityCycle, majority_cycles, top_cycle
from coopgym.oracles.preferences.minimax_winner import MinimaxWinner, Winner
from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx
from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.typing import BoolArray, FloatArray

USUAL = ("payoff", "welfare", "equality", "trust")
BETA = 0.1
OFTEN = 0.5
"""An agent counts where it is known by every criterion in at least this share of the games in which anybody is."""
LEAST_BETA = 1e-3
CONVERGED = 14.0
"""Iterations of mirror prox times β, after which the divergence from the equilibrium is below 1e-11."""
_SELECTED = ("run_id", "algorithm", "environment", "env_parameters", "world", "reward_mode", "seed")


@dataclass(frozen=True, eq=False)
class AgentPreferences:
    """Who is preferred to whom among K agents, and what follows."""

    preferences: PreferenceMatrix
    resampled: FloatArray | None
    """``(R, K, K)`` the same with other seeds; None for fewer than 5 seeds."""
    by_criterion: FloatArray
    """``(C, K, K)``, of which the preferences are the mean."""
    criteria: tuple[str, ...]
    games: tuple[str, ...]
    seeds: int
    beta: float
    """Weight of regularisation."""
    remarks: tuple[str, ...]
    """What does not count, and why, a sentence each."""

    @property
    def agents(self) -> tuple[str, ...]:
        """Names, in the order of the matrix."""
        return self.preferences.names

    @cached_property
    def cycles(self) -> tuple[MajorityCycle, ...]:
        """The strongest cycle of majorities in every set of agents that has one, the strongest first."""
        return majority_cycles(self.preferences)

    @cached_property
    def top(self) -> tuple[int, ...]:
        """The agents that a majority prefers to every other one outside."""
        return tuple(top_cycle(self.preferences).tolist())

    @cached_property
    def winner(self) -> Winner:
        """The mixture that no agent is preferred to."""
        return MinimaxWinner().find(self.preferences)

    @cached_property
    def regularised(self) -> FloatArray:
        """``(K,)`` the equilibrium with a penalty β KL(π‖uniform)."""
        return NashMirrorProx(self.beta, int(np.ceil(CONVERGED / self.beta))).solve(self.preferences)

    def exploitability(self, distribution: FloatArray) -> float:
        """Return how far the best agent is preferred to a mixture, beyond one half."""
        return self.preferences.exploitability(distribution)

    def between(self, first: int, second: int) -> Estimate:
        """Return how often one agent beats another, with its interval over seeds where there is one."""
        return self._with_interval(
            float(self.preferences.probabilities[first, second]),
            None if self.resampled is None else self.resampled[:, first, second],
        )

    def borda(self, agent: int) -> Estimate:
        """Return how often an agent beats another one, mean over the others, likewise."""
        others = max(1, len(self.agents) - 1)
        means = None if self.resampled is None else (self.resampled[:, agent].sum(-1) - 0.5) / others
        return self._with_interval(float(self.preferences.borda[agent]), means)

    def certainty(self, cycle: MajorityCycle) -> float | None:
        """Return the share of resamples in which every majority of a cycle is one; None where there are none."""
        if self.resampled is None:
            return None
        options = np.array(cycle.options)
        return float((self.resampled[:, options, np.roll(options, -1)] > 0.5 + TIE).all(-1).mean())

    def _with_interval(self, value: float, drawn: FloatArray | None) -> Estimate:
        if drawn is None:
            return Estimate(value, None, None, self.seeds)
        tail = (1.0 - Bootstrap().confidence) / 2.0
        low, high = np.quantile(drawn, [tail, 1.0 - tail]).tolist()
        return Estimate(value, low, high, self.seeds)


def agent_preferences(
    runs: pa.Table,
    criteria: Sequence[str] = USUAL,
    selection: Selection | None = None,
    *,
    beta: float = BETA,
    bootstrap: Bootstrap | None = None,
) -> AgentPreferences:
    """Return the preferences among the agents of a corpus.

    Args:
        runs: the ``runs`` table.
        criteria: names of `coopgym.benchmarks.score.criteria.CRITERIA`.
        selection: which runs; where it names no agents, those that compete: no constants and no oracles.
        beta: weight of regularisation of the equilibrium beside the minimax winner.
        bootstrap: of the intervals over seeds.

    Raises:
        ValueError: an unknown criterion, with the nearest one; no run that fits the selection; fewer than two agents
            that were measured in the same games; or two runs in one place.

    >>> found = agent_preferences(coopgym.load_corpus("rewards-v1").runs, ["welfare", "equality", "trust"])
    >>> len(found.agents), len(found.games), found.seeds, round(found.exploitability(found.winner.distribution), 6)
    (10, 4, 8, 0.0)
    """
    names = tuple(dict.fromkeys(criteria))
    for name in names:
        if name not in CRITERIA:
            raise ValueError(unknown("criterion", name, CRITERIA))
    if not names:
        raise ValueError(f"criteria: expected at least one of {', '.join(CRITERIA)}")
    if not beta >= LEAST_BETA:
        raise ValueError(f"beta={beta!r}: expected a number of at least {LEAST_BETA}; the minimax winner is its limit")
    asked = selection or Selection()
    known = criterion_values(_selected(runs, asked), names)
    competing = np.array([bool(asked.agents) or agent.kind in PLAYERS for agent in known.agents], dtype=bool)
    kept, games, remarks = _shared(known, competing)
    values = known.values[:, kept][:, :, games]
    seeds = np.flatnonzero(np.isfinite(values).all((0, 1, 2)))
    if not len(seeds):
        raise ValueError(
            f"no seed under which all of {', '.join(known.agents[each].name for each in kept)} were measured in all of "
            f"{', '.join(known.games[each] for each in games)}; choose with --agent and --game"
        )
    beaten = _beaten(values[..., seeds])
    by_criterion = beaten.mean((3, 4))
    labels = [known.agents[each].name for each in kept]
    return AgentPreferences(
        preferences=PreferenceMatrix.of(by_criterion.mean(0), labels),
        resampled=_resampled(beaten.mean(0), bootstrap or Bootstrap(resamples=1000)) if len(seeds) >= FEWEST else None,
        by_criterion=by_criterion,
        criteria=known.criteria,
        games=tuple(known.games[each] for each in games),
        seeds=len(seeds),
        beta=beta,
        remarks=(*remarks, *_remarks(known, len(seeds))),
    )


def _selected(runs: pa.Table, selection: Selection) -> pa.Table:
    rows = runs.select(list(_SELECTED)).to_pylist()
    chosen = {row["run_id"] for row in selection.of(rows)}
    return runs.filter(pa.array([row["run_id"] in chosen for row in rows]))


def _shared(known: CriterionValues, competing: BoolArray) -> tuple[list[int], list[int], list[str]]:
    """Return the agents that count, the games in which all of them are known, and who is left out."""
    measured = np.isfinite(known.values).all(0).any(-1) & competing[:, None]  # (A, G)
    anywhere = measured.any(0)
    counts = measured.sum(1)
    if not known.agents:
        raise ValueError(
            "no run of an agent among its own copies in the fixed world, which is where agents are compared; what was "
            "played in other worlds or in given seats has no preferences"
        )
    if not competing.any():
        names = listed(agent.name for agent in known.agents)
        raise ValueError(f"constants and oracles do not compete unless they are named by --agent; here are: {names}")
    kept = np.flatnonzero((counts > 0) & (counts >= OFTEN * anywhere.sum())).tolist()
    games = np.flatnonzero(measured[kept].all(0)).tolist()
    if len(kept) < 2 or not games:
        most = ", ".join(f"{known.agents[each].name} in {counts[each]}" for each in np.flatnonzero(competing)[:8])
        raise ValueError(
            f"fewer than two agents are known by {', '.join(known.criteria)} in the same games; of "
            f"{anywhere.sum()} games, {most or 'nobody competes'}; choose with --agent, --game and --criteria"
        )
    left = [each for each in np.flatnonzero(competing).tolist() if each not in kept]
    remarks = []
    if left:
        names = listed(f"{known.agents[each].name} ({counts[each]})" for each in left)
        remarks.append(f"left out, known by all criteria in less than half of {anywhere.sum()} games: {names}")
    if len(games) < anywhere.sum():
        remarks.append(f"compared in the {len(games)} games of {anywhere.sum()} in which all are known")
    return kept, games, remarks


def _remarks(known: CriterionValues, seeds: int) -> list[str]:
    found = []
    if AMONG_STRANGERS in known.criteria and not known.met_strangers:
        also = "; it orders agents as welfare does" if "welfare" in known.criteria else ""
        found.append(f"payoff: nobody met strangers, so it is what each copy earns in self-play{also}")
    if seeds < FEWEST:
        found.append(f"intervals: {seeds} {'seed' if seeds == 1 else 'seeds'} with everything, fewer than {FEWEST}")
    return found


def _beaten(values: FloatArray) -> FloatArray:
    """Return how often a run beats another, mean over games: ``(C, K, K, S, S)`` of values ``(C, K, G, S)``."""
    size = np.abs(values).max((1, 3), keepdims=True)
    mine, theirs = values[:, :, None, :, :, None], values[:, None, :, :, None, :]
    ahead = mine - theirs
    tie = TIE * np.maximum(size, 1.0)[:, :, None, :, :, None]
    beaten: FloatArray = (0.5 + 0.5 * np.sign(np.where(np.abs(ahead) <= tie, 0.0, ahead))).mean(3)
    return beaten


def _resampled(beaten: FloatArray, settings: Bootstrap) -> FloatArray:
    """Return preferences ``(R, K, K)`` with seeds drawn anew, the same for all agents, from ``(K, K, S, S)``."""
    seeds = beaten.shape[-1]
    counts = settings.generator("preferences").multinomial(seeds, np.full(seeds, 1.0 / seeds), settings.resamples)
    shares = counts / seeds
    drawn: FloatArray = np.einsum("rs,rt,abst->rab", shares, shares, beaten, optimize=True)
    return drawn
