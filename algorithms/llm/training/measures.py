"""What is reported of every training step."""

from __future__ import annotations

import numpy as np

from coopgym.algorithms.llm.play.reference_actions import bin_of
from coopgym.algorithms.llm.play.trajectories import Batch, Credit


def rollout_measures(batch: Batch) -> dict[str, float]:
    """Return means over a batch's rollouts: outcome, nearness to the oracle, welfare, dialogue and tool use."""
    members, tasks = batch.trajectories, batch.tasks
    played = [(member, task) for member, task in zip(members, tasks, strict=True) if member.levels]
    gaps = [
        abs(member.answer - task.reference_action)
        for member, task in zip(members, tasks, strict=True)
        if member.answer is not None
    ]
    calls = [call for member in members for turn in member.turns for call in turn.calls]
    decisions = sum(member.decisions for member in members)
    measures = {
        "outcome": float(batch.outcomes.mean()),
        "correct": float(np.mean([member.correct for member in members])),
        "answered": len(gaps) / len(members),
        "well_formed": float(np.mean([member.format_ok for member in members])),
        "turns_per_decision": sum(len(member.turns) for member in members) / decisions,
        "tokens_per_decision": sum(member.written for member in members) / decisions,
        "calls_valid": float(np.mean([call.ok for call in calls])) if calls else 0.0,
        "distinct_answers": float(
            np.mean([len({bin_of(member.answer) for member in group.members} - {None}) for group in batch.groups])
        ),
    }
    if played:
        measures["level"] = float(np.mean([level for member, _ in played for level in member.levels]))
        measures["welfare"] = float(np.mean([member.payoffs.sum() for member, _ in played]))
        measures["payoff_share"] = float(np.mean([task.payoff_share(member.payoffs) for member, task in played]))
    if gaps:
        measures["oracle_gap"] = float(np.mean(gaps))
    return measures


def credit_measures(batch: Batch, credit: Credit) -> dict[str, float]:
    """Return the variance of advantages and the share of groups that teach nothing."""
    advantages = [
        np.sum([credit.adv[channel][i] * credit.weight[channel][i] for channel in credit.adv], axis=0)[mask]
        for i, mask in enumerate(credit.mask)
    ]
    flat, start = [], 0
    for group in batch.groups:
        own = advantages[start : start + len(group.members)]
        flat.append(all(not each.any() for each in own))
        start += len(group.members)
    together = np.concatenate(advantages)
    return {
        "advantage_variance": float(together.var()) if together.size else 0.0,
        "flat_groups": float(np.mean(flat)),
    }
