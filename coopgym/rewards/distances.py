"""How far apart reward functions are, in what they ask for rather than in what they pay.

STARC (Skalse et al. 2023, arXiv:2309.15257) compares rewards after taking away what no policy can tell: potentials,
scale, and how an expected reward is spread over next states. EPIC (Gleave et al. 2020, arXiv:2006.13900) and DARD
(Wulfe et al. 2022, arXiv:2201.10081) stand beside it for comparison. All of it is exact and takes batches ``...``.
"""

from __future__ import annotations

import numpy as np

from coopgym.typing import FloatArray

NOTHING = 1e-12
"""A canonical reward smaller than this part of the reward itself is rounding: the reward asks for nothing."""
FURTHEST = 2.0
"""The largest distance, that of opposites."""


def canonical_reward(reward: FloatArray, transition: FloatArray, gamma: float) -> FloatArray:
    """Return E[R(s, a, S') - V(s) + γ V(S')] ``(..., S, A)``, V the values of uniform actions.

    Value-adjusted levelling: Skalse et al. (2023), Proposition 1. Its mean over actions is 0 in every state.

    Args:
        reward: ``(..., S, A, S)`` of a state, an action and the next state.
        transition: ``(..., S, A, S)`` probabilities of the next state.
        gamma: discount, below 1.

    >>> moves = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])  # an action is where to go
    >>> home = np.zeros((2, 2, 2)); home[:, :, 0] = 1.0
    >>> canonical_reward(home, moves, 0.9)
    array([[ 0.5, -0.5],
           [ 0.5, -0.5]])
    """
    expected = (transition * reward).sum(-1)
    values = _uniform_values(expected, transition, gamma)
    return expected - values[..., None] + gamma * (transition @ values[..., None, :, None])[..., 0]


def _uniform_values(expected: FloatArray, transition: FloatArray, gamma: float) -> FloatArray:
    """Values ``(..., S)`` of uniform actions under expected rewards ``(..., S, A)``."""
    moves = transition.mean(-2)
    system = np.eye(moves.shape[-1]) - gamma * moves
    values: FloatArray = np.linalg.solve(system, expected.mean(-1)[..., None])[..., 0]
    return values


def starc_distance(
    first: FloatArray, second: FloatArray, transition: FloatArray, gamma: float, weights: FloatArray | None = None
) -> FloatArray:
    """Return the STARC distance ``(...)`` of two rewards, in [0, 2].

    It is 0 for rewards that order policies alike, and 2 for opposite ones.

    Args:
        first: ``(..., S, A, S)``, likewise ``second``.
        transition: ``(..., S, A, S)`` probabilities of the next state.
        gamma: discount, below 1.
        weights: ``(..., S, A)`` of the norm; None for equal ones.

    >>> moves = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> home, potential = np.zeros((2, 2, 2)), np.array([3.0, -1.0])
    >>> home[:, :, 0] = 1.0
    >>> shaped = 5.0 * home + 0.9 * potential - potential[:, None, None]
    >>> starc_distance(home, np.stack([shaped, -home]), moves, 0.9).round(9)
    array([0., 2.])
    """
    canonical = [_standardised(each, transition, gamma, weights) for each in (first, second)]
    difference = canonical[0] - canonical[1]
    return np.asarray(np.sqrt((difference**2).sum((-2, -1))))[()]


def _standardised(reward: FloatArray, transition: FloatArray, gamma: float, weights: FloatArray | None) -> FloatArray:
    """A canonical reward ``(..., S, A)`` of norm 1, or 0, in coordinates where all of them weigh alike."""
    canonical = canonical_reward(reward, transition, gamma)
    scale = np.abs(reward).max((-3, -2, -1))
    return unit(canonical if weights is None else canonical * np.sqrt(weights), scale, 2)


def unit(values: FloatArray, scale: FloatArray, dimensions: int) -> FloatArray:
    """Return values of norm 1 over their last dimensions; 0 where they are nothing beside a scale ``(...)``."""
    axes = tuple(range(-dimensions, 0))
    norm = np.sqrt((values**2).sum(axes, keepdims=True))
    asks = norm > NOTHING * np.expand_dims(np.asarray(scale), axes)
    return np.divide(values, norm, out=np.zeros_like(values), where=asks)


