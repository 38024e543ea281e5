"""What a game is: the facts that every interface and every agent may rely on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from coopgym.games.parameters import Parameters
from coopgym.worlds import FIXED

Edition = Literal["released", "formal"]
View = Literal["own", "full", "minimal"]
VIEWS: tuple[View, ...] = ("own", "full", "minimal")
ActionUnit = Literal["symmetric", "share", "units"]
"""What a controller's numbers are: in [-1, 1], shares of the endowment in [0, 1], or units of it in [0, e_i]."""
PayoffUnit = Literal["mean endowment", "unit of endowment"]
"""What a payoff of 1 is worth."""


@dataclass(frozen=True, eq=False)
class GameSpec:
    """Immutable description of one configured game.

    Arrays are float64 and read-only: ``endowments`` and ``baselines`` in action units, ``shares`` summing to one,
    ``interdependence`` ``(N, N)`` with row = depender.
    """

    id: str
    edition: Edition
    mechanism_class: str
    category: str
    summary: str
    roles: tuple[str, ...]
    horizon: int
    endowments: npt.NDArray[np.float64]
    baselines: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    interdependence: npt.NDArray[np.float64]
    parameters: Parameters
    default_view: View
    payoff_unit: PayoffUnit = "mean endowment"
    default_actions: ActionUnit = "symmetric"
    """What actions of an environment are unless told otherwise."""
    reveals_moves: bool = False
    """Whether those who move later in a round of turns see what was played before them."""
    tolerance: float = 1e-9
    """How far two ways of computing the same play may differ, relative above one."""
    agents: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.edition not in get_args(Edition):
            raise ValueError(f"{self.id}: edition={self.edition!r}; use one of {', '.join(get_args(Edition))}")
        for name in ("endowments", "baselines", "shares", "interdependence"):
            frozen = np.array(getattr(self, name), dtype=np.float64)
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)
        n_agents = len(self.endowments)
        if not (len(self.baselines) == len(self.shares) == n_agents == len(self.roles)) or (
            self.interdependence.shape != (n_agents, n_agents)
        ):
            raise ValueError(
                f"{self.id}: endowments, baselines, shares, roles and interdependence disagree on the number of agents"
            )
        object.__setattr__(self, "agents", tuple(f"agent_{i}" for i in range(n_agents)))

    @property
    def n_agents(self) -> int:
        """Number of agents N."""
        return len(self.endowments)

    @property
    def payoff_scale(self) -> float:
        """Payoff of keeping the mean endowment: the size of one payoff unit in numbers of this game."""
        return 1.0 if self.payoff_unit == "mean endowment" else float(self.endowments.mean())

    @property
    def labels(self) -> tuple[str, str, str]:
        """Edition, mechanism class and category in words."""
        return f"edition {self.edition}", f"class {self.mechanism_class}", f"category {self.category}"

    def columns(self) -> dict[str, Any]:
        """Return what a row of a table says of its game."""
        return {
            "environment": self.id,
            "edition": self.edition,
            "mechanism_class": self.mechanism_class,
            "n_agents": self.n_agents,
            "horizon": self.horizon,
            "world": getattr(self.parameters, "world", FIXED),
        }

    @property
    def name(self) -> str:
        """The id without its version."""
        return self.id.rsplit("-", 1)[0]
