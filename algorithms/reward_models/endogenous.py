"""The reward inside a policy: logits of a softmax policy are a soft Q function (Li et al. 2025, arXiv:2506.23235).

With V(s) = α ln Σ_a exp(Q(s, a) / α), inverting the soft Bellman equation gives r(s, a) = Q(s, a) - γ V(s'), which is
α ln π(a | s) shaped by the potential V. Logits say nothing about a number added to all of a state's, and that moves r
by a potential too: as far as rewards order policies, r is α ln π. `clone` fits a softmax policy to any behaviour, of
which only what was seen and done need be known.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch

from coopgym.agents.base import Strategy
from coopgym.backend import Array, Backend, namespace_of
from coopgym.games.step import Step
from coopgym.rewards import RewardMode
from coopgym.typing import FloatArray, IntArray

LEVELS = 21
"""Actions of a clone: shares of endowment 0, 0.05, ..., 1."""


@dataclass(frozen=True, eq=False)
class EndogenousReward:
    """What the steps of an episode were worth to a policy that took them."""

    reward: FloatArray
    """``(..., T)`` α ln π(a_t | s_t) + V(s_t) - γ V(s_{t+1}), V = 0 after the end."""
    log_prob: FloatArray
    """``(..., T)`` ln π(a_t | s_t)."""
    value: FloatArray
    """``(..., T + 1)`` V(s_t), and 0."""


def endogenous_reward(
    logits: npt.ArrayLike, actions: npt.ArrayLike, alpha: float = 1.0, gamma: float = 1.0
) -> EndogenousReward:
    """Return the reward that a softmax policy maximises, for the steps of an episode or the tokens of a text.

    Undiscounted, an episode comes to α ln π(τ) + V(s_0). A model that gives log-probabilities and no logits has V = 0
    under α = 1, which is the same reward up to a potential.

    Args:
        logits: ``(..., T, A)`` Q of the policy at every step, of a vocabulary at every token.
        actions: ``(..., T)`` what was taken, as indices.
        alpha: temperature α.
        gamma: discount.

    Raises:
        ValueError: a temperature that is not positive.

    >>> found = endogenous_reward([[0.0, np.log(3.0)], [0.0, 0.0]], actions=[1, 0])
    >>> found.log_prob.round(3), found.value.round(3), found.reward.round(3)
    (array([-0.288, -0.693]), array([1.386, 0.693, 0.   ]), array([0.405, 0.   ]))
    """
    if not alpha > 0.0:
        raise ValueError(f"alpha={alpha!r}: expected a positive number")
    quality, taken = np.asarray(logits, dtype=np.float64), np.asarray(actions, dtype=np.int64)
    value: FloatArray = soft_value(quality, alpha)
    chosen = np.take_along_axis(quality, taken[..., None], axis=-1)[..., 0]
    after = np.concatenate([value, np.zeros_like(value[..., :1])], axis=-1)
    return EndogenousReward(chosen - gamma * after[..., 1:], (chosen - value) / alpha, after)


def soft_value(logits: Array, alpha: float = 1.0) -> Array:
    """Return α ln Σ_a exp(Q(s, a) / α) of Q ``(..., A)``, on any backend."""
    xp = namespace_of(logits)
    highest = xp.max(logits, axis=-1, keepdims=True)
    return highest[..., 0] + alpha * xp.log(xp.sum(xp.exp((logits - highest) / alpha), axis=-1))


@dataclass(frozen=True)
class Cloning:
    """How a behaviour is cloned: a small network whose logits are polynomials of the share that is played.

    Attributes:
        levels: of the action grid.
        degree: of the polynomials; ``levels - 1`` leaves every level on its own. A low degree says what levels that
            were never played are worth by those that were.
        hidden: units.
        updates: of Adam on all steps at once.
        learning_rate: its step size.
        decay: of weights and coefficients, without which levels never played would be infinitely bad.
        seed: of initial weights.
    """

    levels: int = LEVELS
    degree: int = 2
    hidden: int = 16
    updates: int = 400
    learning_rate: float = 0.02
    decay: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.degree < self.levels:
            raise ValueError(f"degree={self.degree}: expected at least 1 and less than levels={self.levels}")


@dataclass(frozen=True, eq=False)
class Clones:
    """Softmax policies on a grid of shares, one per seat, as stacks of weights over N seats."""

    centre: Array
    """``(N, D)`` means of observations, and their scales."""
    scale: Array
    inner: Array
    """``(N, D + 1, H)`` weights into the hidden layer, biases last, and ``(N, H + 1, K)`` out of it."""
    outer: Array
    basis: Array
    """``(K, A)`` polynomials on the grid."""

    @property
    def levels(self) -> int:
        """A, shares on the grid."""
        return int(self.basis.shape[-1])

    def on(self, backend: Backend) -> Clones:
        """Return the same policies on a backend."""
        centre, scale, inner, outer, basis = (backend.array(getattr(self, each.name)) for each in fields(self))
        return Clones(centre, scale, inner, outer, basis)

    def logits(self, observations: Array) -> Array:
        """Return logits ``(..., N, A)`` at what every seat observes, ``(..., N, D)``."""
        seen = (observations - self.centre) / self.scale
        hidden = namespace_of(observations).tanh(_layer(seen, self.inner))
        return _layer(hidden, self.outer) @ self.basis

    def log_probabilities(self, observations: Array) -> Array:
        """Return ln π ``(..., N, A)`` at what every seat observes, ``(..., N, D)``."""
        logits = self.logits(observations)
        return logits - soft_value(logits)[..., None]


def _layer(values: Array, weights: Array) -> Array:
    """Every seat's values ``(..., N, D)`` through its own weights ``(N, D + 1, H)``."""
    return (values[..., None, :] @ weights[..., :-1, :])[..., 0, :] + weights[..., -1, :]


