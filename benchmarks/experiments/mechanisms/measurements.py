"""Hiring, herds, hidden exploration and budgets, measured.

``python -m coopgym.benchmarks.experiments.mechanisms.measurements`` measures it and keeps the results.

Whom it pays to hire before play and what information is worth, game by game; what correlated recommendations add; how
regret of learning whom to hire grows; which phases planners of herds go through, and what they move; how much may be
explored under cover; and what learners within a budget earn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.benchmarks.score import mean_estimate
from coopgym.games.registry import make_game
from coopgym.oracles.mechanism_design.budgeted_games import budgeted_seat
from coopgym.oracles.mechanism_design.herd import Herd, HerdPlan, HerdPlanner
from coopgym.oracles.mechanism_design.herd_games import herd_in
from coopgym.oracles.mechanism_design.herd_play import RolesRun, play_with_roles
from coopgym.oracles.mechanism_design.hidden_exploration import HiddenExploration
from coopgym.oracles.mechanism_design.hiring import HiringPlanner, HiringProblem, deviations
from coopgym.oracles.mechanism_design.hiring_learner import ExploreThenCommit
from coopgym.oracles.mechanism_design.independent_hiring import best_independent, crowded_survey
from coopgym.oracles.mechanism_design.knapsack_programme import (
    KnapsackInstance,
    KnapsackProgramme,
    best_fixed_arm,
    lagrange_value,
)
from coopgym.oracles.mechanism_design.knapsacks import (
    BalancedElimination,
    BudgetedLearner,
    LagrangeBwK,
    UcbBwK,
    play_within,
)
from coopgym.oracles.mechanism_design.survey import Chooser, Survey, survey_before_play
from coopgym.play.budget import Resource, diagnostic, effort, trust_lost
from coopgym.typing import FloatArray, IntArray

COMMAND = "python -m coopgym.benchmarks.experiments.mechanisms.measurements"
KEPT = RESULTS / "mechanisms.json"

HIDDEN, ALLIANCE = "SynergySearch-v1", "RenaultNissan-v1"
PHASES = ("formation", "mature", "crisis", "strained")
CHOOSERS: tuple[Chooser, ...] = ("all", "seat")
HERD_GAMES = ("IndirectReciprocity-v1", "ReputationMarket-v1", "DynamicPartnerSelection-v1")
HORIZONS = (1_000, 4_000, 16_000, 64_000, 256_000, 1_024_000)
LEARNER_SEEDS = 20
PRIORS = {
    "beta (6, 4) and (5, 5), 10 samples": ((6.0, 4.0), (5.0, 5.0), 10),
    "beta (2, 1) and (1, 1), 10 samples": ((2.0, 1.0), (1.0, 1.0), 10),
    "beta (1, 1) and (4, 5), 20 samples": ((1.0, 1.0), (4.0, 5.0), 20),
}
ARMS = ([0.9, 0.5], [[0.8], [0.2]])
"""Mean rewards and uses of the arms of the knapsack: Bernoulli."""
ROUNDS, BUDGET, KNAPSACK_SEEDS = 20_000, 6_000.0, 20
BUDGETED: dict[str, tuple[str, Callable[[int], Resource]]] = {
    "ApacheProject-v1": ("effort", effort),
    "PublicGoods-v1": ("effort", effort),
    "TeamProduction-v1": ("effort", effort),
    "RecoveryRace-v1": ("trust lost", trust_lost),
    "GraduatedSanction-v1": ("fines", lambda seat: diagnostic("fines", seat)),
    "PlatformEcosystem-v1": ("subsidy", effort),
    "AppleAppStore-v1": ("subsidy", effort),
}
EPISODE, EPISODE_BUDGET = 100, 5.0
ROLE_AGENTS, ROLE_SEEDS = 60, 40

SETTINGS = {
    "phases": PHASES,
    "horizons": HORIZONS,
    "learner seeds": LEARNER_SEEDS,
    "arms": ARMS,
    "rounds": ROUNDS,
    "budget": BUDGET,
    "knapsack seeds": KNAPSACK_SEEDS,
    "episode": [EPISODE, EPISODE_BUDGET],
    "roles": [ROLE_AGENTS, ROLE_SEEDS],
}


def hiring() -> dict[str, Any]:
    """Return surveys of both games, by who chooses."""
    phases = {phase: make_game(ALLIANCE, phase=phase) for phase in PHASES}
    extremes = {phase: phases[phase] for phase in ("mature", "crisis")}
    found: dict[str, Any] = {}
    for chooser in CHOOSERS:
        surveys = {
            f"{HIDDEN}: high or low": survey_before_play(make_game(HIDDEN), chooser=chooser),
            f"{ALLIANCE}: mature or crisis": survey_before_play(phases["mature"], extremes, chooser=chooser),
            f"{ALLIANCE}: which of four phases": survey_before_play(phases["mature"], phases, chooser=chooser),
        }
        found[chooser] = {name: _surveyed(survey) for name, survey in surveys.items()}
    return found


def _surveyed(survey: Survey) -> dict[str, Any]:
    problem, planner = survey.problem, HiringPlanner()
    contract = planner.solve(problem)
    gains = [each.gain for agent in range(problem.agents) for each in deviations(problem, contract, agent)]
    return {
        "situations": survey.situations,
        "best shares": survey.best_shares.tolist(),
        "blind share": survey.blind_share,
        "worth of knowing": survey.worth_of_knowing,
        "span of payoffs": survey.unit,
        "gained": survey.gained(contract),
        "paid": contract.paid * survey.unit,
        "mix": {"".join(map(str, profile)): float(contract.mix[profile]) for profile in problem.profiles()},
        "deviations": len(gains),
        "best gain": max(gains) * survey.unit,
    }


def correlated() -> dict[str, Any]:
    """Return what correlation adds when two surveyors get in each other's way."""
    problem = crowded_survey()
    together = HiringPlanner().solve(problem)
    apart = best_independent(problem, levels=21, refinements=3)
    return {
        "correlated": {"value": together.value, "paid": together.paid, "mix": together.mix.ravel().tolist()},
        "independent": {"value": apart.value, "paid": apart.paid, "mix": apart.mix.ravel().tolist()},
        "deviations that gain": len(HiringPlanner().audit(problem, together)),
        "blind": problem.blind_value,
        "decisions": problem.values.ravel().tolist(),
    }


