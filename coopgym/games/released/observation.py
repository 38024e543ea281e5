"""Per-agent observations of the released edition: which entries of the world a seat sees.

The world is the vector ``[a | T | R | public damage | D | t/T_max]``; public damage of j is the mean of row j of R.
"""

from __future__ import annotations

from coopgym.backend import Backend
from coopgym.games.observation import Blocks, ObservationMap
from coopgym.games.spec import View

WHOLE_ROWS = {"trust_row": "trust", "damage_row": "damage", "dependence_row": "dependence"}
"""Rows that include the agent itself, and the name of what they say about the others."""


def _seat(view: View, n_agents: int, agent: int) -> Blocks:
    def row(matrix: int, i: int) -> list[int]:
        start = matrix + n_agents * i
        return list(range(start, start + n_agents))

    others = [j for j in range(n_agents) if j != agent]
    trust, damage = n_agents, n_agents + n_agents**2
    public = damage + n_agents**2
    dependence = public + n_agents
    time = dependence + n_agents**2

    own_action: Blocks = [("own_action", [agent])]
    own_trust: Blocks = [("trust_row", row(trust, agent))]
    if view == "minimal":
        return own_action + own_trust
    all_trust: Blocks = [("all_trust", [entry for i in range(n_agents) for entry in row(trust, i)])]
    return [
        *own_action,
        ("partner_actions", others),
        *(all_trust if view == "full" else own_trust),
        ("damage_row", row(damage, agent)),
        ("public_damage", [public + j for j in others]),
        ("dependence_row", row(dependence, agent)),
        ("time", [time]),
    ]


def observation_map(backend: Backend, view: View, n_agents: int) -> ObservationMap:
    """Lay out a view for a number of agents."""
    return ObservationMap.build(backend, [_seat(view, n_agents, agent) for agent in range(n_agents)])


def layout(mapping: ObservationMap, seat: int) -> dict[str, list[int]]:
    """Columns of each block of a seat's observation, with the entries about others under their own names."""
    columns, n_agents = mapping.columns(seat), len(mapping.seats)
    if "all_trust" in columns:
        columns["trust_row"] = columns["all_trust"][seat * n_agents : (seat + 1) * n_agents]
    for whole, about_others in WHOLE_ROWS.items():
        if whole in columns:
            columns[about_others] = [column for j, column in enumerate(columns[whole]) if j != seat]
    return columns
