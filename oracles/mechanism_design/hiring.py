"""Whom to pay for gathering information, and how: correlated recommendations of effort with payments.

A principal has to decide under uncertainty. Agents can learn about the state at a cost; it sees neither their effort
nor their signals, only reports, and later the state. It draws a profile of efforts, tells each agent its own, and pays
by profile, reports and state. The problem is that of online information acquisition (Cacciamani, Castiglioni & Gatti
2023); the programme here is derived from the model and checked against the closed form of one agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, lil_array, vstack

from coopgym.oracles.finite.linear_programme import SolverError, least_cost, probabilities
from coopgym.typing import FloatArray

AUDIT = 1e-7
"""What a deviation may gain, before anything is recommended, in a contract that passes its audit."""
UNUSED = 1e-9
"""Probability of a profile below which it is never recommended."""
MOST_VARIABLES = 400_000
"""Size of the largest programme."""
MOST_REPORT_MAPS = 4096


@dataclass(frozen=True, eq=False)
class HiringProblem:
    """Agents who may gather information, and a principal who decides on it.

    >>> problem = HiringProblem.independent(
    ...     costs=[[0.0, 0.05]], prior=[0.5, 0.5], utility=[[1, 0], [0, 1]], pay_cap=10.0,
    ...     signals=[[[[0.5, 0.5], [0.5, 0.5]], [[0.8, 0.2], [0.2, 0.8]]]])
    >>> problem.values.round(3), problem.efforts, problem.signals  # what decisions are worth, by effort
    (array([0.5, 0.8]), (2,), (2,))
    """

    costs: tuple[FloatArray, ...]
    """Per agent ``(E_i,)``: of each effort."""
    information: FloatArray
    """``(E_1, ..., E_n, S_1, ..., S_n, Θ)``: joint probabilities of signals and state under each profile of efforts."""
    utility: FloatArray
    """``(A, Θ)`` of the principal's decisions."""
    pay_cap: float
    """M: no payment is above it, and none below zero."""

    def __post_init__(self) -> None:
        agents, shape = len(self.costs), self.information.shape
        if not agents or len(shape) != 2 * agents + 1:
            raise ValueError(
                f"information of shape {shape}: expected efforts and signals of each of {agents} agents, then states"
            )
        for agent, own in enumerate(self.costs):
            if own.shape != (shape[agent],) or not np.isfinite(own).all():
                raise ValueError(f"costs of agent {agent}: expected {shape[agent]} finite numbers, one per effort")
        sums = self.information.reshape(*shape[:agents], -1).sum(-1)
        if (self.information < 0.0).any() or not np.allclose(sums, 1.0, atol=1e-9):
            raise ValueError("information: expected probabilities that sum to one under every profile of efforts")
        if self.utility.ndim != 2 or self.utility.shape[1] != shape[-1] or not np.isfinite(self.utility).all():
            raise ValueError(f"utility of shape {self.utility.shape}: expected a row per decision, {shape[-1]} states")
        if not 0.0 < self.pay_cap < np.inf:
            raise ValueError(f"pay_cap={self.pay_cap!r}: expected a positive number")
        variables = self.information[..., 0].size * agents * self.states
        if variables > MOST_VARIABLES:
            raise ValueError(f"{variables:,} payments: more than {MOST_VARIABLES:,}; take fewer agents or signals")

    @classmethod
    def independent(
        cls,
        costs: Sequence[npt.ArrayLike],
        prior: npt.ArrayLike,
        signals: Sequence[npt.ArrayLike],
        utility: npt.ArrayLike,
        pay_cap: float,
    ) -> Self:
        """Take agents whose signals are independent given the state, and whose efforts do not disturb each other.

        Args:
            costs: per agent ``(E_i,)``.
            prior: ``(Θ,)``.
            signals: per agent ``(E_i, Θ, S_i)``: probabilities of signals by effort and state.
            utility: ``(A, Θ)``.
            pay_cap: M.

        Raises:
            ValueError: shapes that do not fit, or what are no probabilities.
        """
        belief = np.asarray(prior, dtype=np.float64)
        tables = [np.asarray(each, dtype=np.float64) for each in signals]
        if len(tables) != len(costs):
            raise ValueError(f"signals: expected one table per agent, {len(costs)} of them, got {len(tables)}")
        for agent, table in enumerate(tables):
            if table.ndim != 3 or table.shape[1] != len(belief):
                raise ValueError(
                    f"signals of agent {agent}: expected shape (efforts, {len(belief)}, signals), got {table.shape}"
                )
        joint, agents = belief, len(tables)
        for agent, table in enumerate(tables):
            # (E_1 ... E_a, S_1 ... S_a, Θ) with the next agent's effort and signal put in their places.
            wider = joint[..., None, None, :] * np.moveaxis(table, 1, 2).reshape(
                *(1,) * (2 * agent), table.shape[0], table.shape[2], len(belief)
            )
            joint = np.moveaxis(wider, 2 * agent, agent)
        assert joint.ndim == 2 * agents + 1
        own = tuple(np.asarray(each, dtype=np.float64) for each in costs)
        return cls(own, joint, np.asarray(utility, dtype=np.float64), float(pay_cap))

    @property
    def agents(self) -> int:
        """Number of agents."""
        return len(self.costs)

    @property
    def efforts(self) -> tuple[int, ...]:
        """Efforts per agent."""
        return self.information.shape[: self.agents]

    @property
    def signals(self) -> tuple[int, ...]:
        """Signals per agent."""
        return self.information.shape[self.agents : -1]

    @property
    def states(self) -> int:
        """Θ."""
        return self.information.shape[-1]

    @cached_property
    def values(self) -> FloatArray:
        """What decisions are worth on average under each profile, if reports are true, ``(E_1, ..., E_n)``."""
        worth = self.information @ self.utility.T
        return np.asarray(worth.max(-1).reshape(*self.efforts, -1).sum(-1))

    @property
    def blind_value(self) -> float:
        """What the best decision is worth to whoever knows the prior alone."""
        return float((self.utility @ self.prior).max())

    @property
    def informed_value(self) -> float:
        """What decisions are worth to whoever knows the state."""
        return float(self.utility.max(0) @ self.prior)

    @property
    def prior(self) -> FloatArray:
        """``(Θ,)``; efforts do not move it."""
        return (
            np.asarray(self.information.reshape(-1, *self.information.shape[self.agents :])[0])
            .reshape(-1, self.states)
            .sum(0)
        )

    def profiles(self) -> list[tuple[int, ...]]:
        """Return all profiles of efforts, the last agent's first to change."""
        return list(np.ndindex(*self.efforts))


