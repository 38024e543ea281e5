"""What another policy would have earned, told from rounds that were played and logged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray, IntArray

SAME_SHARE = 1e-6
"""How far a recorded share may be from the level it was drawn as."""


@dataclass(frozen=True)
class OffPolicyValue:
    """Mean reward a round of a deterministic policy, estimated from n logged rounds."""

    ips: float
    """Inverse propensity: mean(1[match] r / p), unbiased."""
    snips: float
    """Self-normalised: divided by the sum of weights instead of n; biased, of less variance."""
    effective_samples: float
    """(Σ w)² / Σ w²: how many rounds of the policy's own these are worth."""
    direct: float | None = None
    """What the reward model says of it."""
    doubly_robust: float | None = None
    """The model's word, corrected where log and policy agree; unbiased with the right propensities."""


def off_policy_value(
    actions: npt.ArrayLike,
    rewards: npt.ArrayLike,
    propensities: npt.ArrayLike,
    policy_actions: npt.ArrayLike,
    reward_model: npt.ArrayLike | None = None,
) -> OffPolicyValue:
    """Evaluate a deterministic policy on logged rounds (Horvitz & Thompson 1952; Dudík, Langford & Li 2011).

    Args:
        actions: ``(n,)`` that were played.
        rewards: ``(n,)``.
        propensities: ``(n,)`` how likely these actions were when they were chosen, as `RegretLedger` keeps it.
        policy_actions: ``(n,)`` what the policy would have played.
        reward_model: ``(n, K)`` predicted rewards of all actions.

    Raises:
        ValueError: shapes that do not fit, what is no propensity, or a log without support for the policy: rounds in
            which nothing but another action could have been played, or none that agrees with it.

    >>> value = off_policy_value([0, 1, 1], [0.2, 0.9, 0.7], [0.5, 0.5, 0.5], policy_actions=[1, 1, 1])
    >>> round(value.ips, 3), round(value.snips, 3), value.effective_samples
    (1.067, 0.8, 2.0)
    """
    played, chosen = np.asarray(actions), np.asarray(policy_actions)
    brought, likely = np.asarray(rewards, dtype=np.float64), np.asarray(propensities, dtype=np.float64)
    if played.ndim != 1 or not len(played) or not played.shape == chosen.shape == brought.shape == likely.shape:
        raise ValueError(
            f"actions {played.shape}, rewards {brought.shape}, propensities {likely.shape}, policy_actions "
            f"{chosen.shape}: expected four lists of the same length of at least 1"
        )
    if not ((likely > 0.0) & (likely <= 1.0)).all():
        raise ValueError("propensities: expected numbers above 0 and up to 1, of actions that were played")
    match = played == chosen
    blind = int(((likely == 1.0) & ~match).sum())
    if blind or not match.any():
        what = f"{blind} of {len(played)} rounds could have brought" if blind else f"all {len(played)} rounds brought"
        raise ValueError(f"no support: {what} only another action than the policy's; log a policy that explores")
    weights: FloatArray = match / likely
    estimates = OffPolicyValue(
        ips=float((weights * brought).mean()),
        snips=float((weights * brought).sum() / weights.sum()),
        effective_samples=float(weights.sum() ** 2 / (weights**2).sum()),
    )
    if reward_model is None:
        return estimates
    model, rows = np.asarray(reward_model, dtype=np.float64), np.arange(len(played))
    if model.ndim != 2 or len(model) != len(played) or max(played.max(), chosen.max()) >= model.shape[1]:
        raise ValueError(f"reward_model of shape {model.shape}: expected (n, K) with a column for every action")
    predicted = model[rows, chosen]
    corrected = predicted + weights * (brought - model[rows, played])
    return OffPolicyValue(
        estimates.ips,
        estimates.snips,
        estimates.effective_samples,
        direct=float(predicted.mean()),
        doubly_robust=float(corrected.mean()),
    )


class Recorded(Protocol):
    """What is read of a recorded episode, such as `coopgym.corpus.episodes.Episode`: T steps, N seats."""

    @property
    def observations(self) -> npt.NDArray[np.float32]:
        """``(T + 1, N, d)`` what seats saw before each step, and after the last."""

    @property
    def actions(self) -> FloatArray:
        """``(T, N)`` shares."""

    @property
    def logprobs(self) -> FloatArray:
        """``(T, N)`` of the shares; NaN where nothing was drawn, or nobody says."""

    @property
    def rewards(self) -> FloatArray:
        """``(T, N)`` in the run's reward mode."""


@dataclass(frozen=True, eq=False)
class LoggedRounds:
    """Rounds of one seat in recorded episodes, n in all, one after the other."""

    observations: FloatArray
    """``(n, d)`` what the seat saw before it chose."""
    actions: IntArray
    """``(n,)`` levels that it chose, as indices."""
    rewards: FloatArray
    """``(n,)`` in the run's reward mode."""
    propensities: FloatArray
    """``(n,)`` how likely each choice was."""


def logged_rounds(episodes: Iterable[Recorded], seat: int, levels: npt.ArrayLike) -> LoggedRounds:
    """Read what a seat that drew its shares from some levels did in recorded episodes, for `off_policy_value`.

    Args:
        episodes: such as those of an `EpisodeDataset`, all of one game and view.
        seat: whose rounds.
        levels: ``(K,)`` shares that it drew from.

    Raises:
        ValueError: no episodes; a seat that drew nothing, or does not say how likely it was; shares that are no levels,
            whose log-probability would be a density.
    """
    grid, chosen = np.asarray(levels, dtype=np.float64), list(episodes)
    if not chosen:
        raise ValueError("episodes: expected at least one")
    shares = np.concatenate([episode.actions[:, seat] for episode in chosen])
    logprobs = np.concatenate([episode.logprobs[:, seat] for episode in chosen])
    silent = int(np.isnan(logprobs).sum())
    if silent:
        raise ValueError(
            f"seat {seat}: {silent} of {len(logprobs)} recorded actions have no action_logprob, so nothing says what "
            "else could have been played; record an agent that draws its actions"
        )
    nearest = np.abs(shares[:, None] - grid).argmin(1)
    off = np.abs(shares - grid[nearest]) > SAME_SHARE
    if off.any():
        raise ValueError(
            f"seat {seat}: share {shares[off][0]:.6g} is none of the {len(grid)} levels; the log-probability of a "
            "share that is drawn from an interval is a density, by which nothing can be weighted here"
        )
    return LoggedRounds(
        np.concatenate([episode.observations[:-1, seat] for episode in chosen]).astype(np.float64),
        nearest,
        np.concatenate([episode.rewards[:, seat] for episode in chosen]),
        np.exp(logprobs),
    )
