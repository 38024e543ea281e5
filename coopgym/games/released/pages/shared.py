"""What the pages of the released games have in common: the layers of TR-1 and TR-2, symbols and sources."""

from __future__ import annotations

from typing import Any

from coopgym.games.page import GamePage, Source, Symbol

PAYOFF = "π_i = (e_i - a_i) + f(a_i) + α_i γ g(a), with f(a) = θ ln(1 + a) and g the geometric mean (TR-1 Eq. 5-11)."
TRUST = (
    "signals tanh(κ (a_j - b_j)) in raw action units move T and R (TR-2 Eq. 5-9); the weights on partners' payoffs are "
    "min(T, 1 - R) ∘ D after the move."
)

RELATIONS = (
    Symbol("t", "t", "completed steps", "0 to T_max"),
    Symbol("last_action", "a_i", "last action, units", "[0, e_i]"),
    Symbol("trust", "T_ij", "how far i trusts j"),
    Symbol("damage", "R_ij", "reputation damage that i holds against j"),
    Symbol("own_action", "a_i", "own last action, units", "[0, e_i]"),
    Symbol("partner_actions", "a_j", "partners' last actions, units", "[0, e_j]"),
    Symbol("trust_row", "T_i", "how far this agent trusts each, itself included"),
    Symbol("all_trust", "T", "trust between all pairs, row by row"),
    Symbol("damage_row", "R_i", "reputation damage that this agent holds against each, itself included"),
    Symbol("public_damage", "mean R_j", "damage that partners hold on average"),
    Symbol("dependence_row", "D_i", "how far this agent depends on each, itself included"),
    Symbol("dependence", "D_ij", "how far this agent depends on partners"),
    Symbol("time", "t/T_max", "part of the episode that has passed"),
)
"""What every released game has."""

SCORES = (
    Symbol("public_scores", "ρ_i", "public scores of conduct"),
    Symbol("shown_scores", "ρ_i before", "scores in the joint observation, those before the last update"),
)
TEAM_LOYALTY = Symbol("loyalty", "θ_i", "loyalty scores; they pay nothing", "[0, ℓ]")
RECENT = Symbol("recent", "c_i", "cooperation of the last ten steps, oldest first")
MEMORY = (
    Symbol("memory", "a", "last actions without the first of the episode, oldest first; unused entries 0", "[0, e_i]"),
)

PUBLISHED = Source("Coopetition-Gym v1.0", "", "numbers")


def released_page(
    *, payoff: str, symbols: tuple[Symbol, ...] = (), report: Source | None = None, **texts: Any
) -> GamePage:
    """Return the page of a released game: what all have in common, and what is its own.

    Args:
        payoff: what stands before the payoffs of TR-1.
        symbols: those of its own stocks.
        report: where the game comes from, beside the implementation.
        texts: other fields of `GamePage`; without an ``end`` the game lasts to its horizon.
    """
    return GamePage(
        **{"end": "after {horizon} steps.", **texts},
        payoff=(payoff, PAYOFF),
        trust=TRUST,
        symbols=(*RELATIONS, *symbols),
        sources=(PUBLISHED,) if report is None else (report, PUBLISHED),
    )