def learner_problem() -> HiringProblem:
    """Return the problem on which regret is measured: analysts right with 0.9 and 0.8, at a cost of 0.05."""
    signals = [[[[0.5, 0.5], [0.5, 0.5]], [[q, 1.0 - q], [1.0 - q, q]]] for q in (0.9, 0.8)]
    return HiringProblem.independent([[0.0, 0.05], [0.0, 0.05]], [0.5, 0.5], signals, [[1.0, 0.0], [0.0, 1.0]], 1.0)


def learning() -> dict[str, Any]:
    """Return regrets of explore-then-commit by horizon and seed, and the slope of their logarithms."""
    problem, learner = learner_problem(), ExploreThenCommit()
    best = HiringPlanner().solve(problem).value
    regrets = np.zeros((len(HORIZONS), LEARNER_SEEDS))
    obeyed = np.zeros_like(regrets)
    for row, horizon in enumerate(HORIZONS):
        for seed in range(LEARNER_SEEDS):
            run = learner.run(problem, horizon, np.random.default_rng([horizon, seed]), best)
            regrets[row, seed], obeyed[row, seed] = run.regret, run.obeyed
    slopes = np.polyfit(np.log(HORIZONS), np.log(regrets), 1)[0]
    return {
        "best": best,
        "regret": {str(horizon): _mean(row) for horizon, row in zip(HORIZONS, regrets, strict=True)},
        "obeyed": {str(horizon): float(row.mean()) for horizon, row in zip(HORIZONS, obeyed, strict=True)},
        "slope": _mean(slopes),
    }


def herds() -> dict[str, Any]:
    """Return phases and welfare moved in three games, by planner."""
    found = {}
    for name in HERD_GAMES:
        game = make_game(name)
        by_planner = {}
        for herd in (Herd("altruistic", 0.7, 0.3), Herd("biased", 0.7, 0.3)):
            placed = herd_in(game, herd)
            for told, chosen in (
                (herd.planner, placed.herd),
                (f"{herd.planner}, transparent", placed.herd.transparent()),
            ):
                plan = HerdPlanner().solve(chosen)
                by_planner[told] = _planned(plan, placed.unit)
        found[name] = {
            "low": placed.low,
            "high": placed.high,
            "costs of error": placed.costs_of_error,
            "planners": by_planner,
        }
    return found


