"""Answers that a group gives to itself, and what supports them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.method.signals.beliefs import last_known
from coopgym.algorithms.llm.method.signals.decisions import decisions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.reference_actions import bin_of
from coopgym.algorithms.llm.play.scripted_play import resume
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class AnswerClusters(Settings, Signal):
    """SIOP (arXiv 2605.04984): ``cluster``, ``ref_logp`` ``(T + 1, R)``, ``alpha`` ``(R,)`` and ``evidence``.

    Answers, of several decisions the last, are equivalent if they fall into one δ-bin. A cluster's references are its
    most frequent answers, all of equal weight; they are scored before the first turn and after each. Evidence is what
    the cluster's most frequent level would earn, between disagreement and social optimum, averaged over the partner
    levels whose payoffs the rollout asked for; None if it asked for none. Nothing here is gold.

    Attributes:
        references: most answers that stand for a cluster.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"policy_logprob"})
    fills: ClassVar[frozenset[str]] = frozenset({"cluster", "ref_logp", "alpha", "evidence"})
    references: int = hyperparameter(3, 1)

    def annotate(self, batch: Batch, services: Services) -> None:
        answering: list[Trajectory] = []
        standing: list[list[float]] = []
        for group in batch.groups:
            clusters = _clusters(group)
            for member in group.members:
                cluster = bin_of(member.answer)
                if cluster is None:
                    nothing = {"cluster": None, "ref_logp": np.zeros((len(member.turns) + 1, 1)), "alpha": np.ones(1)}
                    member.signals |= {**nothing, "evidence": None}
                    continue
                levels = clusters[cluster][: self.references]
                member.signals |= {
                    "cluster": cluster,
                    "alpha": np.full(len(levels), 1.0 / len(levels)),
                    "evidence": _evidence(group.task_of(member), member, levels[0], services),
                }
                answering.append(member)
                standing.append(levels)
        for member, table in zip(answering, _support(answering, standing, services), strict=True):
            member.signals["ref_logp"] = table


def _clusters(group: Group) -> dict[int, list[float]]:
    """Return the distinct answers in each bin, the most frequent first."""
    counted = Counter(member.answer for member in group.members if member.answer is not None)
    found: dict[int, list[float]] = {}
    for answer, _ in counted.most_common():
        place = bin_of(answer)
        assert place is not None
        found.setdefault(place, []).append(answer)
    return found


def _support(
    members: Sequence[Trajectory], references: Sequence[Sequence[float]], services: Services
) -> list[FloatArray]:
    """Return the log-probability of each member's references at the start and after each turn, ``(T + 1, R)``.

    Where no reference fits into the model's context, support stays as it was.
    """
    counts = [len(member.turns) + 1 for member in members]
    contexts = [member.context(turn) for member, count in zip(members, counts, strict=True) for turn in range(count)]
    endings = [
        [services.answer_tokens(level) for level in levels]
        for levels, count in zip(references, counts, strict=True)
        for _ in range(count)
    ]
    rows = services.continuation_logp(contexts, endings)
    tables = [np.stack(rows[start:end]) for start, end in pairwise(np.cumsum([0, *counts]))]
    return [np.nan_to_num(last_known(table)) for table in tables]


def _evidence(task: Task, member: Trajectory, level: float, services: Services) -> float | None:
    """Return what a level earns against the partner levels that a rollout's last decision asked about, in [0, 1]."""
    last = decisions(task, member)[-1].turns
    asked = [
        call.args["partner"]
        for turn in member.turns[last.start :]
        for call in turn.calls
        if call.ok and call.name == "payoff"
    ]
    if not asked:
        return None
    place = resume(task, member, last.start, services.model, services.stream("evidence"))
    memory = place.session.dialogues[-1].memory
    profiles = np.stack([memory.profile(level, memory.others(partner)) for partner in asked])
    rewards = memory.world_model.stage(profiles)[0][:, task.seat]
    low, high = task.settings.disagreement[1][task.seat], task.settings.ideal[1][task.seat]
    return float(np.clip((rewards - low) / (high - low), 0.0, 1.0).mean()) if high > low else 0.0
