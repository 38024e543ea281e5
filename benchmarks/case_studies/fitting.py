"""Which partner would have done what was done: reciprocity, patience and reward mode that best retrace a coded path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from coopgym.benchmarks.case_studies.case_file import load_case
from coopgym.benchmarks.case_studies.replay import replay
from coopgym.games.registry import make_game
from coopgym.play.partners import Partners
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray

TARGETS: Mapping[str, str] = MappingProxyType(
    {"private": "Oracle_Nash", "integrated": "Oracle_Equilibrium", "cooperative": "Oracle_SocialOptimum"}
)
"""By reward mode, the agent that plays what is best under it."""
RECIPROCITY = np.linspace(0.0, 2.0, 21)
"""Answers to the others' mean departure from their baselines, share per share."""
PATIENCE = np.linspace(0.0, 0.9, 10)
"""Parts of the last action that are kept."""


@dataclass(frozen=True)
class Fitted:
    """The partner that best retraces what a seat did."""

    seat: str
    mode: str
    reciprocity: float
    patience: float
    fitted_error: float
    """Root mean square error, shares, over the phases that were fitted."""
    held_out_error: float
    """The same over the last phase, which was not."""
    constant_error: float
    """That of the mean share of the fitted phases, over the last phase."""

    def record(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def retraced(
    own: FloatArray, others: FloatArray, targets: FloatArray, reciprocity: FloatArray, patience: FloatArray
) -> FloatArray:
    """Return the path ``(..., steps)`` of partners who keep part of their last action and else answer the others.

    x' = φ x + (1 - φ) (c + ρ y), kept in [0, 1]; the first action is given, the others' path is what happened.

    Args:
        own: ``(steps,)`` what was done, of which only the first counts.
        others: ``(steps,)`` the others' departures y from their baselines, shares.
        targets: ``(..., steps)`` what the reward mode makes best, c.
        reciprocity: ``(...)``, ρ.
        patience: ``(...)``, φ.

    >>> own, others = np.array([0.3, 0.6, 0.6]), np.array([0.2, 0.2, 0.0])
    >>> retraced(own, others, np.full(3, 0.3), np.array(1.0), np.array(0.5)).round(2)
    array([0.3 , 0.4 , 0.45])
    """
    path = [np.broadcast_to(own[0], np.broadcast_shapes(targets.shape[:-1], reciprocity.shape, patience.shape))]
    for t in range(1, len(own)):
        wish = targets[..., t] + reciprocity * others[t - 1]
        path.append(np.clip(patience * path[-1] + (1.0 - patience) * wish, 0.0, 1.0))
    return np.stack(path, axis=-1)


def fitted(seat: str, own: FloatArray, others: FloatArray, targets: Mapping[str, FloatArray], held_out: int) -> Fitted:
    """Search all partners on a grid for the one nearest to a path, its last steps aside.

    Args:
        seat: its name.
        own: ``(steps,)`` shares of endowment.
        others: ``(steps,)`` mean departure of the others from their baselines, shares.
        targets: by reward mode, the best share at each step, ``(steps,)``.
        held_out: how many steps at the end are not fitted.
    """
    modes = list(targets)
    stacked = np.stack([targets[mode] for mode in modes])[:, None, None, :]
    paths = retraced(own, others, stacked, RECIPROCITY[None, :, None], PATIENCE[None, None, :])
    split = len(own) - held_out
    errors = _error(paths[..., :split], own[:split])
    mode, reciprocity, patience = np.unravel_index(int(errors.argmin()), errors.shape)
    best = paths[mode, reciprocity, patience]
    return Fitted(
        seat=seat,
        mode=modes[mode],
        reciprocity=float(RECIPROCITY[reciprocity]),
        patience=float(PATIENCE[patience]),
        fitted_error=float(errors.min()),
        held_out_error=float(_error(best[split:], own[split:])),
        constant_error=float(_error(np.broadcast_to(own[:split].mean(), held_out), own[split:])),
    )


def fit_case(name: str) -> tuple[Fitted, ...]:
    """Fit a partner to every seat of a case in the formal edition of its game; the last phase is held out.

    Raises:
        CaseFileError: there is no such case.
        ValueError: its seats change from phase to phase, so that nobody has a path.
    """
    case, path = load_case(name), replay(name)
    if len({len(shares) for shares in path.shares}) > 1:
        raise ValueError(f"{case.title}: seats change from phase to phase, so that no partner can be fitted")
    shares = np.stack(path.shares)  # (steps, N)
    presets = np.repeat([phase.preset for phase in case.phases], [phase.steps for phase in case.phases])
    game = make_game(f"{case.game}-v1")
    departures = shares - game.spec.baselines / game.spec.endowments
    best = {
        mode: np.stack([_best_shares(f"{case.game}-v1", str(preset), agent) for preset in presets])
        for mode, agent in TARGETS.items()
    }
    return tuple(
        fitted(
            role,
            shares[:, seat],
            np.delete(departures, seat, axis=1).mean(1),
            {mode: targets[:, seat] for mode, targets in best.items()},
            case.phases[-1].steps,
        )
        for seat, role in enumerate(game.spec.roles)
    )


@cache
def _best_shares(game_id: str, preset: str, agent: str) -> FloatArray:
    """Shares ``(N,)`` that an agent plays in every seat at the beginning of a game."""
    parameters: dict[str, Any] = {"phase": preset} if preset else {}
    game = make_game(game_id, **parameters)
    state, shares = game.initial_state((1,)), np.empty(game.n_agents)
    for seat in range(game.n_agents):
        around = Partners(game, (seat + 1) % game.n_agents, agent, reward_layer("private"))
        around.begin([np.random.default_rng(0)])
        shares[seat] = around.fill(np.zeros(1), state)[0, seat] / game.spec.endowments[seat]
    return shares


def _error(paths: FloatArray, own: FloatArray) -> FloatArray:
    return np.sqrt(((paths - own) ** 2).mean(-1))
