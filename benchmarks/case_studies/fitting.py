"""Which partner would have done what was done: reciprocity, patience and reward mode that best retrace a coded path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from coopgym.agents import Seat, make_agent
from coopgym.agents.streams import EpisodeGenerator
from coopgym.benchmarks.case_studies.case_file import load_case
from coopgym.benchmarks.case_studies.replay import replay
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.typing import FloatArray

TARGETS: Mapping[str, str] = MappingProxyType(
    {"private": "Oracle_Nash", "integrated": "Oracle_Equilibrium", "cooperative": "Oracle_Uninformed"}
)
"""By reward mode, the agent that plays what is best under it; levels of the last are the same in exchangeable seats,
which takes a team of forty a tenth of a second."""
RECIPROCITY = np.linspace(0.0, 2.0, 21)
"""Answers to the mean departure from baselines, share per share."""
PATIENCE = np.linspace(0.0, 0.9, 10)
"""Parts of the last action that are kept."""
Retrace: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
"""What partners would have done: `retraced` or `retraced_together`."""


@dataclass(frozen=True)
class Fitted:
    """The partner that best retraces what a seat did, or a team of such partners."""

    seat: str
    """Its role in the game; of a team whose size changes, the actor."""
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
    return _walked(own[0], lambda t, last: others[t], targets, reciprocity, patience)


def retraced_together(
    own: FloatArray, baselines: FloatArray, targets: FloatArray, reciprocity: FloatArray, patience: FloatArray
) -> FloatArray:
    """Return the path ``(..., steps)`` of a team of such partners who are all alike and answer each other.

    As `retraced`, but y = x - b, what they themselves did: nobody is told what happened but for the first action.

    Args:
        own: ``(steps,)`` what was done, of which only the first counts.
        baselines: ``(steps,)`` of each member, b, shares.
        targets: ``(..., steps)`` what the reward mode makes best, c.
        reciprocity: ``(...)``, ρ: below 1 the team comes to rest at (c - ρ b) / (1 - ρ), beyond it goes to an end.
        patience: ``(...)``, φ.

    >>> retraced_together(np.full(4, 0.6), np.full(4, 0.2), np.full(4, 0.3), np.array(0.5), np.array(0.0)).round(2)
    array([0.6 , 0.5 , 0.45, 0.42])
    """
    return _walked(own[0], lambda t, last: last - baselines[t], targets, reciprocity, patience)


def _walked(
    first: FloatArray,
    answered: Callable[[int, FloatArray], FloatArray],
    targets: FloatArray,
    reciprocity: FloatArray,
    patience: FloatArray,
) -> FloatArray:
    path = [np.broadcast_to(first, np.broadcast_shapes(targets.shape[:-1], reciprocity.shape, patience.shape))]
    for t in range(1, targets.shape[-1]):
        wish = targets[..., t] + reciprocity * answered(t - 1, path[-1])
        path.append(np.clip(patience * path[-1] + (1.0 - patience) * wish, 0.0, 1.0))
    return np.stack(path, axis=-1)


def fitted(
    seat: str,
    own: FloatArray,
    answered: FloatArray,
    targets: Mapping[str, FloatArray],
    held_out: int,
    retrace: Retrace = retraced,
) -> Fitted:
    """Search all partners on a grid for the one nearest to a path, its last steps aside.

    Args:
        seat: its name.
        own: ``(steps,)`` shares of endowment.
        answered: ``(steps,)``, second argument of ``retrace``: mean departure of the others from their baselines.
        targets: by reward mode, the best share at each step, ``(steps,)``.
        held_out: how many steps at the end are not fitted.
        retrace: `retraced`, or `retraced_together` for a team.
    """
    modes = list(targets)
    stacked = np.stack([targets[mode] for mode in modes])[:, None, None, :]
    paths = retrace(own, answered, stacked, RECIPROCITY[None, :, None], PATIENCE[None, None, :])
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

    Where the size of a team changes from phase to phase no seat has a path, but the team has one: a partner is fitted
    of whom all its seats are filled (`retraced_together`).

    Raises:
        CaseFileError: there is no such case.
        ValueError: its seats change from phase to phase and are not exchangeable, so that nobody has a path.

    >>> (community,) = fit_case("apache")
    >>> community.seat, community.mode, community.reciprocity
    ('core contributors', 'cooperative', 0.0)
    """
    case, path = load_case(name), replay(name)
    presets = np.repeat([phase.preset for phase in case.phases], [phase.steps for phase in case.phases])
    games = [_formal_game(case.game, str(preset)) for preset in presets]
    sizes = {game.n_agents for game in games}
    if len(sizes) > 1 and any(len(game.traits().exchangeable) > 1 for game in games):
        raise ValueError(f"{case.title}: seats change from phase to phase, so that no partner can be fitted")
    seats = range(1 if len(sizes) > 1 else games[0].n_agents)
    best = {
        mode: np.array([_best_shares(case.game, str(preset), agent, len(seats)) for preset in presets])
        for mode, agent in TARGETS.items()
    }
    held_out = case.phases[-1].steps
    norms = [game.spec.baselines / game.spec.endowments for game in games]
    if len(sizes) > 1:
        team = {mode: targets[:, 0] for mode, targets in best.items()}
        baselines = np.array([norm.mean() for norm in norms])
        return (fitted(case.actors[0], path.mean_share, baselines, team, held_out, retraced_together),)
    shares = np.stack(path.shares)  # (steps, N)
    departures = shares - np.stack(norms)
    return tuple(
        fitted(
            games[0].spec.roles[seat],
            shares[:, seat],
            np.delete(departures, seat, axis=1).mean(1),
            {mode: targets[:, seat] for mode, targets in best.items()},
            held_out,
        )
        for seat in seats
    )


@cache
def _formal_game(case_game: str, preset: str) -> AnyGame:
    parameters: dict[str, Any] = {"phase": preset} if preset else {}
    return make_game(f"{case_game}-v1", **parameters)


@cache
def _best_shares(case_game: str, preset: str, agent: str, seats: int) -> FloatArray:
    """Shares ``(seats,)`` that an agent plays in each of the first seats at the beginning of a game."""
    game = _formal_game(case_game, preset)
    seen = game.observe(game.initial_state((1,)), "own")[0]
    shares = np.empty(seats)
    for index in range(seats):
        player = make_agent(agent)
        player.begin(Seat.of(game, index, "own", "private"), 1, EpisodeGenerator([np.random.default_rng(0)]))
        shares[index] = np.asarray(player.act(seen[[index]]))[0]
    return shares


def _error(paths: FloatArray, own: FloatArray) -> FloatArray:
    return np.sqrt(((paths - own) ** 2).mean(-1))
