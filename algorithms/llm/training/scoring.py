"""Log-probabilities of finished trajectories under a model, padded as minibatches are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.llm.models import LanguageModel
from coopgym.algorithms.llm.models.value_head import ValueHead
from coopgym.algorithms.llm.play.trajectories import Trajectory
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Scored:
    """What a model says about the tokens after the prompts, ``(B, L)`` each."""

    logp: Tensor
    entropy: Tensor
    values: Tensor | None


def scored(
    model: LanguageModel,
    trajectories: Sequence[Trajectory],
    critic: ValueHead | None = None,
    temperature: float = 1.0,
) -> Scored:
    """Score trajectories; differentiable.

    Args:
        model: who scores.
        trajectories: B of them; prompts may differ in length.
        critic: values of the states *before* each token, if wanted.
        temperature: that they were sampled at.
    """
    scores = model.score(
        [np.concatenate([each.prompt_ids, each.ids]) for each in trajectories],
        where=[np.concatenate([np.zeros(len(each.prompt_ids), dtype=bool), each.mask]) for each in trajectories],
        hidden=critic is not None,
        temperature=temperature,
    )
    width, device = max(len(each.ids) for each in trajectories), scores.logp.device
    places = torch.arange(width, device=device).unsqueeze(0)
    starts = torch.tensor([len(each.prompt_ids) for each in trajectories], device=device).unsqueeze(1)
    index = (starts + places).clamp(max=scores.logp.shape[1] - 1)

    def after_prompt(table: Tensor, shift: int = 0) -> Tensor:
        return table.gather(1, (index - shift).clamp(min=0))

    return Scored(
        logp=after_prompt(scores.logp),
        entropy=after_prompt(scores.entropy),
        values=None if critic is None or scores.hidden is None else after_prompt(critic(scores.hidden), shift=1),
    )


def in_parts(
    model: LanguageModel,
    trajectories: Sequence[Trajectory],
    size: int,
    critic: ValueHead | None = None,
    temperature: float = 1.0,
) -> list[Scored]:
    """Score without gradients, ``size`` trajectories at a time."""
    with torch.no_grad():
        return [
            scored(model, trajectories[start : start + size], critic, temperature)
            for start in range(0, len(trajectories), size)
        ]


def rows(parts: Sequence[Tensor], trajectories: Sequence[Trajectory]) -> list[FloatArray]:
    """Cut padded tables back into one array per trajectory."""
    tables = [np.asarray(row, dtype=np.float64) for part in parts for row in part.cpu()]
    return [table[: len(each.ids)] for table, each in zip(tables, trajectories, strict=True)]
