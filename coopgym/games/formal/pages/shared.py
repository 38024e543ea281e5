"""What the pages of the formal games have in common: phrases, symbols and sources."""

from __future__ import annotations

import re
from typing import Any

from coopgym.games.page import GamePage, Source, Symbol
from coopgym.mechanisms import membership, reputation, sanctions

PHRASES = {
    # What is paid
    "own_value": "own_i = [e_i - k a_i + θ ln(1 + a_i)]/u",
    "pair_synergy": "G_β(x, y) ≈ (xy)^(β/2)",
    "pooled_production": "P_β(x) ≈ x^β",
    "trust_gate": "γ_t = γ (1 - χ + χ τ), τ the mean of min(T_ij, 1 - R_ij)",
    "tier_weights": f"{reputation.TIER_FLOOR:g} + {reputation.TIER_STEP:g} ["
    + " + ".join(f"σ((ρ - {level:.2f})/{reputation.TIER_SOFTNESS:g})" for level in reputation.TIER_THRESHOLDS)
    + "]",
    "image_softness": f"{reputation.IMAGE_SOFTNESS:.2f}",
    "first_fine": f"{sanctions.FIRST_FINE:g}",
    "fine_schedule": "[{first_fine} + (" + f"{sanctions.HIGHEST_FINE:.2f} - " + "{first_fine}) n_i]",
    "enforcement_cost": f"{sanctions.ENFORCEMENT_COST:g}",
    # What the integrated reward adds
    "integrated_reward": "The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij",
    "care_for_the_team": "ψ_i = ℓ_i [φ_B Σ_j≠i (π_j - e_j/u) + φ_C k a_i/u]",
    "kindness": "tanh(κ_r s_j/{RESPONSE_WIDTH})",
    "remembered_conduct": "[(1 - ζ) b_j + ζ ā_j], ζ {anchoring}, ā the mean of the last k_m = {memory} steps",
    "susceptibility": "E_ij = λ_R T_ij (1 + ω_r D_ij) ρ₀ D_ij^η; λ_R {lambda_R}, ρ₀ {rho_0}, η {eta}, ω_r {omega_r}, "
    "κ_r {kappa_r}",
    # How the state moves
    "trust_rates": "κ {kappa}, λ⁺ {lambda_plus}, λ⁻ {lambda_minus}, μ_R {mu_R}, δ_R {delta_R}, ξ {xi}",
    "trust_at_reset": "T0 {initial_trust}, R0 {initial_reputation}",
    "trust_on_conduct": "T and R on signals tanh(κ (c_j - b_j)/{SIGNAL_WIDTH}) with {trust_rates} ({trust_at_reset})",
    "full_memory": "the memory, full of b at reset, takes in",
    "record_update": f"{sanctions.RECORD_MEMORY:g} n + {sanctions.RECORD_GAIN:.2f} v",
    "link_levels": f"below {membership.EXIT_LEVEL:g}, 1 from {membership.RETURN_LEVEL:g} on",
    "exit_level": f"{membership.EXIT_LEVEL:g}",
    "reentry_level": f"{membership.REENTRY_LOYALTY:.2f}",
    # What analysts read
    "weighted_loyalty": "Σ_i D^col_i ℓ_i / Σ_i D^col_i with column sums D^col of D",
    "team_efforts": "`nash_effort`, `optimal_effort` (units, closed forms without own-use value, at most e), "
    "`efficiency_ratio` (mean effort relative to the optimal one), `free_riders` (below the norm)",
    "pair_equilibrium": "Nash solves k = θ/(1 + e c) + (γ β/2) (c + 0.001)^(β-1), the optimum the same with γ β",
    "gated_equilibrium": "Nash solves k = θ/(1 + e c) + (γ_t β/2) (c + 0.001)^(β-1), the optimum the same with γ_t β",
}
"""Phrases that several pages share, or that hold constants of a mechanism."""

