"""What loyalty does to the effort of a team of equals, all over two published grids (TR-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Literal

import numpy as np

from coopgym.benchmarks.case_studies.sweep import Columns, Experiment, Metric
from coopgym.benchmarks.case_studies.team.engine import Fork
from coopgym.mechanisms.team import interior_effort
from coopgym.mechanisms.team_model import TeamModel
from coopgym.typing import FloatArray

PHI_B, PHI_C = 0.8, 0.3
FLOOR, CAP = 0.01, 50.0
FREE_RIDING, DIFFERENCE, SYNERGY = 0.05, 2.0, 1.1
"""Published targets: largest error, least ratio of efforts, least ratio of effects."""

Grid = Mapping[Literal["quick", "full"], Mapping[str, Sequence[float]]]


def efforts(columns: Columns, fork: Fork, loyalty: float, phi_B: float = PHI_B, phi_C: float = PHI_C) -> FloatArray:
    """Effort ``(rows,)`` of each member of a team of equals, by the closed form, within its bounds."""
    mates = np.ones_like(columns["n"]) if fork == "mean" else columns["n"] - 1.0
    raised = columns["omega"] * (1.0 + loyalty * phi_B * mates)
    lowered = columns["c"] * (1.0 - loyalty * phi_C)
    sizes = columns["n"].astype(int)
    arguments = zip(raised, columns["beta"], lowered, sizes, np.full(len(sizes), np.inf), strict=True)
    totals = np.array(list(starmap(interior_effort, arguments)))
    return np.clip(totals / columns["n"], FLOOR, CAP)


def _measured(fork: Fork, columns: Columns) -> Columns:
    n = columns["n"]
    settings = zip(n.astype(int), *(columns[name] for name in ("omega", "beta", "c")), strict=True)
    alone = np.array(
        [
            TeamModel(size, omega, beta, c, phi_B=0.0, phi_C=0.0, a_max=CAP).equilibrium()
            for size, omega, beta, c in settings
        ]
    )
    none, little, most = (efforts(columns, fork, loyalty) for loyalty in (0.0, 0.1, 0.9))
    path = np.stack([efforts(columns, fork, loyalty) for loyalty in np.linspace(0.0, 0.9, 10)])
    plain, both = efforts(columns, fork, 0.7, 0.0, 0.0), efforts(columns, fork, 0.7)
    single = (efforts(columns, fork, 0.7, PHI_B, 0.0) - plain) + (efforts(columns, fork, 0.7, 0.0, PHI_C) - plain)
    larger = efforts({**columns, "n": n + 1.0}, fork, 0.1)
    return {
        "free riding": np.abs(none - alone) / alone,
        "most over least loyal": most / little,
        "least step of loyalty": np.diff(path, axis=0).min(0),
        "change with a member more": larger - little,
        "synergy": np.where(single > 0.0, (both - plain) / np.where(single > 0.0, single, 1.0), 0.0),
        "effort": most,
    }


METRICS = (
    Metric("free riding", "identity", "error without loyalty", lambda error: error < FREE_RIDING),
    Metric("most over least loyal", "closed form", "effort at loyalty 0.9 over 0.1", lambda ratio: ratio > DIFFERENCE),
    Metric("least step of loyalty", "closed form", "change of effort as loyalty rises", lambda step: step >= 0.0),
    Metric("change with a member more", "closed form", "effort at loyalty 0.1", lambda change: change <= 0.0),
    Metric("synergy", "closed form", "both effects of loyalty over their sum", lambda ratio: ratio > SYNERGY),
    Metric("effort", "identity", "within its bounds", lambda effort: (effort >= 0.0) & (effort <= CAP)),
)
NARROW: Grid = {
    "quick": {"omega": (10, 20, 30), "beta": (0.40, 0.50, 0.60), "c": (1.5, 2.5, 3.5), "n": (3, 5, 8)},
    "full": {
        "omega": (10, 15, 20, 25, 30),
        "beta": (0.40, 0.45, 0.50, 0.55, 0.60),
        "c": (1.5, 2.0, 2.5, 3.0, 3.5),
        "n": (3, 4, 5, 6, 8),
    },
}
"""What the published code sweeps."""
STATED: Grid = {
    "quick": {"omega": (10, 30, 50), "beta": (0.5, 0.7, 0.9), "c": (0.5, 1.25, 2.0), "n": (3, 5, 8)},
    "full": {
        "omega": (10, 20, 30, 40, 50),
        "beta": (0.5, 0.6, 0.7, 0.8, 0.9),
        "c": (0.5, 0.875, 1.25, 1.625, 2.0),
        "n": (3, 4, 5, 6, 8),
    },
}
"""The ranges that the published text states."""
TEAM = Experiment("team", NARROW, METRICS, lambda columns: _measured("mean", columns))
TEAM_SUM = Experiment("team-sum", NARROW, METRICS, lambda columns: _measured("sum", columns))
TEAM_STATED = Experiment("team-stated", STATED, METRICS, lambda columns: _measured("mean", columns))
