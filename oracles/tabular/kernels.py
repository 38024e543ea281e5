"""The arithmetic of reward design as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.tabular.adaptive_design import AdaptiveScore
from coopgym.oracles.tabular.decision_process import TabularMDP
from coopgym.oracles.tabular.expert_design import INVARIANCE, Expert, design_rewards
from coopgym.oracles.tabular.self_design import Episode, SelfDesign


def _process(P: npt.ArrayLike, R: npt.ArrayLike, gamma: float) -> TabularMDP:
    return TabularMDP(np.asarray(P, dtype=np.float64), np.asarray(R, dtype=np.float64), gamma)


def shaping_invariance(P: npt.ArrayLike, R: npt.ArrayLike, phi: npt.ArrayLike, gamma: float) -> dict[str, Any]:
    """Optimal values with and without potential-based shaping."""
    mdp, potential = _process(P, R, gamma), np.asarray(phi, dtype=np.float64)
    plain, shaped = mdp.optimal_values(), mdp.shaped(potential).optimal_values()
    return {
        "Q": plain.tolist(),
        "Q_shaped": shaped.tolist(),
        "max_gap": float(np.abs(shaped - (plain - potential[:, None])).max()),
        "greedy": plain.argmax(-1).tolist(),
        "greedy_shaped": shaped.argmax(-1).tolist(),
    }


def informativeness(
    P: npt.ArrayLike, R: npt.ArrayLike, R_orig: npt.ArrayLike, gamma: float, horizons: Sequence[int]
) -> dict[str, Any]:
    """How soon a reward tells what is optimal under the original one."""
    expert, reward = Expert(_process(P, R_orig, gamma)), np.asarray(R, dtype=np.float64)
    return {
        "delta": expert.margin.tolist(),
        "informativeness": expert.informativeness(reward, horizons),
        "invariance_holds": expert.violation(reward) <= _worked_rounding(expert),
        "target_policy": expert.policy.tolist(),
    }


def _worked_rounding(expert: Expert) -> float:
    """Inputs of worked examples have six decimals, which a discounted sum multiplies."""
    return INVARIANCE + 1e-6 / (1.0 - expert.mdp.gamma)


def greedy_design(
    P: npt.ArrayLike,
    R_orig: npt.ArrayLike,
    gamma: float,
    horizons: Sequence[int],
    R_max: float,
    goal_states: Sequence[int],
    budget: int,
) -> dict[str, Any]:
    """Active states and informativeness as the budget grows."""
    expert = Expert(_process(P, R_orig, gamma))
    path = design_rewards(expert, budget, horizons=horizons, bound=R_max, goals=goal_states)
    return {"path": [[list(design.states), design.informativeness] for design in path]}


def adaptive_score(
    P: npt.ArrayLike,
    R: npt.ArrayLike,
    R_orig: npt.ArrayLike,
    gamma: float,
    learner: npt.ArrayLike,
    start: npt.ArrayLike,
    terminal: Sequence[int],
) -> dict[str, Any]:
    """What a reward would do for a learner, and the gradient of that."""
    first, policy = (np.asarray(each, dtype=np.float64) for each in (start, learner))
    score = AdaptiveScore(Expert(_process(P, R_orig, gamma)), policy, first, terminal)
    return {
        "score": score(np.asarray(R, dtype=np.float64)),
        "mu_teacher": score.teacher_visits.tolist(),
        "mu_learner": score.learner_visits.tolist(),
        "advantage": score.advantage.tolist(),
        "gradient": score.gradient.tolist(),
    }


def explore_and_shape(
    n_states: int,
    n_actions: int,
    lam: float,
    B_max: float,
    eta_phi: float,
    eta_critic: float,
    gamma: float,
    V: npt.ArrayLike,
    policy: npt.ArrayLike,
    episodes: Sequence[Sequence[tuple[int, int, float, int]]],
) -> dict[str, Any]:
    """Bonuses along two episodes of (s, a, r, s'), and one update of φ and of the critic."""
    design = SelfDesign(
        n_states, n_actions, gamma, scale=lam, largest=B_max, rate=eta_phi, critic_rate=eta_critic
    )  # fmt: skip
    design.values = np.asarray(V, dtype=np.float64)
    bonuses = [design.rewarded(s, a, r, after) - r for steps in episodes for s, a, r, after in steps]
    buffer = [Episode(*(np.array(column) for column in list(zip(*steps, strict=True))[:3])) for steps in episodes]
    design.update(np.asarray(policy, dtype=np.float64), buffer)
    return {
        "bonuses": bonuses,
        "counts": design.counts.tolist(),
        "phi": design.intrinsic.tolist(),
        "V": design.values.tolist(),
        "max_bonus": max(bonuses),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {
    "pbrs-invariance": shaping_invariance,
    "exprd-score": informativeness,
    "exprd-design": greedy_design,
    "expadard": adaptive_score,
    "explors": explore_and_shape,
}
"""Functions of named inputs by the ids of their worked examples."""