@dataclass(frozen=True, eq=False)
class Contract:
    """Whom a principal hires, and how it pays."""

    mix: FloatArray
    """``(E_1, ..., E_n)`` probabilities of profiles to recommend."""
    payments: FloatArray
    """``(n, E_1, ..., E_n, S_1, ..., S_n, Θ)`` in [0, M]; nothing under profiles that are never recommended."""
    value: float
    """What the principal has on average: its decisions less payments."""
    decisions: float
    """What its decisions are worth on average."""
    paid: float
    """What it pays on average, to all."""


@dataclass(frozen=True)
class Violation:
    """A way in which an agent does better than it is told."""

    agent: int
    recommended: int
    effort: int
    reports: tuple[int, ...]
    """What it reports, by signal."""
    gain: float
    """On average, before anything is recommended; less what the contract promises that disobedience loses."""


@dataclass(frozen=True)
class HiringPlanner:
    """Finds the best contract by a linear programme; fits the `Planner` slot.

    Attributes:
        slack: what disobedience must lose at least, so that errors in what is known cannot break incentives.
        independent: profiles are drawn agent by agent from these, per agent ``(E_i,)``, and only payments are chosen;
            None lets recommendations be correlated.

    >>> problem = HiringProblem.independent(
    ...     costs=[[0.0, 0.05]], prior=[0.5, 0.5], utility=[[1, 0], [0, 1]], pay_cap=10.0,
    ...     signals=[[[[0.5, 0.5], [0.5, 0.5]], [[0.8, 0.2], [0.2, 0.8]]]])
    >>> contract = HiringPlanner().solve(problem)
    >>> round(contract.value, 6), round(contract.paid, 6), HiringPlanner().audit(problem, contract)
    (0.666667, 0.133333, [])
    """

    slack: float = 0.0
    independent: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.slack < np.inf:
            raise ValueError(f"slack={self.slack!r}: expected a number of at least 0")

    def solve(self, problem: HiringProblem) -> Contract:
        """Return the best contract that makes effort and truth best replies.

        Raises:
            SolverError: no contract does, and which of the constraints cannot hold.
            ValueError: independent recommendations that are no distributions over the agents' efforts.
        """
        programme = _Programme(problem, self)
        answer = programme.solve()
        mix = probabilities(np.where(answer[: programme.profiles] > UNUSED, answer[: programme.profiles], 0.0))
        shape = (problem.agents, *problem.information.shape)
        weighted = answer[programme.profiles : programme.profiles + programme.pays].reshape(
            problem.agents, programme.profiles, -1
        )
        recommended = mix > 0.0
        paid = np.zeros_like(weighted)
        paid[:, recommended] = weighted[:, recommended] / mix[recommended, None]
        payments = np.clip(paid, 0.0, problem.pay_cap).reshape(shape)
        return evaluated(problem, mix.reshape(problem.efforts), payments)

    def audit(self, problem: HiringProblem, contract: Contract) -> list[Violation]:
        """Return every deviation that gains: all efforts, with all ways to report, listed one by one."""
        return [
            violation
            for agent in range(problem.agents)
            for violation in deviations(problem, contract, agent, self.slack)
            if violation.gain > AUDIT
        ]


