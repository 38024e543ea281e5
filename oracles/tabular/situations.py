"""What one seat of a game goes by, in a few words: how much it is trusted, what its partners did, how late it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Seat
from coopgym.typing import FloatArray

PARTNER = ("below", "at", "above")
BAND = 0.1
"""Share of endowment around the baseline that counts as at it: levels of seven are 0.17 apart."""
_TRUST = {3: ("low", "middle", "high"), 5: ("very low", "low", "middle", "high", "very high")}
_TIME = {3: ("early", "midway", "late"), 4: ("early", "before the middle", "after the middle", "late")}


@dataclass(frozen=True)
class Situations:
    """Bins of trust received, of what partners played last against their baseline, and of time.

    Attributes:
        trust_edges: ascending bounds between the bins of trust.
        times: bins of equal length.

    >>> bins = Situations((0.2, 0.4, 0.6, 0.8), times=4)
    >>> bins.count, bins.words(bins.index(np.array(0.1), np.array(0.5), 0.25, 0, 100))
    (60, 'trust very low, partner above baseline, early')
    """

    trust_edges: tuple[float, ...]
    times: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bins of trust, partner and time."""
        return len(self.trust_edges) + 1, len(PARTNER), self.times

    @property
    def count(self) -> int:
        """How many situations there are."""
        return int(np.prod(self.shape))

    def index(
        self, trust: FloatArray, partner: FloatArray, norm: float, t: npt.ArrayLike, horizon: int
    ) -> npt.NDArray[np.int64]:
        """Return the situations ``(...)``.

        Args:
            trust: ``(...)`` that the partners have in the seat.
            partner: ``(...)`` their mean share of endowment in the step before; 0 before the first.
            norm: their baseline as a share.
            t: steps before.
            horizon: steps of an episode.
        """
        above = partner - norm
        side = (above > -BAND).astype(np.int64) + (above > BAND)
        part = np.minimum(np.asarray(t) * self.times // horizon, self.times - 1)
        return (np.digitize(trust, self.trust_edges) * len(PARTNER) + side) * self.times + part

    def seen(self, seat: Seat, observation: FloatArray, t: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the situations ``(E,)`` of a seat that observes ``(E, obs_dim)`` after t steps."""
        trust, partner = told_by(seat, observation)
        return self.index(trust, partner, seat.partners_norm, t, seat.game.horizon)

    def parts(self, situation: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], ...]:
        """Return the bins of trust, partner and time ``(...)`` of situations ``(...)``."""
        return tuple(np.asarray(each) for each in np.unravel_index(np.asarray(situation), self.shape))

    def words(self, situation: npt.ArrayLike) -> str:
        """Say what one situation is."""
        trust, partner, time = (int(each) for each in self.parts(situation))
        levels, _, times = self.shape
        how = _TRUST[levels][trust] if levels in _TRUST else f"in bin {trust + 1} of {levels}"
        when = _TIME[times][time] if times in _TIME else f"part {time + 1} of {times}"
        return f"trust {how}, partner {PARTNER[partner]} baseline, {when}"

    def trust_range(self, situation: int) -> tuple[float, float]:
        """Return the bounds of trust in a situation."""
        bounds = (0.0, *self.trust_edges, 1.0)
        trust = int(self.parts(situation)[0])
        return bounds[trust], bounds[trust + 1]


def told_by(seat: Seat, observation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return trust received and the partners' mean share ``(E,)`` in what a seat observes ``(E, obs_dim)``."""
    return seat.trust_received(observation), seat.partners_cooperation(observation).mean(-1)
