"""Hiring without knowing what efforts reveal: explore with payments that are known to work, then commit.

While it explores the principal schedules every profile of efforts equally often and pays by a strictly proper rule that
is known to make the scheduled effort dominant. Frequencies of m = T^(2/3) rounds estimate the information, the
programme is solved with a slack of order sqrt(ln T / m), so that errors of the estimate cannot break incentives, and
its contract holds for the other rounds: regret of order T^(2/3) up to logarithms. Payments of the published learner
while it explores are not available; here they cost at most what the problem's cap allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.mechanism_design.hiring import (
    AUDIT,
    Contract,
    HiringPlanner,
    HiringProblem,
    Violation,
    deviations,
)
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class HiringRun:
    """What came of learning whom to hire."""

    explored: int
    """m, rounds."""
    regret: float
    """What T rounds of the best contract would have brought more."""
    contract: Contract | None
    """What it committed to, as valued by the estimate; None where none is feasible for it, and nobody is hired."""
    worth: float
    """What a round of it brings in truth, when agents reply as is best for them."""
    obeyed: bool
    """Whether nobody gains by deviating from it in truth."""


@dataclass(frozen=True)
class ExploreThenCommit:
    """Learns a contract from frequencies.

    Attributes:
        slack: times sqrt(ln T / m), how much disobedience must lose in the contract; in units of the pay cap.
        exploration_pay: what a round of exploration costs in payments; None is the whole cap for every agent.

    >>> learner = ExploreThenCommit()
    >>> learner.rounds(1000), round(learner.margin(1000, pay_cap=1.0), 4)
    (100, 0.1314)
    """

    slack: float = 0.5
    exploration_pay: float | None = None

    def rounds(self, horizon: int) -> int:
        """Return m, rounds of exploration.

        Raises:
            ValueError: a horizon that leaves nothing to commit to.
        """
        if horizon < 8:
            raise ValueError(
                f"horizon={horizon!r}: expected at least 8 rounds, so that half of them are left to commit"
            )
        return int(np.ceil(horizon ** (2.0 / 3.0) - 1e-9))

    def margin(self, horizon: int, pay_cap: float) -> float:
        """Return what disobedience must lose in the contract."""
        return float(self.slack * pay_cap * np.sqrt(np.log(horizon) / self.rounds(horizon)))

    def run(
        self, problem: HiringProblem, horizon: int, rng: np.random.Generator, best: float | None = None
    ) -> HiringRun:
        """Explore and commit; agents then do what is best for them, obedient or not.

        Args:
            problem: how things are; the learner knows all but the information.
            horizon: T.
            rng: draws what it observes.
            best: value of the best contract, where it is known already.

        Raises:
            ValueError: a horizon that is too short.
        """
        explored = self.rounds(horizon)
        benchmark = HiringPlanner().solve(problem).value if best is None else best
        supposed = replace(problem, information=self.estimate(problem, explored, rng))
        planner = HiringPlanner(slack=self.margin(horizon, problem.pay_cap))
        try:
            contract = planner.solve(supposed)
            worth, obeyed = value_under_best_replies(problem, supposed, contract)
        except SolverError:
            contract, worth, obeyed = None, problem.blind_value, True
        pay = problem.agents * problem.pay_cap if self.exploration_pay is None else self.exploration_pay
        # Decisions of rounds of exploration do not rely on what is reported in them.
        regret = explored * (benchmark - problem.blind_value + pay) + (horizon - explored) * (benchmark - worth)
        return HiringRun(explored, regret, contract, worth, obeyed)

    def estimate(self, problem: HiringProblem, explored: int, rng: np.random.Generator) -> FloatArray:
        """Return frequencies of signals and states, by profile, of rounds that are divided equally among profiles."""
        profiles = problem.profiles()
        information, outcomes = np.empty_like(problem.information), problem.information.shape[problem.agents :]
        for number, profile in enumerate(profiles):
            count = max(1, (explored + number) // len(profiles))
            seen = rng.multinomial(count, problem.information[profile].ravel() / problem.information[profile].sum())
            information[profile] = seen.reshape(outcomes) / count
        return information


def value_under_best_replies(problem: HiringProblem, supposed: HiringProblem, contract: Contract) -> tuple[float, bool]:
    """Return what a contract that was made for supposed information is worth in truth, and whether all obey it.

    Each agent makes the effort and the reports that are best for it while the others obey, and obeys where nothing
    gains. Decisions are those that would be best if the supposed information were true and reports were.
    """
    replies = [best_replies(problem, contract, agent) for agent in range(problem.agents)]
    choice, value = (supposed.information @ supposed.utility.T).argmax(-1), 0.0
    for profile in problem.profiles():
        chance = float(contract.mix[profile])
        if chance == 0.0:
            continue
        made = [replies[agent].get(told) for agent, told in enumerate(profile)]
        efforts = tuple(told if reply is None else reply.effort for told, reply in zip(profile, made, strict=True))
        reported = problem.information[efforts]
        for agent, reply in enumerate(made):
            if reply is not None:
                as_told = np.eye(problem.signals[agent])[list(reply.reports)]
                reported = np.moveaxis(np.tensordot(as_told, reported, axes=(0, agent)), 0, agent)
        decided = float((reported * problem.utility[choice[profile]]).sum())
        paid = float((reported * np.moveaxis(contract.payments, 0, problem.agents)[profile]).sum())
        value += chance * (decided - paid)
    return value, not any(replies)


def best_replies(problem: HiringProblem, contract: Contract, agent: int) -> dict[int, Violation]:
    """Return by recommendation what is best for an agent, where that is not to obey and tell the truth."""
    found: dict[int, Violation] = {}
    for each in deviations(problem, contract, agent):
        if each.gain > max(AUDIT, found[each.recommended].gain if each.recommended in found else 0.0):
            found[each.recommended] = each
    return found
