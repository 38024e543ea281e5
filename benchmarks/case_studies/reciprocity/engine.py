"""A platform and its developers answer each other's conduct: the recursion of the App Store (TR-4 Eq. 19-25, 44)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from coopgym.backend import NUMPY
from coopgym.benchmarks.study.schema import Strict
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.mechanisms.reciprocity import reciprocity_effects, remember, remembered, response, susceptibility
from coopgym.mechanisms.trust import TrustRates, update_uncapped
from coopgym.typing import FloatArray

MemoryRule = Literal["exponential", "window"]
"""What conduct is compared with: a baseline that adapts, as released, or the mean of the last actions, as written."""

Triple = tuple[float, float, float]
VARIED = ("rho_0", "eta", "kappa", "lambda_R", "omega")
"""Parameters that are moved by a tenth, one at a time."""
_TENTH = 0.1


class Shock(Strict):
    """What an event does to actions."""

    step: int
    by: Triple


class GameReciprocity(Strict):
    """Reciprocity of the registered game, for conduct in shares of endowment."""

    rho_0: float
    eta: float
    kappa: float
    lambda_R: float
    omega: float


class PlatformParameters(Strict):
    """What a case file says of the platform; actions are shares."""

    dependence: tuple[Triple, Triple, Triple]
    initial_trust: tuple[Triple, Triple, Triple]
    initial_actions: Triple
    initial_baseline: float
    steps: int
    boundaries: tuple[int, ...]
    rho_0: float
    eta: float
    kappa: float
    window: int
    lambda_R: float
    omega: float
    lambda_plus: float
    lambda_minus: float
    psi: float
    mu_R: float
    delta_R: float
    trust_limit: float
    scar: float
    """Part of trust that full damage rules out."""
    pace: float
    return_rate: float
    adaptation: float
    noise: float
    seed: int
    shocks: tuple[Shock, ...]
    earlier_concession: tuple[Shock, ...]
    """What might have happened instead, had Apple given way in 2019."""
    game: GameReciprocity
    targets: tuple[Triple, ...]
    reference_steps: tuple[int, ...]
    reference_points: tuple[tuple[float, ...], ...]

    def shock_table(self) -> FloatArray:
        """What shocks add to actions, ``(steps + 1, 3)``."""
        table = np.zeros((self.steps + 1, len(self.initial_actions)))
        for shock in self.shocks:
            table[shock.step] = shock.by
        return table

    def reference_path(self) -> FloatArray:
        """The reference points, joined by straight lines, ``(steps + 1, 3)``."""
        steps = np.arange(self.steps + 1)
        return np.stack([np.interp(steps, self.reference_steps, points) for points in self.reference_points], axis=-1)


class Window(NamedTuple):
    """Which steps count as a phase."""

    first: int
    """From where changes are measured."""
    last: int
    """To where changes are measured."""
    begin: int
    end: int
    """Means are taken over ``[begin, end)``."""


def inclusive_windows(boundaries: tuple[int, ...]) -> tuple[Window, ...]:
    """Return phases that each include the first step of the next one, the last the state after it."""
    return tuple(Window(begin, end, begin, end + 1) for begin, end in pairwise(boundaries))


def half_open_windows(boundaries: tuple[int, ...]) -> tuple[Window, ...]:
    """Return phases ``[begin, end)``, in which change is measured from the last step before."""
    return tuple(Window(max(begin - 1, 0), end - 1, begin, end) for begin, end in pairwise(boundaries))


Windows = Callable[[tuple[int, ...]], tuple[Window, ...]]
"""Phases from the steps between them."""


def disjoint_windows(boundaries: tuple[int, ...]) -> tuple[Window, ...]:
    """Return phases ``[begin, end)``, in which change is measured from the first step to the last."""
    return tuple(Window(begin, end - 1, begin, end) for begin, end in pairwise(boundaries))


@dataclass(frozen=True)
class PlatformPath:
    """What platform and developers did, and what moved them."""

    model: Recursion
    noise: FloatArray | None
    """``(..., steps, 3)``; None where actions were given and nothing moves them."""
    actions: FloatArray
    """``(..., steps + 1, 3)`` shares, after shocks; the last are those that the last step leads to."""
    trust: FloatArray
    """``(..., steps + 1, 3, 3)`` before each step and after the last."""
    damage: FloatArray
    """``(..., steps + 1, 3, 3)`` before each step and after the last."""
    effects: FloatArray
    """``(..., steps + 1, 3, 3)`` push of j's conduct on i."""

    @property
    def parameters(self) -> PlatformParameters:
        """The parameters in force."""
        return self.model.parameters

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The phases as the rubric has them."""
        return self.model.windows(self.parameters.boundaries)

    @cached_property
    def short_memory(self) -> FloatArray:
        """The actions ``(..., steps + 1, 3)`` of those who remember a single step, with the same noise."""
        return self._otherwise(window=1)

    @cached_property
    def varied(self) -> FloatArray:
        """The actions ``(..., 10, steps + 1, 3)`` with each of five parameters moved by a tenth down and up."""
        return np.stack(
            [
                self._otherwise(**{name: getattr(self.parameters, name) * factor})
                for name in VARIED
                for factor in (1.0 - _TENTH, 1.0 + _TENTH)
            ],
            axis=-3,
        )

    def _otherwise(self, **values: float) -> FloatArray:
        return self.actions if self.noise is None else self.model.changed(**values).run(self.noise).actions


class Conduct(NamedTuple):
    """What everybody does, shares ``(..., 3)``, and what it is compared with."""

    actions: FloatArray
    baseline: FloatArray
    """``(..., 3)``; it adapts."""
    recent: FloatArray
    """``(..., window, 3)`` the last actions."""

    @classmethod
    def at_first(cls, p: PlatformParameters, batch: tuple[int, ...] = ()) -> Conduct:
        """Return conduct before the first step."""
        return cls(
            np.broadcast_to(np.array(p.initial_actions), (*batch, 3)),
            np.full((*batch, 3), p.initial_baseline),
            np.full((*batch, p.window, 3), p.initial_baseline),
        )

    def shocked(self, shock: FloatArray) -> Conduct:
        """Return conduct after a shock ``(3,)`` to actions."""
        return self._replace(actions=np.clip(self.actions + shock, 0.0, 1.0))

    def deviation(self, memory: MemoryRule) -> FloatArray:
        """How far actions are from what was expected, ``(..., 3)``."""
        return self.actions - (self.baseline if memory == "exponential" else remembered(self.recent))

    def moved(self, p: PlatformParameters, effects: FloatArray, noise: FloatArray) -> Conduct:
        """Return conduct a step later, from pushes ``(..., 3, 3)`` and noise ``(..., 3)``."""
        away = self.actions - self.baseline
        push = p.pace * effects.sum(-1) - p.return_rate * away
        return Conduct(
            np.clip(self.actions + push + noise, 0.0, 1.0),
            self.baseline + p.adaptation * away,
            remember(self.recent, self.actions),
        )


@dataclass(frozen=True)
class Recursion:
    """The model with its forks and switches."""

    parameters: PlatformParameters
    memory: MemoryRule = "exponential"
    windows: Windows = inclusive_windows

    def changed(self, **values: Any) -> Recursion:
        """Return the same model with other parameters."""
        return replace(self, parameters=self.parameters.model_copy(update=values))

    def draws(self, seeds: Sequence[int] | None = None) -> FloatArray:
        """Noise ``(steps, 3)`` of the published seed, or ``(seeds, steps, 3)``; actor by actor, NumPy's old stream."""
        if seeds is not None:
            return np.stack([self.changed(seed=seed).draws() for seed in seeds])
        stream = np.random.RandomState(self.parameters.seed)
        return self.parameters.noise * stream.standard_normal((self.parameters.steps, 3))

    def run(self, noise: FloatArray | None = None) -> PlatformPath:
        """Let everybody answer everybody, with noise ``(..., steps, 3)``, that of the published seed unless given."""
        noise = self.draws() if noise is None else noise
        return PlatformPath(self, noise, *self._recur(noise, None))

    def follow(self, actions: FloatArray) -> PlatformPath:
        """Return trust, damage and pushes along given actions ``(..., steps + 1, 3)``."""
        return PlatformPath(self, None, *self._recur(np.zeros_like(actions), actions))

    def _recur(
        self, noise: FloatArray, given: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Actions, trust, damage and effects of all steps; ``given`` actions are played whatever happens."""
        p, batch = self.parameters, noise.shape[:-2]
        dependence = np.array(p.dependence)
        rates = TrustRates.from_parameters(NUMPY, dependence, p.lambda_plus, p.lambda_minus, p.mu_R, p.delta_R, p.psi)
        susceptible = susceptibility(dependence, p.lambda_R, p.rho_0, p.eta, p.omega)
        shocks = p.shock_table()
        conduct = Conduct.at_first(p, batch)
        trust = np.broadcast_to(np.array(p.initial_trust), (*batch, 3, 3))
        damage = np.zeros((*batch, 3, 3))
        path: list[tuple[FloatArray, ...]] = []
        for t in range(p.steps + 1):
            conduct = conduct.shocked(shocks[t]) if given is None else conduct._replace(actions=given[..., t, :])
            deviation = conduct.deviation(self.memory)
            effects = reciprocity_effects(trust, susceptible, response(deviation, p.kappa))
            path.append((conduct.actions, trust, damage, effects))
            if t == p.steps:
                break
            ceiling = np.minimum(p.trust_limit, 1.0 - p.scar * damage)
            trust, damage = update_uncapped(trust, damage, deviation, ceiling, rates)
            trust = np.clip(trust, 0.0, ceiling)
            conduct = conduct.moved(p, effects, noise[..., t, :])
        actions, trust, damage, effects = (np.stack(each, axis=len(batch)) for each in zip(*path, strict=True))
        return actions, trust, damage, effects


class Answering:
    """The recursion as a policy in the registered game, which keeps trust itself; shocks are those of the case."""

    def __init__(self, parameters: PlatformParameters, game: AnyGame) -> None:
        """Begin at the first actions of the case."""
        own = parameters.game
        self._parameters, self._endowments = parameters, game.spec.endowments
        self._susceptible = susceptibility(game.spec.interdependence, own.lambda_R, own.rho_0, own.eta, own.omega)
        self._noise, self._shocks = Recursion(parameters).draws(), parameters.shock_table()
        self._conduct = Conduct.at_first(parameters)
        self._step = 0

    def __call__(self, t: int, state: State) -> FloatArray:
        """Return the next joint action, endowment units; steps are counted over all phases."""
        if self._step:
            answers = response(self._conduct.deviation("window"), self._parameters.game.kappa)
            effects = reciprocity_effects(state.trust, self._susceptible, answers)
            self._conduct = self._conduct.moved(self._parameters, effects, self._noise[self._step - 1])
        self._conduct = self._conduct.shocked(self._shocks[self._step])
        self._step += 1
        return self._conduct.actions * self._endowments
