"""Per-agent observations of the released edition: which entries of the world a seat sees.

The world is the vector ``[a | T | R | public damage | D | t/T_max]``; public damage of j is the mean of row j of R.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from coopgym.backend import Backend
from coopgym.games.observation import Blocks, ObservationMap, Positions, other_seats
from coopgym.games.spec import View

WHOLE_ROWS = {"trust_row": "trust", "damage_row": "damage", "dependence_row": "dependence"}
"""Rows that include the agent itself, and the name of what they say about the others."""


def _seen(view: View, n_agents: int, seats: Positions) -> Blocks:
    def row(matrix: int) -> Positions:
        return matrix + n_agents * seats + np.arange(n_agents)

    partners = other_seats(seats, n_agents)
    trust, damage = n_agents, n_agents + n_agents**2
    public = damage + n_agents**2
    dependence = public + n_agents
    time = dependence + n_agents**2

    own_action: Blocks = [("own_action", seats)]
    own_trust: Blocks = [("trust_row", row(trust))]
    if view == "minimal":
        return own_action + own_trust
    all_trust: Blocks = [("all_trust", np.arange(trust, damage))]
    return [
        *own_action,
        ("partner_actions", partners),
        *(all_trust if view == "full" else own_trust),
        ("damage_row", row(damage)),
        ("public_damage", public + partners),
        ("dependence_row", row(dependence)),
        ("time", np.array([time])),
    ]


def observation_map(backend: Backend, view: View, n_agents: int) -> ObservationMap:
    """Lay out a view for a number of agents."""
    return ObservationMap(backend, view, n_agents, partial(_seen, view, n_agents))


def seat_columns(mapping: ObservationMap, seat: int) -> dict[str, list[int]]:
    """Columns of each block of a seat's observation, with the entries about others under their own names."""
    columns, n_agents = mapping.columns(), mapping.n_agents
    if "all_trust" in columns:
        columns["trust_row"] = columns["all_trust"][seat * n_agents : (seat + 1) * n_agents]
    for whole, about_others in WHOLE_ROWS.items():
        if whole in columns:
            columns[about_others] = [column for j, column in enumerate(columns[whole]) if j != seat]
    return columns