def clone(observations: FloatArray, shares: FloatArray, settings: Cloning | None = None) -> Clones:
    """Return softmax policies under which what seats did is most likely (behaviour cloning).

    Args:
        observations: ``(S, N, D)`` what every seat saw at each of S steps.
        shares: ``(S, N)`` what it then played, as shares of its endowment.
        settings: of the fit; None for the usual ones.

    Raises:
        ValueError: no steps.

    >>> seen = np.linspace(0.0, 1.0, 200)[:, None, None]
    >>> copied = clone(seen, seen[..., 0])  # plays what it sees
    >>> bool(abs(copied.logits(np.array([[[0.25]]])).argmax() / 20 - 0.25) <= 0.1)
    True
    """
    given = settings or Cloning()
    if not len(shares):
        raise ValueError("no steps to clone")
    centre, scale = observations.mean(0), observations.std(0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    basis = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, given.levels), given.degree).T[1:]
    seats, size = observations.shape[1:]
    generator = torch.Generator().manual_seed(given.seed)
    inner = torch.randn(seats, size + 1, given.hidden, generator=generator, dtype=torch.float64) / np.sqrt(size + 1)
    outer = torch.zeros(seats, given.hidden + 1, len(basis), dtype=torch.float64)
    weights = [inner.requires_grad_(), outer.requires_grad_()]
    learnt = Clones(torch.as_tensor(centre), torch.as_tensor(scale), inner, outer, torch.as_tensor(basis))
    seen = torch.as_tensor(observations, dtype=torch.float64)
    played = torch.as_tensor(nearest_level(shares, given.levels))
    optimiser = torch.optim.Adam(weights, lr=given.learning_rate)
    for _ in range(given.updates):
        likelihood = learnt.log_probabilities(seen).gather(-1, played[..., None]).mean(0).sum()
        penalty = sum((each**2).sum() for each in weights)
        optimiser.zero_grad()
        (given.decay * penalty - likelihood).backward()
        optimiser.step()
    return Clones(centre, scale, inner.detach().numpy(), outer.detach().numpy(), basis)


def nearest_level(shares: npt.ArrayLike, levels: int) -> IntArray:
    """Return the indices of the levels that are nearest to shares."""
    return np.rint(np.asarray(shares) * (levels - 1)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Endogenous(RewardMode):
    """Every seat is rewarded with what its clone maximises, α = 1, shares taken to the nearest level.

    Attributes:
        clones: the policies whose reward it is.
        gamma: discount, which should be the learner's.

    >>> from coopgym import make_game, play
    >>> game, seen = make_game("TrustDilemma-v1"), np.random.default_rng(0).random((50, 2, 1))
    >>> size = game.observe(game.initial_state(), "own").shape[-1]
    >>> generous = clone(np.repeat(seen, size, axis=-1), np.full((50, 2), 0.9))
    >>> plays = play.open_loop(game, [np.array([0.9, 0.2])])
    >>> own, other = Endogenous(generous)(next(play.unroll(game, plays, draws=play.NOMINAL)))
    >>> bool(own > other)
    True
    """

    name = "endogenous"
    clones: Clones
    gamma: float = 0.99

    def __call__(self, step: Step) -> Array:
        game, clones = step.game, self.clones.on(step.game.backend)
        before, after = (clones.logits(game.observe(each, "own")) for each in (step.before, step.transition.state))
        grid = game.backend.integers(np.arange(clones.levels))
        taken = game.xp.round(step.actions / game.backend.array(game.spec.endowments) * (clones.levels - 1))
        quality = game.xp.sum(before * (grid == taken[..., None]), axis=-1)
        return quality - self.gamma * soft_value(after) * ~step.ended[..., None]


class CloneAgent(Strategy):
    """Plays as the clone of its seat: a share of the grid, drawn, or the most likely one."""

    def __init__(self, clones: Clones, greedy: bool = False) -> None:
        self._clones, self.greedy = clones, greedy

    def cooperate(self, observation: FloatArray) -> FloatArray:
        everywhere = np.repeat(observation[:, None], len(self._clones.centre), axis=1)
        likely = self._clones.log_probabilities(everywhere)[:, self.seat.index]
        highest = self._clones.levels - 1
        if self.greedy:
            return np.asarray(likely.argmax(-1) / highest)
        drawn = (np.exp(likely).cumsum(-1) < self.draws.random()[:, None]).sum(-1)
        return np.asarray(np.minimum(drawn, highest) / highest)
