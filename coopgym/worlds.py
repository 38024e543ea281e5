"""Worlds: costs and synergy that a reset draws, that seats must find out, and that may change.

A world multiplies a seat's linear and quadratic cost by m_i and the weight of joint production by g. Payoffs, stocks,
observations and rewards stay what they are; the two factors are part of the state.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coopgym.backend import Array, Namespace, namespace_of, normal_cdf

FIXED = "fixed"
"""The world in which nothing is drawn: both factors are one, and no state holds them."""
SHIFT = 0.04
"""Probability with which everything is drawn anew before a step of a shifting world."""
_SHIFTS_ABOVE = 1.7506860712521692
"""Standard normal numbers exceed this with probability `SHIFT`."""
TEST_SEEDS = range(1_618_000_000, 1_618_000_256)
"""Seeds of the 256 draws that scores are made of. Nobody trains on them."""


def scored_draws(replicate: int, count: int) -> range:
    """Return the test seeds that a replicate of a study is scored on: the next ``count`` of them, from the first again.

    Replicates that follow each other meet different draws, as long as there are any, and every agent the same.

    Args:
        replicate: its number.
        count: draws of each replicate.

    Raises:
        ValueError: there are fewer, or none is asked for.

    >>> [scored_draws(replicate, 100)[0] - TEST_SEEDS[0] for replicate in range(3)]
    [0, 100, 0]
    """
    if not 1 <= count <= len(TEST_SEEDS):
        raise ValueError(f"{count} episodes: expected 1 to {len(TEST_SEEDS)}, as many as worlds have test draws")
    first = replicate % (len(TEST_SEEDS) // count) * count
    return TEST_SEEDS[first : first + count]


@dataclass(frozen=True)
class World:
    """How factors are drawn, and who sees them."""

    name: str
    summary: str
    """What players are told of it."""
    private: bool
    """Whether each seat has a cost factor of its own, which it sees."""
    shifts: bool
    """Whether everything may be drawn anew before a step."""

    def reset_uniforms(self, n_agents: int) -> int:
        """Uniform numbers that one draw of the factors takes: the costs, then the synergy."""
        return (n_agents if self.private else 1) + 1

    def step_normals(self, n_agents: int) -> int:
        """Standard normal numbers that one step takes: whether the world shifts, then what it shifts to."""
        return 1 + self.reset_uniforms(n_agents) if self.shifts else 0

    def factors(
        self, uniforms: Array, n_agents: int, spread: float, xp: Namespace | None = None
    ) -> tuple[Array, Array]:
        """Return cost factors m ``(..., N)`` and the synergy factor g ``(...)``.

        ln m and ln g are uniform on [-ln s, ln s].

        Args:
            uniforms: ``(..., reset_uniforms)`` in [0, 1].
            n_agents: N.
            spread: s > 1.
        """
        xp = xp or namespace_of(uniforms)
        factors = xp.exp(math.log(spread) * (2.0 * uniforms - 1.0))
        costs = xp.broadcast_to(factors[..., :-1], (*factors.shape[:-1], n_agents))
        return costs, factors[..., -1]

    def shifted(
        self, cost: Array, synergy: Array, normals: Array, spread: float, xp: Namespace | None = None
    ) -> tuple[Array, Array]:
        """Return the factors of the next step, which with probability `SHIFT` are new.

        Args:
            cost: ``(..., N)`` of this step.
            synergy: ``(...)`` of this step.
            normals: ``(..., step_normals)``.
            spread: s.
        """
        xp = xp or namespace_of(cost)
        shifts = normals[..., 0] > _SHIFTS_ABOVE
        # Few rows shift. Only NumPy may ask which: on a device the answer would have to be waited for.
        drawn = normals[shifts] if xp is np else normals
        new_cost, new_synergy = self.factors(normal_cdf(drawn[..., 1:], xp), cost.shape[-1], spread, xp)
        if xp is not np:
            return xp.where(shifts[..., None], new_cost, cost), xp.where(shifts, new_synergy, synergy)
        cost, synergy = np.array(cost), np.array(synergy)
        cost[shifts], synergy[shifts] = new_cost, new_synergy
        return cost, synergy


def factor_share(factor: Array, spread: float, xp: Namespace | None = None) -> Array:
    """Return where a factor lies in its range, (ln m / ln s + 1) / 2 in [0, 1]: how observations show it.

    Factors that a reset option sets outside the range are shown at its ends.
    """
    xp = xp or namespace_of(factor)
    share = 0.5 * (xp.log(factor) / math.log(spread) + 1.0)
    return xp.minimum(xp.maximum(share, 0.0), 1.0)


def factor_of_share(share: Array, spread: float) -> Array:
    """Return the factor s^(2 share - 1) that stands there in its range: `factor_share` the other way round."""
    factor: Array = spread ** (2.0 * share - 1.0)
    return factor


_TOLD = "what you earned in the last step is what you can tell"
WORLDS: Mapping[str, World] = {
    world.name: world
    for world in (
        World(
            "common",
            "What cooperation costs and what working together yields differ from episode to episode, by the same two "
            f"factors for everybody. Nobody is told the factors; {_TOLD} them from.",
            private=False,
            shifts=False,
        ),
        World(
            "private",
            "What cooperation costs differs from episode to episode and from player to player, and what working "
            "together yields differs from episode to episode. You are told your own cost factor, nobody else's, and "
            f"not the factor of joint work; {_TOLD} that from.",
            private=True,
            shifts=False,
        ),
        World(
            "shifting",
            "What cooperation costs differs from player to player, and it changes now and then, together with what "
            "working together yields, without notice. You are told your own cost factor, nobody else's, and not the "
            f"factor of joint work; {_TOLD} that from.",
            private=True,
            shifts=True,
        ),
    )
}
"""The worlds in which something is drawn."""


def check_world(name: str) -> None:
    """Refuse a world that does not exist.

    Raises:
        ValueError: it is none of them; the message names the nearest and lists them all.
    """
    known = (FIXED, *WORLDS)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"world={name!r}: {hint}expected one of {', '.join(known)}")
