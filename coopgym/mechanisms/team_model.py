"""Team production with loyal members (TR-3 Eq. 1-5): what a team makes, wants and could make."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.backend import Array
from coopgym.mechanisms.loyalty import loyalty_utility


@dataclass(frozen=True)
class TeamModel:
    """A team of N ≥ 2 that produces Q(a) = ω (Σa)^β at a cost of c per unit of effort and shares it equally.

    >>> team = TeamModel(n_agents=4, omega=2.0, beta=0.5, c=1.0, phi_B=0.8, phi_C=0.3, a_max=50.0)
    >>> team.equilibrium(), team.optimum()  # of what a member's effort brings, three quarters go to the others
    (0.015625, 0.25)
    """

    n_agents: int
    omega: float
    """Productivity ω."""
    beta: float
    """Returns to scale β, in (0, 1]."""
    c: float
    """Cost of effort, above 0."""
    phi_B: float
    """Weight of a loyal member on its team-mates' average payoff."""
    phi_C: float
    """Weight of a loyal member on its own effort, a warm glow."""
    a_max: float
    """Greatest effort, which bounds the linear cases."""

    def output(self, effort: Array) -> Array:
        """Team output Q(a) = ω (Σa)^β, ``(...)`` (TR-3 Eq. 1)."""
        return self.omega * effort.sum(-1) ** self.beta

    def payoffs(self, effort: Array) -> Array:
        """Equal share of the output less the cost of own effort, Q/N - c a_i, ``(..., N)`` (TR-3 Eq. 2)."""
        return self.output(effort)[..., None] / self.n_agents - self.c * effort

    def loyalty_terms(self, loyalty: Array, effort: Array) -> Array:
        """Loyalty θ_i (φ_B · mean payoff of team-mates + φ_C c a_i), ``(..., N)`` (TR-3 Eq. 3)."""
        weight_on_mates = self.phi_B / (self.n_agents - 1)
        return loyalty_utility(loyalty, self.payoffs(effort), self.c * effort, weight_on_mates, self.phi_C)

    def equilibrium(self) -> float:
        """Symmetric Nash effort a* = (ωβ / (c N^(2-β)))^(1/(1-β)); a corner when production is linear."""
        if self.beta == 1.0:
            return 0.0 if self.omega / self.n_agents < self.c else self.a_max
        marginal = self.omega * self.beta / (self.c * self.n_agents ** (2.0 - self.beta))
        return float(marginal ** (1.0 / (1.0 - self.beta)))

    def optimum(self) -> float:
        """Effort per member that maximises welfare, (ωβ/c)^(1/(1-β)) / N, which may exceed a_max."""
        if self.beta == 1.0:
            return self.a_max if self.omega > self.c else 0.0
        return float((self.omega * self.beta / self.c) ** (1.0 / (1.0 - self.beta)) / self.n_agents)