def _planned(plan: HerdPlan, unit: float) -> dict[str, Any]:
    moved = unit * plan.welfare_moved()
    return {
        "phases": [[phase.name, phase.low, phase.high] for phase in plan.phases()],
        "moved": {f"{belief:g}": float(moved[round(belief * (len(moved) - 1))]) for belief in (0.25, 0.5, 0.75)},
        "action B": float(plan.action_b()[len(moved) // 2]),
        "faults": plan.planner.audit(plan.herd, plan),
    }


def exploration() -> dict[str, Any]:
    """Return how much may be explored under cover, and how often Bayesian greed never tries the other arm."""
    found = {}
    for name, (first, second, samples) in PRIORS.items():
        advice = HiddenExploration(first, second, samples)
        exact, sufficient = advice.threshold(), advice.threshold(conservative=True)
        found[name] = {
            "exact": exact,
            "any learner": advice.threshold(any_learner=True),
            "conservative": sufficient,
            "ratio": exact / sufficient,
            "incentives": advice.incentives(exact),
            "incentives above": advice.incentives(min(1.0, 1.01 * exact)),
            "lag": advice.lag,
            "never tried": advice.never_tried(1000),
        }
    return found


def knapsacks() -> dict[str, Any]:
    """Return what learners within a budget earn beside the linear programme and the best fixed arm."""
    rewards, uses = (np.asarray(each) for each in ARMS)
    instance = KnapsackInstance.of(rewards, uses, horizon=ROUNDS, budget=BUDGET)
    learners: dict[str, BudgetedLearner] = {
        "LagrangeBwK": LagrangeBwK(BUDGET),
        "UcbBwK": UcbBwK(BUDGET),
        "BalancedElimination": BalancedElimination(BUDGET, every=200),
    }
    found: dict[str, Any] = {
        "programme": ROUNDS * KnapsackProgramme().solve(instance).value,
        "Lagrange game": ROUNDS * lagrange_value(instance),
        "best fixed arm": ROUNDS * best_fixed_arm(instance),
    }
    for name, learner in learners.items():
        rng = np.random.default_rng(0)
        play = play_within(learner, _bernoulli(rewards, uses, rng), 3, ROUNDS, rng.random((ROUNDS, KNAPSACK_SEEDS, 1)))
        found[name] = _mean(play.rewards) | {"left": float(play.left.mean())}
    return found


def _bernoulli(rewards: FloatArray, uses: FloatArray, rng: np.random.Generator) -> Any:
    earned, used = np.append(rewards, 0.0), np.concatenate([uses, np.zeros((1, uses.shape[1]))])

    def arms(t: int, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        won = rng.random(len(chosen)) < earned[chosen]
        spent = rng.random((len(chosen), used.shape[1])) < used[chosen]
        return won.astype(np.float64), spent.astype(np.float64)

    return arms


def budgets() -> dict[str, Any]:
    """Return what mixing levels is worth within a budget, by game and resource."""
    found = {}
    for name, (resource, of_seat) in BUDGETED.items():
        game = make_game(name)
        norm = float((game.spec.baselines / game.spec.endowments)[0])
        rest = 0.0 if of_seat is effort else norm
        seat = budgeted_seat(game, of_seat(0), horizon=EPISODE, budget=EPISODE_BUDGET, rest=rest)
        plan = KnapsackProgramme().solve(seat.instance)
        found[name] = {
            "resource": resource,
            "rest": rest,
            "unit": seat.unit,
            "programme": plan.value,
            "best fixed arm": best_fixed_arm(seat.instance),
            "mix": {
                f"{share:.2f}": weight for share, weight in zip(seat.shares, plan.mix, strict=False) if weight > 1e-9
            },
            "unlimited": float(seat.instance.rewards.max()),
        }
    return found


def roles() -> dict[str, Any]:
    """Return how planners and agents that answer in words compare with the exact ones; here scripted."""
    plan = HerdPlanner().solve(herd_in(make_game("ReputationMarket-v1")).herd)

    def always_clear(text: str) -> str:
        return "The clearer the better.\n1.00"

    def leave_it(text: str) -> str:
        return f"{plan.herd.baseline:.2f}"

    def trusting(text: str) -> str:
        return "It says so.\nHIGH" if "they reciprocate.\nEarlier" in text else "LOW"

    def babbling(text: str) -> str:
        return "It depends on many things."

    casts = {
        "exact": (None, None),
        "planner: always 1.00": (always_clear, None),
        "planner: baseline": (leave_it, None),
        "planner: unreadable": (babbling, None),
        "agents: follow any signal": (None, trusting),
        "agents: unreadable": (None, babbling),
    }
    found = {}
    for name, (planner, agent) in casts.items():
        runs: list[RolesRun] = []
        for seed in range(ROLE_SEEDS):
            rng = np.random.default_rng(seed)
            good, draws = bool(rng.random() < 0.5), rng.random(ROLE_AGENTS)
            runs.append(play_with_roles(plan, good, 0.5, draws, planner=planner, agent=agent))
        found[name] = {
            "lost": _mean([run.lost for run in runs]),
            "precision error": float(np.mean([run.precision_error for run in runs])),
            "agreement": float(np.mean([run.agreement for run in runs])),
            "unreadable": {role: sum(run.unreadable[role] for run in runs) for role in ("planner", "agent")},
        }
    return found


def _mean(values: Any) -> dict[str, Any]:
    found = mean_estimate([float(each) for each in values])
    assert found is not None
    return {"value": found.value, "low": found.low, "high": found.high}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "hiring": hiring,
    "correlated": correlated,
    "learning": learning,
    "herds": herds,
    "hidden exploration": exploration,
    "knapsacks": knapsacks,
    "budgets": budgets,
    "roles": roles,
}


def main() -> None:
    """Measure what is not kept yet."""
    keep(KEPT, COMMAND, SETTINGS, PARTS, lambda part: PARTS[part]())


if __name__ == "__main__":
    main()