def stage_distance(first: FloatArray, second: FloatArray, players: int = 2) -> FloatArray:
    """Return the STARC distance ``(...)`` of two payoff tables of a game of one step.

    With a single state the canonical reward is the table less its mean, so that the distance is √(2 - 2ρ), ρ the
    correlation over joint actions.

    Args:
        first: ``(..., A_1, ..., A_N)`` what one seat earns by joint action, likewise ``second``.
        players: N, the last dimensions.

    >>> own, others = np.array([[3.0, 0.0], [5.0, 1.0]]), np.array([[3.0, 5.0], [0.0, 1.0]])  # a prisoner's dilemma
    >>> stage_distance(np.stack([others, own + others]), own).round(2)  # far from the other's payoff, nearer to the sum
    array([1.84, 1.1 ])
    """
    axes = tuple(range(-players, 0))
    centred = [
        unit(table - table.mean(axes, keepdims=True), np.abs(table).max(axes), players) for table in (first, second)
    ]
    return np.asarray(np.sqrt(((centred[0] - centred[1]) ** 2).sum(axes)))[()]


def epic_distance(first: FloatArray, second: FloatArray, gamma: float) -> FloatArray:
    """Return the EPIC distance ``(...)`` of two rewards ``(..., S, A, S)``, in [0, 1], under uniform coverage.

    It knows no transitions, so that what could never happen counts as much as what does.

    >>> moves = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> home, elsewhere = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    >>> home[:, :, 0] = 1.0
    >>> elsewhere[:, 0, 1] = -7.0  # what never happens: action 0 leads to state 0
    >>> print(epic_distance(home, home + elsewhere, 0.9).round(2), starc_distance(home, home + elsewhere, moves, 0.9))
    0.4 0.0
    """
    return _pearson_distance(_epic_canonical(first, gamma), _epic_canonical(second, gamma), None)


def _epic_canonical(reward: FloatArray, gamma: float) -> FloatArray:
    """R(s, a, s') + E[γ R(s', A, S') - R(s, A, S') - γ R(S, A, S')], all capitals uniform."""
    onwards = reward.mean((-2, -1))
    overall = onwards.mean(-1)
    return (
        reward
        + gamma * onwards[..., None, None, :]
        - onwards[..., :, None, None]
        - gamma * overall[..., None, None, None]
    )


def dard_distance(first: FloatArray, second: FloatArray, transition: FloatArray, gamma: float) -> FloatArray:
    """Return the DARD ``(...)`` of two rewards ``(..., S, A, S)``, in [0, 1]: uniform actions, transitions as they are.

    It also asks what would follow s' had the step led elsewhere, and so may count transitions that never happen.

    >>> moves = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> home = np.zeros((2, 2, 2))
    >>> home[:, :, 0] = 1.0
    >>> print(dard_distance(home, -home, moves, 0.9).round(9))
    1.0
    """
    weights = transition / np.prod(transition.shape[-3:-1])
    canonical = [_dard_canonical(each, transition, gamma) for each in (first, second)]
    return _pearson_distance(canonical[0], canonical[1], weights)


def _dard_canonical(reward: FloatArray, transition: FloatArray, gamma: float) -> FloatArray:
    """R(s, a, s') + E[γ R(s', A, S'') - R(s, A, S') - γ R(S', A, S'')], S' follows s, and S'' follows s'."""
    moves = transition.mean(-2)
    paid = (transition * reward).sum(-1).mean(-1)
    # E R(s_1, A, S'') for S'' that follows s_2 under the same action, and then s_1 as one that follows s.
    crossed = np.einsum("...uat,...vat->...uv", reward, transition) / reward.shape[-2]
    elsewhere = moves @ crossed
    return reward + gamma * paid[..., None, None, :] - paid[..., :, None, None] - gamma * elsewhere[..., :, None, :]


def _pearson_distance(first: FloatArray, second: FloatArray, weights: FloatArray | None) -> FloatArray:
    """√((1 - ρ) / 2), ρ the correlation under weights over the last three dimensions."""
    covered = np.full(first.shape[-3:], 1.0 / np.prod(first.shape[-3:])) if weights is None else weights
    axes = (-3, -2, -1)
    standard = []
    for each in (first, second):
        centred = each - (covered * each).sum(axes, keepdims=True)
        standard.append(unit(centred * np.sqrt(covered), np.abs(each).max(axes), 3))
    return np.asarray(0.5 * np.sqrt(((standard[0] - standard[1]) ** 2).sum(axes)))[()]
