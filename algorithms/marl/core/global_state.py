"""What centralised critics and mixers see: the compact global state; and what tells seats of a shared network apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from coopgym.games.game import Game
from coopgym.games.state import State


def state_size(agents: int) -> int:
    """Return the number of entries G of the compact global state of N seats."""
    return 5 * agents + 1


def compact_state(state: State, action_scale: Tensor, horizon: int) -> Tensor:
    """Summarise a state by 5N + 1 numbers in [-1, 1], ``(*batch, G)``, instead of its N² relations.

    In this order: last shares of endowment, mean trust given and received, mean reputation damage held against others
    and held by others, ``(N,)`` each, and the time as a share of the horizon.

    Args:
        state: of a batch of games.
        action_scale: factors from actions as the state has them to shares of endowment, ``(N,)``.
        horizon: steps of an episode.
    """
    partners = max(state.trust.shape[-1] - 1, 1)
    blocks = [
        state.last_action * action_scale,
        (state.trust.sum(-1) - 1.0) / partners,  # without the diagonal, which is one
        (state.trust.sum(-2) - 1.0) / partners,
        state.damage.sum(-1) / partners,
        state.damage.sum(-2) / partners,
        state.t.to(state.trust.dtype).unsqueeze(-1) / horizon,
    ]
    return torch.cat(blocks, dim=-1).mul_(2.0).sub_(1.0)


def seat_features(game: Game[Any], seats: tuple[int, ...], device: torch.device) -> Tensor:
    """Describe seats by what never changes, ``(n, N + 3)``.

    A one-hot index, then endowment as a share of the largest, bargaining share and baseline as a share of endowment.
    """
    spec = game.spec
    facts = [spec.endowments / spec.endowments.max(), spec.shares, spec.baselines / spec.endowments]
    table = torch.cat(
        [torch.eye(len(spec.endowments)), torch.as_tensor(np.array(facts), dtype=torch.float32).mT], dim=1
    )
    return table[list(seats)].to(device)