def evaluated(problem: HiringProblem, mix: FloatArray, payments: FloatArray) -> Contract:
    """Return a contract with what it is worth if everybody obeys and tells the truth."""
    spent = float((mix * (problem.information * payments).reshape(problem.agents, *problem.efforts, -1).sum(-1)).sum())
    decided = float((mix * problem.values).sum())
    return Contract(mix, payments, decided - spent, decided, spent)


def worst_deviation(problem: HiringProblem, contract: Contract, slack: float = 0.0) -> Violation:
    """Return the deviation that gains most; obeying and telling the truth gains 0."""
    every = (each for agent in range(problem.agents) for each in deviations(problem, contract, agent, slack))
    return max(every, key=lambda each: each.gain)


def deviations(problem: HiringProblem, contract: Contract, agent: int, slack: float = 0.0) -> list[Violation]:
    """Return the gains of all deviations of an agent from what its contract recommends."""
    signals = problem.signals[agent]
    if signals**signals > MOST_REPORT_MAPS:
        raise ValueError(f"agent {agent}: {signals} signals can be reported in more than {MOST_REPORT_MAPS} ways")
    maps = np.array(list(product(range(signals), repeat=signals)))
    costs = problem.costs[agent]
    found: list[Violation] = []
    for recommended in range(problem.efforts[agent]):
        chance = float(contract.mix.take(recommended, agent).sum())
        if chance <= 0.0:
            continue
        told = _promised(problem, contract, agent, recommended, recommended).trace() - chance * costs[recommended]
        for effort in range(problem.efforts[agent]):
            promised = _promised(problem, contract, agent, recommended, effort)
            earned = promised[np.arange(signals), maps].sum(-1) - chance * costs[effort]
            gains = earned - told + (slack * chance if effort != recommended else 0.0)
            found.extend(
                Violation(agent, recommended, effort, tuple(reports.tolist()), gain)
                for reports, gain in zip(maps, gains.tolist(), strict=True)
            )
    return found


def _promised(problem: HiringProblem, contract: Contract, agent: int, recommended: int, effort: int) -> FloatArray:
    """Return what an agent is paid on average by signal and report ``(S_i, S_i)``, weighted with the recommendation."""
    n = problem.agents
    # Information under the effort made, payments under the one recommended; both without the agent's axis of efforts.
    made = np.moveaxis(np.take(problem.information, [effort], agent).squeeze(agent), n - 1 + agent, 0)
    weights = np.take(contract.mix, [recommended], agent).squeeze(agent)
    weights = weights.reshape(*weights.shape, *(1,) * n)
    paid = np.moveaxis(np.take(contract.payments[agent], [recommended], agent).squeeze(agent), n - 1 + agent, 0)
    signals = problem.signals[agent]
    return np.asarray((weights * made).reshape(signals, -1) @ paid.reshape(signals, -1).T)


