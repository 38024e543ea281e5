"""Whether the threat to revert to a bad equilibrium for ever makes a joint plan an equilibrium path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.games.rollout import checked_state
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play import NOMINAL, Totals, open_loop, unroll
from coopgym.play.unroll import remaining_steps
from coopgym.rewards import RewardLayer, Rewards, objective
from coopgym.typing import FloatArray

LEVELS = 21
"""Deviations tried by default: every 5 % of endowment."""


@dataclass(frozen=True, eq=False)
class GrimEquilibrium:
    """What every seat gains at most by leaving a plan once, after which all play the reversion profile for ever.

    In a finite horizon deterrence wears off towards the end: the last steps leave nothing to lose.
    """

    reward: str
    gains: FloatArray
    """``(steps, N)`` largest gain of a seat in its undiscounted return by deviating in step t; negative if all lose."""
    deviations: FloatArray
    """``(steps, N)`` share of endowment at which that gain is made."""
    tolerance: float
    """Gain up to which a step counts as deterred."""

    @property
    def largest(self) -> FloatArray:
        """``(N,)`` each seat's largest gain over all steps."""
        best: FloatArray = self.gains.max(0)
        return best

    @property
    def deterred(self) -> npt.NDArray[np.bool_]:
        """``(steps, N)`` whether a seat is deterred in a step."""
        return self.gains <= self.tolerance

    @property
    def first_failures(self) -> tuple[int | None, ...]:
        """For each seat the first step in which it gains by deviating; None if it never does."""
        failures = ~self.deterred
        return tuple(int(column.argmax()) if column.any() else None for column in failures.T)

    @property
    def prefix(self) -> int:
        """Number of first steps in which every seat is deterred."""
        return min((step for step in self.first_failures if step is not None), default=len(self.gains))

    @property
    def holds(self) -> bool:
        """Whether the whole plan is deterred."""
        return self.prefix == len(self.gains)


def grim_equilibrium(
    game: AnyGame,
    plan: npt.ArrayLike,
    reversion: npt.ArrayLike,
    reward: str | RewardLayer = "private",
    state: State | None = None,
    *,
    levels: int = LEVELS,
    tolerance: float = 1e-6,
) -> GrimEquilibrium:
    """Test a plan against all deviations of one seat in one step, each answered by reversion to the horizon.

    The deviator reverts too, which is its best answer when the profile is an equilibrium in constant shares.

    Args:
        game: on the NumPy backend.
        plan: shares of endowment ``(steps, N)`` from the state to the horizon.
        reversion: ``(N,)`` shares that all play after a deviation, such as the private commitment equilibrium.
        reward: what the seats care about.
        state: a single state; None is the initial state with hidden draws at their medians.
        levels: deviations tried, evenly spaced on [0, 1].
        tolerance: gain, in the unit of the rewards, up to which a step counts as deterred.

    Raises:
        ValueError: shares that do not fit the game, fewer than two levels, or an unknown reward.
    """
    layer = objective(reward)
    layer.check(game)
    start = checked_state(game, state)
    shares = _checked("plan", plan, (remaining_steps(game, start), game.n_agents))
    punishment = _checked("reversion", reversion, (game.n_agents,))
    if levels < 2:
        raise ValueError(f"levels={levels!r}: expected at least 2, the two ends of [0, 1]")
    grid = np.linspace(0.0, 1.0, levels)
    states, ahead = _on_path(game, layer, start, shares)
    groups = groups_in_state(game, start, [layer])
    stand_ins = _stand_ins(groups, np.concatenate([shares, punishment[None]]))
    seen = {seat: _worth(game, layer, states, shares, punishment, seat, grid) for seat in sorted(set(stand_ins))}
    worth = np.stack([seen[seat] for seat in stand_ins], axis=1)
    chosen = worth.argmax(-1)
    gains = np.take_along_axis(worth, chosen[..., None], -1)[..., 0] - ahead
    return GrimEquilibrium(layer.name, gains, grid[chosen], tolerance)


def _checked(name: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not ((array >= 0.0) & (array <= 1.0)).all():
        raise ValueError(f"{name}: expected shares of endowment in [0, 1] of shape {shape}, got shape {array.shape}")
    return array


def _stand_ins(groups: tuple[tuple[int, ...], ...], played: FloatArray) -> list[int]:
    """For every seat one whose result is the same: the first of its group, if members of groups always play alike."""
    n_agents = played.shape[1]
    if any((played[:, group] != played[:, group[:1]]).any() for group in map(list, groups)):
        return list(range(n_agents))
    first = {seat: group[0] for group in groups for seat in group}
    return [first[seat] for seat in range(n_agents)]


def _on_path(game: AnyGame, layer: Rewards, start: State, shares: FloatArray) -> tuple[list[State], FloatArray]:
    """The states in which the plan's steps are played, until it ends, and returns from each step on ``(steps, N)``."""
    path = list(unroll(game, open_loop(game, shares), start=start, draws=NOMINAL, rewards=layer))
    rewards = np.zeros(shares.shape)
    rewards[: len(path)] = [step.rewards for step in path]
    ahead: FloatArray = rewards[::-1].cumsum(0)[::-1]
    return [step.before for step in path], ahead


def _worth(
    game: AnyGame,
    layer: Rewards,
    states: list[State],
    shares: FloatArray,
    punishment: FloatArray,
    seat: int,
    grid: FloatArray,
) -> FloatArray:
    """What a seat earns from step t on by deviating in it to each level, ``(steps, levels)``.

    Deviations of all steps are played side by side, each from the state it is made in. Once the plan itself has ended
    there is nothing to deviate from, and nothing to earn.
    """
    levels, left = len(grid), len(states)
    deviating = np.repeat(shares[:left], levels, axis=0)
    deviating[:, seat] = np.tile(grid, left)
    start = map_arrays(lambda *arrays: np.repeat(np.stack(arrays), levels, axis=0), *states)

    def grim(t: int, state: State) -> FloatArray:
        return (deviating if t == 0 else np.broadcast_to(punishment, deviating.shape)) * game.endowments

    totals = Totals.of(unroll(game, grim, start=start, draws=NOMINAL), [layer])
    worth = np.zeros((len(shares), levels))
    worth[:left] = totals.rewards[layer.name][:, seat].reshape(left, levels)
    return worth
