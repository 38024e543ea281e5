"""What the rubric of S-LCD measures."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.interdependence.engine import Solution, StaticOutcome
from coopgym.benchmarks.case_studies.measures import by_name
from coopgym.typing import FloatArray


def last_change(outcome: StaticOutcome) -> FloatArray:
    """Largest change of an action in the last sweep, units."""
    return outcome.together.last_change


def least_action(outcome: StaticOutcome) -> FloatArray:
    """The smaller investment, units."""
    return outcome.together.actions.min(-1)


def greatest_action(outcome: StaticOutcome) -> FloatArray:
    """The larger investment, units."""
    return outcome.together.actions.max(-1)


def finite_payoffs(outcome: StaticOutcome) -> FloatArray:
    """Whether both private payoffs are finite."""
    return np.where(np.isfinite(outcome.dyad.payoffs(outcome.together.actions)).all(-1), 1.0, 0.0)


def finite_value(outcome: StaticOutcome) -> FloatArray:
    """Whether joint value is finite."""
    return np.where(np.isfinite(outcome.dyad.joint_value(outcome.together.actions)), 1.0, 0.0)


def cooperation_gain(outcome: StaticOutcome) -> FloatArray:
    """Mean investment together over that alone, per cent above."""
    return _per_cent(_mean(outcome.together), _mean(outcome.alone))


def smallest_gain(outcome: StaticOutcome) -> FloatArray:
    """What the firm that gains less invests more than alone, units."""
    return (outcome.together.actions - outcome.alone.actions).min(-1)


def mean_rise(outcome: StaticOutcome) -> FloatArray:
    """Mean investment together less that alone, units."""
    return _mean(outcome.together) - _mean(outcome.alone)


def value_gain(outcome: StaticOutcome) -> FloatArray:
    """Joint value together over that alone, per cent above."""
    return _per_cent(*(outcome.dyad.joint_value(each.actions) for each in (outcome.together, outcome.alone)))


def value_rise(outcome: StaticOutcome) -> FloatArray:
    """Joint value together less that alone, units."""
    return outcome.dyad.joint_value(outcome.together.actions) - outcome.dyad.joint_value(outcome.alone.actions)


def least_payoff(outcome: StaticOutcome) -> FloatArray:
    """The smaller private payoff, units."""
    return outcome.dyad.payoffs(outcome.together.actions).min(-1)


def smallest_payoff_gain(outcome: StaticOutcome) -> FloatArray:
    """What the firm that gains less earns more than alone, units."""
    together, alone = (outcome.dyad.payoffs(each.actions) for each in (outcome.together, outcome.alone))
    return (together - alone).min(-1)


def payoff_share(outcome: StaticOutcome) -> FloatArray:
    """The first firm's part of all private payoff."""
    payoffs = outcome.dyad.payoffs(outcome.together.actions)
    return payoffs[..., 0] / payoffs.sum(-1)


def asymmetry(outcome: StaticOutcome) -> FloatArray:
    """Distance between the investments over their mean."""
    return np.abs(np.diff(outcome.together.actions)[..., 0]) / _mean(outcome.together)


def spread_over_starts(outcome: StaticOutcome) -> FloatArray:
    """Largest distance between solutions from fifty starts, units."""
    return np.ptp(outcome.restarts, axis=0).max(-1)


def interior_margin(outcome: StaticOutcome) -> FloatArray:
    """Distance from the nearer end, the smaller of the two, part of endowment."""
    actions, endowments = outcome.together.actions, outcome.dyad.endowments
    return (np.minimum(actions, endowments - actions) / endowments).min(-1)


def first_order_residual(outcome: StaticOutcome) -> FloatArray:
    """What is left of the incentive to invest, the larger of the two."""
    return np.abs(outcome.dyad.incentives(outcome.together.actions)).max(-1)


def deviation_gain(outcome: StaticOutcome) -> FloatArray:
    """Most that a firm gains by moving alone, units of utility."""
    return outcome.best_deviation


def value_from_dependence(outcome: StaticOutcome) -> FloatArray:
    """Joint value with dependence over that without, same synergy, per cent above."""
    return _per_cent(*(outcome.dyad.joint_value(each.actions) for each in (outcome.together, outcome.independent)))


def surplus_share(outcome: StaticOutcome) -> FloatArray:
    """The first firm's part of what both earn above their endowments."""
    surplus = outcome.dyad.payoffs(outcome.together.actions) - outcome.dyad.endowments
    return surplus[..., 0] / surplus.sum(-1)


def cooperation_from_dependence(outcome: StaticOutcome) -> FloatArray:
    """Mean investment with dependence over that without, same synergy, per cent above."""
    return _per_cent(_mean(outcome.together), _mean(outcome.independent))


def lead_of_the_dependent(outcome: StaticOutcome) -> FloatArray:
    """Investment that Sony has before Samsung, and Samsung before Sony once dependence is transposed: the smaller."""
    as_published, turned = (np.diff(each.actions)[..., 0] for each in (outcome.together, outcome.transposed))
    return np.minimum(as_published, -turned)


def _mean(solution: Solution) -> FloatArray:
    return solution.actions.mean(-1)


def _per_cent(after: FloatArray, before: FloatArray) -> FloatArray:
    return 100.0 * (after / before - 1.0)


MEASURES = by_name(
    last_change,
    least_action,
    greatest_action,
    finite_payoffs,
    finite_value,
    cooperation_gain,
    smallest_gain,
    mean_rise,
    value_gain,
    value_rise,
    least_payoff,
    smallest_payoff_gain,
    payoff_share,
    asymmetry,
    spread_over_starts,
    interior_margin,
    first_order_residual,
    deviation_gain,
    value_from_dependence,
    surplus_share,
    cooperation_from_dependence,
    lead_of_the_dependent,
)
