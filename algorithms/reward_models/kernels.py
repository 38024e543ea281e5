"""The arithmetic of learned rewards as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt
import torch

from coopgym.algorithms.reward_models.caption_labels import UNKNOWN, YES, CaptionLabels
from coopgym.algorithms.reward_models.caption_models import (
    FIRST_COUNT,
    preference_loss,
    standardised,
    thresholded,
    updated_moments,
)
from coopgym.algorithms.reward_models.endogenous import endogenous_reward
from coopgym.algorithms.reward_models.oni import intrinsic


def endogenous(logits: npt.ArrayLike, actions: npt.ArrayLike, alpha: float) -> dict[str, Any]:
    """The reward inside a policy's logits, and the two sides of its telescoping sum."""
    found = endogenous_reward(logits, actions, alpha)
    return {
        "reward": found.reward.tolist(),
        "log_prob": found.log_prob.tolist(),
        "value": found.value.tolist(),
        "ret": float(found.reward.sum()),
        "alpha_logp_plus_v0": float(alpha * found.log_prob.sum() + found.value[0]),
    }


def oni_hash(
    stream: Sequence[tuple[str, float]],
    labels: Mapping[str, int],
    every: int,
    batch: int,
    beta: float,
    c_ext: float,
    c_int: float,
) -> dict[str, Any]:
    """Rewards of a stream of captions that are labelled the newest first, a batch every few steps, and the table."""
    words = sorted({caption for caption, _ in stream})
    table, values = CaptionLabels(1, len(words), _CPU), torch.zeros(len(words)).double()
    rewards, counts = [], dict.fromkeys(words, 0)
    for t, (caption, reward) in enumerate(stream, start=1):
        counts[caption] += 1
        value, count = values[words.index(caption)], torch.tensor(counts[caption]).double()
        rewards.append(c_ext * reward + float(intrinsic(value, count, c_int, beta)))
        table.see(torch.tensor([[[words.index(caption)]]]))
        if t % every == 0:
            asked = table.ask(batch)[0].nonzero().flatten().tolist()
            table.write({place: bool(labels[words[place]]) for place in asked})
            values = (table.label[0] == YES).double()
    known = {word: float(values[place]) for place, word in enumerate(words) if table.label[0, place] != UNKNOWN}
    return {
        "rewards": rewards,
        "table": known,
        "queue": [words[place] for place in table.waiting[0].nonzero().flatten()],
    }


def oni_rank(
    scores: Sequence[float],
    pairs: Sequence[tuple[int, int, int]],
    batches: Sequence[Sequence[float]],
    query: Sequence[float],
    threshold: float,
) -> dict[str, Any]:
    """Loss of scores by compared pairs, running moments of batches, and what scores are worth by them."""
    score = torch.tensor(scores).double()
    first, second, label = torch.tensor(pairs).T
    preferred = torch.tensor([1.0, 0.0, 0.5]).double()[label]
    moments = (torch.full((1,), FIRST_COUNT).double(), torch.zeros(1).double(), torch.ones(1).double())
    for each in batches:
        values = torch.tensor([each]).double()
        moments = updated_moments(moments, values, torch.ones_like(values))
    _, mean, variance = moments
    z = standardised(torch.tensor(query).double(), mean, variance)
    return {
        "loss": float(preference_loss(score[first] - score[second], preferred).mean()),
        "running_mean": float(mean),
        "running_var": float(variance),
        "z": z.tolist(),
        "thresholded": thresholded(z, threshold).tolist(),
    }


_CPU = torch.device("cpu")
KERNELS: Mapping[str, Callable[..., Any]] = {"endogenous": endogenous, "oni-hash": oni_hash, "oni-rank": oni_rank}
"""Functions of named inputs by the ids of their worked examples."""
