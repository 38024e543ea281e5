"""A team of unequally loyal members, one equilibrium per phase: the Apache project (TR-3 Eq. 1-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coopgym.benchmarks.study.schema import Strict
from coopgym.mechanisms.loyalty import cohesion
from coopgym.mechanisms.team import interior_effort
from coopgym.mechanisms.team_model import TeamModel
from coopgym.typing import FloatArray

Fork = Literal["mean", "sum"]
"""What a loyal member takes to heart of its team-mates' payoffs: their mean, as released, or their sum."""

EDGE = 0.01
"""Distance from floor and cap, units, below which a member counts as being there."""


class Founder(Strict):
    """One of those who began."""

    name: str
    weight: float
    """How much the team depends on them."""
    loyalty: float


class TeamParameters(Strict):
    """What a case file says of the team."""

    omega: float
    beta: float
    cost: float
    phi_B: float
    phi_C: float
    floor: float
    cap: float
    members: tuple[int, ...]
    """In each phase; the i-th is as loyal as the founder i modulo their number."""
    loyalty: tuple[float, ...]
    """Factor on everybody's loyalty in each phase."""
    efforts: tuple[float, ...]
    """Coded mean efforts."""
    founders: tuple[Founder, ...]

    def loyalties(self, phase: int) -> FloatArray:
        """Loyalties of the members in a phase, ``(n,)``."""
        founders = np.array([founder.loyalty for founder in self.founders])
        return self.loyalty[phase] * np.resize(founders, self.members[phase])

    def team(self, phase: int, fork: Fork) -> TeamModel:
        """Return the team of a phase; `TeamModel` itself takes the mean over team-mates."""
        size = self.members[phase]
        phi_B = self.phi_B * (1 if fork == "mean" else size - 1)
        return TeamModel(size, self.omega, self.beta, self.cost, phi_B, self.phi_C, self.cap)

    def cohesion(self, phase: int) -> float:
        """Loyalty of the founders in a phase, weighted by how much the team depends on them."""
        weights = np.array([founder.weight for founder in self.founders])
        loyalty = self.loyalty[phase] * np.array([founder.loyalty for founder in self.founders])
        return float(cohesion(loyalty, weights / weights.sum()))


@dataclass(frozen=True)
class TeamOutcome:
    """What the members of a team do in each phase."""

    means: FloatArray
    """``(..., phases)`` mean effort, units."""
    interior: FloatArray
    """``(..., phases)`` part of the members at neither end."""
    distance: FloatArray
    """``(..., phases)`` largest distance of a member from its best response, units."""
    coded: FloatArray
    """``(phases,)`` coded mean efforts."""
    cap: float


def wanted_totals(team: TeamModel, loyalties: FloatArray) -> FloatArray:
    """Total effort S_i ``(n,)`` that each member wants, whoever makes it.

    The marginal condition depends on the total alone: a loyal member sees its output raised by 1 + θφ_B and its cost
    lowered by 1 - θφ_C.
    """
    return np.array(
        [
            interior_effort(
                team.omega * (1.0 + loyalty * team.phi_B),
                team.beta,
                team.c * (1.0 - loyalty * team.phi_C),
                team.n_agents,
                maximum=np.inf,
            )
            for loyalty in loyalties
        ]
    )


def symmetric_effort(team: TeamModel, loyalty: float) -> float:
    """Return the effort at which members who are all as loyal come to rest, units."""
    (wanted,) = wanted_totals(team, np.array([loyalty]))
    return float(np.clip(wanted / team.n_agents, 0.0, team.a_max))


def fill_in(wanted: FloatArray, floor: float, cap: float) -> FloatArray:
    """Efforts ``(n,)`` at equilibrium: who wants most fills in what is missing, the others stay at the floor."""
    efforts = np.full(wanted.shape, floor)
    for member in np.argsort(-wanted, kind="stable"):
        efforts[member] = np.clip(wanted[member] - (efforts.sum() - efforts[member]), floor, cap)
    return efforts


def solve(parameters: TeamParameters, fork: Fork, loyalty: float = 1.0) -> TeamOutcome:
    """Return the equilibria of all phases.

    Args:
        parameters: of the case.
        fork: what loyal members take to heart.
        loyalty: factor on all loyalties; 0 switches the mechanism off.
    """
    profiles = []
    for phase in range(len(parameters.members)):
        wanted = wanted_totals(parameters.team(phase, fork), loyalty * parameters.loyalties(phase))
        profiles.append(fill_in(wanted, parameters.floor, parameters.cap))
    return _outcome(parameters, fork, profiles, loyalty)


def everybody_plays(parameters: TeamParameters, fork: Fork, efforts: FloatArray) -> TeamOutcome:
    """Return the outcome of efforts ``(..., phases)`` that all members of a phase make alike."""
    profiles = [np.repeat(efforts[..., phase, None], size, axis=-1) for phase, size in enumerate(parameters.members)]
    return _outcome(parameters, fork, profiles, loyalty=1.0)


def required_productivity(parameters: TeamParameters, fork: Fork, phase: int) -> float:
    """Return the ω at which a team of equal members, loyal as the mean, makes the coded effort of a phase."""
    team = parameters.team(phase, fork)
    (wanted,) = wanted_totals(team, parameters.loyalties(phase).mean(keepdims=True))
    total = parameters.members[phase] * parameters.efforts[phase]
    return float(team.omega * (total / wanted) ** (1.0 - team.beta))


def _outcome(parameters: TeamParameters, fork: Fork, profiles: list[FloatArray], loyalty: float) -> TeamOutcome:
    floor, cap = parameters.floor, parameters.cap
    means, interior, distance = [], [], []
    for phase, efforts in enumerate(profiles):
        wanted = wanted_totals(parameters.team(phase, fork), loyalty * parameters.loyalties(phase))
        best = np.clip(wanted - (efforts.sum(-1)[..., None] - efforts), floor, cap)
        inside = (efforts > floor + EDGE) & (efforts < cap - EDGE)
        means.append(efforts.mean(-1))
        interior.append(inside.mean(-1))
        distance.append(np.abs(best - efforts).max(-1))
    return TeamOutcome(
        means=np.stack(means, axis=-1),
        interior=np.stack(interior, axis=-1),
        distance=np.stack(distance, axis=-1),
        coded=np.array(parameters.efforts),
        cap=cap,
    )