_PHRASE = re.compile(rf"\{{({'|'.join(PHRASES)})\}}")


def told(text: str) -> str:
    """Put the phrases that a text names into it; its other placeholders stay."""
    return _PHRASE.sub(lambda found: told(PHRASES[found[1]]), text)


RELATIONS = (
    Symbol("t", "t", "completed steps", "0 to T_max"),
    Symbol("last_action", "c_i", "last cooperation, share of endowment"),
    Symbol("trust", "T_ij", "how far i trusts j"),
    Symbol("damage", "R_ij", "reputation damage that i holds against j"),
    Symbol(
        "cost_factor",
        "m_i",
        "factor on the own costs that a world draws; seen as (ln m/ln s + 1)/2",
        "1/s to s",
    ),
    Symbol("synergy_factor", "g", "factor on the joint product, likewise", "1/s to s"),
    Symbol("payoff_share", "π_i", "in worlds: own last payoff between the least and greatest, ½ at reset"),
    Symbol("own_action", "c_i", "own last cooperation"),
    Symbol("partner_actions", "c_j", "partners' last cooperation"),
    Symbol("trust_received", "T_ji", "how far partners trust this agent"),
    Symbol("standing", "R_ji", "reputation damage that partners hold against this agent"),
    Symbol("dependence", "D_ij", "how far this agent depends on partners"),
    Symbol("time", "t/T_max", "part of the episode that has passed"),
    Symbol("seat", "i", "one-hot of the own seat", "{0, 1}"),
    Symbol("actions", "c", "last cooperation of all"),
    Symbol("all_trust", "T", "trust between all pairs, row by row"),
    Symbol("all_damage", "R", "reputation damage between all pairs, row by row"),
    Symbol("all_dependence", "D", "interdependence of all pairs, row by row"),
    Symbol("all_private", "private", "what each agent alone sees under the own view, agent by agent"),
)
"""What every formal game has."""

LOYALTY = (
    Symbol("loyalty", "ℓ_i", "loyalty to the team; the own view shows the agent its own"),
    Symbol("cohesion", "cohesion", "loyalty of the team, weighted by how far it depends on each"),
)
MEMORY = (
    Symbol("memory", "ā", "conduct of the last k_m steps, oldest first; observed as each agent's mean"),
    Symbol("memory_buffer", "memory", "conduct of the last k_m steps, oldest first"),
)
FULL_MEMORY = "The full view adds the last {memory} steps, oldest first, before the time."
NEWCOMERS = (
    Symbol(
        "away", "away", "steps played outside in a row, where newcomers enter; seen as share of those allowed", "0 to 9"
    ),
    Symbol("entries", "entries", "newcomers so far, where they enter", "0, 1, …"),
)
MEMBERS = Symbol("members", "m_i", "1 for those who take part, the platform first", "{0, 1}")

VALUES = Source("TR-1", "Eq. 6-8, 11, 13", "value, payoff, weights")
OWN_USE = Source("TR-1", "Eq. 6, 13", "own-use value, weights")
TRUST_UPDATE = Source("TR-2", "Eq. 6-9", "trust")
TEAM_OUTPUT = Source("TR-3", "Eq. 1-2", "team production")
LOYALTIES = Source("TR-3", "Eq. 3, 5", "loyalty")


def formal_page(*, payoff: str, symbols: tuple[Symbol, ...] = (), **texts: Any) -> GamePage:
    """Return the page of a formal game, with the phrases that its texts name and the symbols of all games.

    Args:
        payoff: what a step pays, in one paragraph.
        symbols: those of its own stocks and blocks.
        texts: other fields of `GamePage`; without an ``end`` the game lasts to its horizon.
    """
    filled: dict[str, Any] = {name: told(text) if isinstance(text, str) else text for name, text in texts.items()}
    filled.setdefault("end", "truncated after {horizon} steps, never early.")
    return GamePage(payoff=(told(payoff),), symbols=(*RELATIONS, *symbols), **filled)
