"""The ledger of a bandit's play: what it earned, what it could have earned, and what was promised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.oracles.bandits.learner import Instance
from coopgym.oracles.bandits.lower_bounds import lai_robbins
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class RegretLedger:
    """T rounds of R replicas of a learner on K arms. Regrets are in rewards, which are in [0, 1] a round.

    What the arms cannot show raises ValueError: expected regret needs means, external and swap regret the rewards of
    all arms in the rounds played, policy regret the same play under every arm held throughout.
    """

    learner: str
    horizon: int
    instance: Instance
    declared: float | None
    """What the learner declares of its expected regret; None where it declares nothing."""
    earned: FloatArray
    """``(R,)`` sum of rewards."""
    counts: FloatArray
    """``(R, K)`` rounds of each arm."""
    gaps: FloatArray | None
    """``(R, K)`` distance of each arm's mean from the best."""
    instead: FloatArray | None
    """``(R, K, K)`` in rounds that played one arm, what another would have brought; summed over rounds."""
    always: FloatArray | None
    """``(R, K)`` what each arm would have brought, had it always been played and others answered to it."""
    rounds: IntArray
    """``(C,)`` after which the curve is kept."""
    curve: FloatArray
    """``(C, R)`` expected regret until then, or external regret where arms have no means; NaN where none is known."""
    arms: IntArray | None = None
    """``(T, R)`` that were played, if they were to be kept."""
    rewards: FloatArray | None = None
    """``(T, R)`` likewise."""
    probabilities: FloatArray | None = None
    """``(T, R)`` of the arms that were played, likewise: what off-policy evaluation divides by."""

    @cached_property
    def best_fixed_arm(self) -> IntArray:
        """``(R,)`` arm that would have earned most in the rounds played, or that has the highest mean.

        Raises:
            ValueError: neither is known.
        """
        if self.instead is not None:
            return self._totals.argmax(1)
        return self._known(self.gaps, "the best arm", "means or the rewards of all arms").argmin(1)

    @property
    def expected_regret(self) -> FloatArray:
        """``(R,)`` Σ_a n(a) Δ(a): what play costs in the mean (pseudo-regret).

        Raises:
            ValueError: arms have no means.
        """
        gaps = self._known(self.gaps, "expected regret", "arms with means: stochastic ones")
        return (self.counts * gaps).sum(1)

    @property
    def external_regret(self) -> FloatArray:
        """``(R,)`` what the best fixed arm would have earned more in the rounds played, others playing as they did.

        Raises:
            ValueError: it is not known what other arms would have brought.
        """
        regret: FloatArray = self._totals.max(1) - self.earned
        return regret

    @property
    def swap_regret(self) -> FloatArray:
        """``(R,)`` what the best map from arms to arms would have earned more in the rounds played.

        Raises:
            ValueError: as `external_regret`.
        """
        table = self._known(self.instead, "swap regret", "what all arms would have brought in every round")
        kept = np.diagonal(table, axis1=1, axis2=2)
        regret: FloatArray = (table.max(2) - kept).sum(1)
        return regret

    @property
    def policy_regret(self) -> FloatArray:
        """``(R,)`` what the best arm, held from the beginning, would have earned more, others answering to it.

        Against reactive partners this is the regret that says how good play was: external regret can be small in poor
        play (Arora, Dekel & Tewari 2012).

        Raises:
            ValueError: play under other arms cannot be repeated.
        """
        always = self._known(self.always, "policy regret", "resimulate=True, and arms whose play can be repeated")
        return always.max(1) - self.earned

    @property
    def regret(self) -> FloatArray:
        """``(R,)`` what bounds speak of: expected regret where arms have means, else external regret.

        Raises:
            ValueError: neither is known.
        """
        return self.expected_regret if self.gaps is not None else self.external_regret

    @property
    def of_declared(self) -> float | None:
        """Mean regret over the declared bound; None where nothing is declared.

        Above 1 on stochastic arms is a bug; against partners who react it is information, as bounds do not hold there.
        """
        if self.declared is None:
            return None
        regret = float(self.regret.mean())
        # Where one arm is as good as another nothing is lost, and bounds may say so.
        return regret / self.declared if self.declared > 0.0 else (0.0 if regret <= 0.0 else math.inf)

    @property
    def of_lower_bound(self) -> float | None:
        """Mean regret over C ln T, what consistent learners cannot beat in the long run on coins; None without means.

        Rewards that vary less than coins allow less. On coins, far below 1 at long horizons means that the learner sees
        what it must not.
        """
        if self.instance.means is None or self.horizon < 2:
            return None
        least = lai_robbins(self.instance.means) * math.log(self.horizon)
        return float(self.expected_regret.mean()) / least if least > 0.0 else None

    @property
    def _totals(self) -> FloatArray:
        table = self._known(self.instead, "external regret", "what all arms would have brought in every round")
        totals: FloatArray = table.sum(1)
        return totals

    def _known(self, table: FloatArray | None, what: str, needed: str) -> FloatArray:
        if table is None:
            raise ValueError(f"{self.learner}: {what} cannot be told from this play; it takes {needed}")
        return table