class _Programme:
    """The programme of a problem: profiles, payments times profiles, and what the best lie is paid by signal."""

    def __init__(self, problem: HiringProblem, planner: HiringPlanner) -> None:
        self.problem, self.planner = problem, planner
        n = problem.agents
        self.profiles = int(np.prod(problem.efforts))
        outcomes = problem.information[(0,) * n].size
        self.pays = n * self.profiles * outcomes
        self.shape = (n, *problem.information.shape)
        self.payment = np.arange(self.pays).reshape(self.shape) + self.profiles
        """Columns of the payments."""
        lies = [(i, told, made) for i in range(n) for told, made in product(range(problem.efforts[i]), repeat=2)]
        first = self.profiles + self.pays
        self.lie: dict[tuple[int, int, int], npt.NDArray[np.int64]] = {}
        for key in lies:
            self.lie[key] = first + np.arange(problem.signals[key[0]])
            first += problem.signals[key[0]]
        self.columns = first
        self.names = [
            f"agent {i}, told effort {told}, " + ("telling the truth" if told == made else f"not making effort {made}")
            for i, told, made in lies
        ]

    def solve(self) -> FloatArray:
        """Return the optimal variables.

        Raises:
            SolverError: none are feasible.
        """
        problem = self.problem
        costs = np.zeros(self.columns)
        costs[: self.profiles] = -problem.values.ravel()
        costs[self.profiles : self.profiles + self.pays] = np.broadcast_to(problem.information, self.shape).ravel()
        equal = np.zeros(self.columns)
        equal[: self.profiles] = 1.0
        bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * self.columns
        incentives, others = self.incentives(), [self.lies(), self.caps(), *self.fixed()]
        what = f"hiring {problem.agents} agents with slack {self.planner.slack:g}"
        try:
            return least_cost(what, costs, vstack([incentives, *others]), equal, bounds)
        except SolverError as error:
            raise SolverError(f"{error}; {self.obstacle(incentives, others, equal)}") from None

    def incentives(self) -> csr_array:
        """Rows: by how much a deviation's gain, with the slack, is above nothing; in the order of `names`."""
        problem = self.problem
        rows = lil_array((len(self.lie), self.columns))
        for row, (agent, told, made) in enumerate(self.lie):
            profile = self.profile_columns(agent, told)
            # Lies are paid at most z, truth is paid x: z - c' μ + slack μ <= x - c μ.
            rows[[row], self.lie[agent, told, made]] = 1.0
            own = problem.costs[agent]
            extra = own[told] - own[made] + (self.planner.slack if made != told else 0.0)
            rows[[row], profile] = np.full(len(profile), extra)
            paid = self.payment[agent].take(told, agent).ravel()
            rows[[row], paid] = -problem.information.take(told, agent).ravel()
        return csr_array(rows)

    def lies(self) -> csr_array:
        """Rows: what a signal is paid with any report is at most z."""
        problem = self.problem
        rows = lil_array((sum(problem.signals[key[0]] ** 2 for key in self.lie), self.columns))
        row = 0
        for (agent, told, made), most in self.lie.items():
            axis = problem.agents - 1 + agent
            chance = np.moveaxis(np.take(problem.information, [made], agent).squeeze(agent), axis, 0)
            paid = np.moveaxis(np.take(self.payment[agent], [told], agent).squeeze(agent), axis, 0)
            for signal, report in product(range(problem.signals[agent]), repeat=2):
                rows[[row], paid[report].ravel()] = chance[signal].ravel()
                rows[row, most[signal]] = -1.0
                row += 1
        return csr_array(rows)

    def caps(self) -> csr_array:
        """Rows: no payment is above M where its profile is recommended, and there is none where it is not."""
        profiles = np.broadcast_to(
            np.arange(self.profiles).reshape(*self.problem.efforts, *(1,) * (self.problem.agents + 1)), self.shape
        ).ravel()
        rows = np.arange(self.pays)
        entries = np.concatenate([np.ones(self.pays), np.full(self.pays, -self.problem.pay_cap)])
        places = (np.tile(rows, 2), np.concatenate([self.payment.ravel(), profiles]))
        return csr_array((entries, places), shape=(self.pays, self.columns))

    def fixed(self) -> list[csr_array]:
        """Rows that hold profiles at independent recommendations; none where they may be correlated."""
        if self.planner.independent is None:
            return []
        mixes = [np.asarray(each, dtype=np.float64) for each in self.planner.independent]
        fits = [
            mix.shape == (efforts,) and bool((mix >= 0.0).all()) and abs(mix.sum() - 1.0) <= 1e-9
            for mix, efforts in zip(mixes, self.problem.efforts, strict=False)
        ]
        if len(mixes) != self.problem.agents or not all(fits):
            raise ValueError(
                f"independent={self.planner.independent!r}: expected a distribution over efforts per agent"
            )
        joint: Any = np.ones(())
        for mix in mixes:
            joint = np.multiply.outer(joint, mix)
        # μ_b = p_b Σ μ: the sum of all is one.
        identity = np.eye(self.profiles) - joint.reshape(-1, 1)
        rows = lil_array((2 * self.profiles, self.columns))
        rows[:, : self.profiles] = np.concatenate([identity, -identity])
        return [csr_array(rows)]

    def obstacle(self, incentives: csr_array, others: list[csr_array], equal: FloatArray) -> str:
        """Name the incentives that cannot hold together: those that the least relaxation relaxes."""
        count = incentives.shape[0]
        relaxed = vstack(
            [csr_array(np.concatenate([incentives.toarray(), -np.eye(count)], axis=1)), *map(_padded(count), others)]
        )
        costs = np.append(np.zeros(self.columns), np.ones(count))
        bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * (self.columns + count)
        answer = least_cost("relaxed hiring", costs, relaxed, np.append(equal, np.zeros(count)), bounds)
        missing = answer[self.columns :]
        failed = [
            f"{name} (short of {lack:.3g})" for name, lack in zip(self.names, missing, strict=True) if lack > AUDIT
        ]
        return f"what cannot be made worthwhile: {'; '.join(failed)}" if failed else "no incentive is to blame"

    def profile_columns(self, agent: int, effort: int) -> npt.NDArray[np.int64]:
        """Columns of the profiles in which an agent makes an effort."""
        return np.arange(self.profiles).reshape(self.problem.efforts).take(effort, agent).ravel()


def _padded(count: int) -> Any:
    return lambda rows: csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], rows.shape[1] + count))
