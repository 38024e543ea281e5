"""The recursion of the App Store as a policy in the registered game, which keeps trust itself."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.reciprocity.engine import PlatformParameters, Recursion
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.mechanisms.reciprocity import reciprocity_effects, remember, remembered, response, susceptibility
from coopgym.typing import FloatArray


class Answering:
    """Everybody answers the others' last conduct with the trust that the game holds; shocks are those of the case."""

    def __init__(self, parameters: PlatformParameters, game: AnyGame) -> None:
        """Begin at the first actions of the case."""
        own, n = parameters.game, game.n_agents
        self._parameters, self._endowments = parameters, game.spec.endowments
        self._susceptible = susceptibility(game.spec.interdependence, own.lambda_R, own.rho_0, own.eta, own.omega)
        self._noise, self._shocks = Recursion(parameters).draws(), parameters.shock_table()
        self._shares = np.array(parameters.initial_actions)
        self._baseline = np.full(n, parameters.initial_baseline)
        self._recent = np.full((parameters.window, n), parameters.initial_baseline)
        self._step = 0

    def __call__(self, t: int, state: State) -> FloatArray:
        """Return the next joint action, endowment units; steps are counted over all phases."""
        if self._step:
            self._shares = self._answered(state.trust)
        self._shares = np.clip(self._shares + self._shocks[self._step], 0.0, 1.0)
        self._step += 1
        return self._shares * self._endowments

    def _answered(self, trust: FloatArray) -> FloatArray:
        p, shares = self._parameters, self._shares
        answers = response(shares - remembered(self._recent), p.game.kappa)
        push = p.pace * reciprocity_effects(trust, self._susceptible, answers).sum(-1)
        push = push - p.return_rate * (shares - self._baseline)
        self._baseline = self._baseline + p.adaptation * (shares - self._baseline)
        self._recent = remember(self._recent, shares)
        return np.clip(shares + push + self._noise[self._step - 1], 0.0, 1.0)
