"""Judging rollouts in pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import arena
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.signals.comparators import COMPARATORS, Comparator
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.trajectories import Batch
from coopgym.typing import FloatArray

TournamentKind = Literal["single_elimination", "round_robin", "anchor"]
Byes = Literal["proper", "compact"]


@dataclass(frozen=True, kw_only=True)
class WinRates(Settings, Signal):
    """SPO (arXiv 2401.04056): ``win_rate``, how often a member is preferred to another one of its group; ties ½.

    One of a group of one is preferred to nobody and has ½.

    Attributes:
        comparator: as of `PairJudge`; whoever scores higher in a pair is preferred.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"pair_judge"})
    fills: ClassVar[frozenset[str]] = frozenset({"win_rate"})
    comparator: str | Comparator = "reward"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.comparator, str):
            choice("comparator", self.comparator, tuple(COMPARATORS))

    def annotate(self, batch: Batch, services: Services) -> None:
        compare = COMPARATORS[self.comparator] if isinstance(self.comparator, str) else self.comparator
        for group in batch.groups:
            others = len(group.members) - 1
            wins = arena.round_robin(compare(group))["wins"] / others if others > 0 else [0.5] * len(group.members)
            for member, rate in zip(group.members, wins, strict=True):
                member.signals["win_rate"] = float(rate)


@dataclass(frozen=True, kw_only=True)
class PairJudge(Settings, Signal):
    """ArenaRL (arXiv 2601.06487): ``rank_adv``, the z-score of the rank, and ``scores``, the member's row of the table.

    Attributes:
        comparator: one of ``COMPARATORS`` by name, or a function of a group that returns such a table.
        kind: the tournament.
        byes: of a knockout whose size is no power of two.
        noise: where the members' mean scores spread no farther, ranks mean nothing and all get 0.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[frozenset[str]] = frozenset({"pair_judge"})
    fills: ClassVar[frozenset[str]] = frozenset({"rank_adv", "scores"})
    comparator: str | Comparator = "reward"
    kind: TournamentKind = "single_elimination"
    byes: Byes = "proper"
    noise: float = hyperparameter(1e-9, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.comparator, str):
            choice("comparator", self.comparator, tuple(COMPARATORS))
        choice("kind", self.kind, get_args(TournamentKind))
        choice("byes", self.byes, get_args(Byes))

    def annotate(self, batch: Batch, services: Services) -> None:
        compare = COMPARATORS[self.comparator] if isinstance(self.comparator, str) else self.comparator
        for group in batch.groups:
            if not group.members:
                continue
            table = compare(group)
            for member, row, advantage in zip(group.members, table, self._advantages(table), strict=True):
                member.signals |= {"scores": row, "rank_adv": float(advantage)}

    def _advantages(self, table: FloatArray) -> FloatArray:
        size = len(table)
        means = (table.sum(1) - table.diagonal()) / max(1, size - 1)
        if size < 2 or np.ptp(means) <= self.noise:
            return np.zeros(size)
        if self.kind == "single_elimination":
            return np.asarray(arena.single_elimination(table, self.byes)["adv"])
        return np.asarray((arena.round_robin if self.kind == "round_robin" else arena.anchor)(table)["adv"])
