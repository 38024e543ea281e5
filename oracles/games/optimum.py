"""Optima of normal-form games: the profile with the largest sum of utilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.adjustment import SMALL_GAME
from coopgym.oracles.games.equilibrium import SAME, find_equilibria
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray

JOINT_WIDTHS = (0.1, 0.03, 0.01)
"""Standard deviations of joint moves to begin with, in shares."""
JOINT_ROUNDS, JOINT_MOVES = 40, 128
"""Rounds of a search, and moves tried in a round."""
JOINT_GAIN = 1e-10
"""Gain in payoff units below which a joint move is no improvement."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best profile that a search over all seats found."""

    profile: FloatArray
    """``(N,)`` shares of endowment."""
    utilities: FloatArray
    """``(N,)`` what the seats get in the game's reward."""
    payoffs: FloatArray
    """``(N,)`` material payoffs."""
    residual: float
    """Largest distance, in shares, to what the same search would choose seat by seat."""
    agreement: float
    """Share of the starts that led to this profile, or to where joint moves took it from."""

    @property
    def value(self) -> float:
        """Mean utility per seat."""
        return float(self.utilities.mean())

    @property
    def welfare(self) -> float:
        """Mean material payoff per seat."""
        return float(self.payoffs.mean())

    @property
    def interior(self) -> bool:
        """Whether no seat is at 0 or at its endowment."""
        return bool(((self.profile > 0.0) & (self.profile < 1.0)).all())


class TeamGame(NormalForm):
    """A game in which blocks of seats move as one and all of them want the largest mean utility."""

    def __init__(self, form: NormalForm, blocks: tuple[tuple[int, ...], ...]) -> None:
        """Give the seats of another game to blocks that share one interest."""
        super().__init__(form.game, form.layer, form.state)
        self.form, self.blocks = form, blocks
        self.smooth = form.smooth
        self.groups = tuple((block,) for block in range(len(blocks)))
        self.norm = form.norm[[block[0] for block in blocks]]
        self._block_of = np.array(
            [next(b for b, block in enumerate(blocks) if seat in block) for seat in range(form.n_agents)]
        )

    @property
    def n_agents(self) -> int:
        return len(self.blocks)

    def expanded(self, shares: FloatArray) -> FloatArray:
        """Profiles ``(..., N)`` of the seats from shares ``(..., M)`` of the blocks."""
        return shares[..., self._block_of]

    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        means = [values.mean(-1)[..., None] for values in self.form.read(self.expanded(profiles), layers)]
        return [np.broadcast_to(mean, profiles.shape) for mean in means]


def welfare_optimum(form: NormalForm, starts: Sequence[npt.ArrayLike] | None = None) -> Optimum:
    """Return the profile with the largest sum of utilities in the game's reward; under `private` that is welfare.

    Exchangeable seats first move together, then, in small games, one by one, so that unequal optima are found too.

    Args:
        form: the game with what its seats care about.
        starts: profiles to begin with, each one share for all or one per seat.

    Raises:
        ValueError: no start leads to a profile from which no seat can raise the sum alone.
    """
    together = TeamGame(form, form.groups)
    first = None if starts is None else [np.broadcast_to(start, (form.n_agents,))[_heads(form)] for start in starts]
    found = find_equilibria(together, first)
    candidates = [(together.expanded(peak.profile), peak.residual, peak.basin) for peak in found.found]
    if len(form.groups) < form.n_agents <= SMALL_GAME:
        apart = TeamGame(form, tuple((seat,) for seat in range(form.n_agents)))
        scattered = find_equilibria(apart, None if form.smooth else [profile for profile, _, _ in candidates])
        candidates += [(peak.profile, peak.residual, peak.basin) for peak in scattered.found]
    if not candidates:
        raise ValueError(f"{form.game.id}: no optimum of the {form.layer.name} sum, {found.describe()}")
    totals = form.utilities(np.stack([profile for profile, _, _ in candidates])).sum(-1)
    best, residual, _ = candidates[int(totals.argmax())]
    agreement = max(basin for other, _, basin in candidates if np.abs(other - best).max() < SAME)
    joint = form.smooth and 1 < form.n_agents <= SMALL_GAME
    profile = _moved_jointly(form, best) if joint else best
    return Optimum(profile, form.utilities(profile), form.payoffs(profile), residual, agreement)


def _moved_jointly(form: NormalForm, profile: FloatArray) -> FloatArray:
    """Move all seats at once, by a cross-entropy search whose covariance learns which way a ridge runs.

    Where utilities have ridges (equal payoffs under inequity aversion, say) no seat can climb alone what several can.
    """
    rng, best, value = np.random.default_rng(0), profile, float(form.utilities(profile).sum())
    for width in JOINT_WIDTHS:
        mean: FloatArray = best
        spread: npt.NDArray[Any] = width * np.eye(form.n_agents)
        for _ in range(JOINT_ROUNDS):
            tried = np.clip(mean + rng.standard_normal((JOINT_MOVES, form.n_agents)) @ spread.T, 0.0, 1.0)
            totals = form.utilities(tried).sum(-1)
            elite = tried[np.argsort(-totals)[: JOINT_MOVES // 4]]
            if totals.max() > value + JOINT_GAIN * form.scale:
                best, value = tried[totals.argmax()], float(totals.max())
            mean = elite.mean(0)
            spread = np.linalg.cholesky(np.cov(elite.T) + 1e-18 * np.eye(form.n_agents))
    return best


def _heads(form: NormalForm) -> list[int]:
    return [group[0] for group in form.groups]
