"""Whatever commits to a plan fits the slot, and its audit does not believe what the solver says."""

from __future__ import annotations

import numpy as np

from coopgym.oracles.mechanism_design import Planner
from coopgym.oracles.mechanism_design.herd import Herd, HerdPlan, HerdPlanner
from coopgym.oracles.mechanism_design.hiring import Contract, HiringPlanner, HiringProblem
from coopgym.oracles.mechanism_design.independent_hiring import crowded_survey
from coopgym.oracles.mechanism_design.knapsack_programme import BudgetedMix, KnapsackInstance, KnapsackProgramme

HIRING: Planner[HiringProblem, Contract] = HiringPlanner()
HERD: Planner[Herd, HerdPlan] = HerdPlanner(beliefs=101, precisions=11)
KNAPSACK: Planner[KnapsackInstance, BudgetedMix] = KnapsackProgramme()


def test_planners_pass_their_own_audits_and_those_of_other_instances_do_not() -> None:
    knapsack = KnapsackInstance.of([0.9, 0.5], [[0.8], [0.2]], horizon=100, budget=30.0)
    mix = KNAPSACK.solve(knapsack)
    assert not KNAPSACK.audit(knapsack, mix)
    assert KNAPSACK.audit(KnapsackInstance.of([0.9, 0.5], [[0.8], [0.2]], horizon=100, budget=20.0), mix)

    contract = HIRING.solve(crowded_survey())
    assert not HIRING.audit(crowded_survey(), contract)
    assert HIRING.audit(crowded_survey(cost=0.006), contract)

    plan = HERD.solve(Herd())
    assert not HERD.audit(Herd(), plan)
    assert HERD.audit(Herd(cost=2.0), plan)
    assert np.isfinite(plan.values).all()
