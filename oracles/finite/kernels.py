"""The arithmetic of the solvers of finite games as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.correlated import welfare_bracket
from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.oracles.finite.game_solver import expected_utilities
from coopgym.oracles.finite.no_regret import Hedge
from coopgym.oracles.finite.zero_sum import checked_matrix, duality_gap, minimax
from coopgym.rewards.distances import stage_distance
from coopgym.typing import FloatArray


def worked_stage_game(game: Mapping[str, Any], mode: str) -> FiniteGame:
    """Tabulate the stage game of the worked examples: two seats, value and synergy of TR-1 Eq. 6-11, actions in units.

    Args:
        game: ``endowment``, ``theta``, ``gamma``, ``alpha`` (2), ``D`` (2: each seat's weight on the other's payoff)
            and ``grid``, the actions per seat.
        mode: ``"private"``, ``"integrated"`` (full trust) or ``"cooperative"`` (mean of the integrated utilities).

    Raises:
        ValueError: another mode.
    """
    grid = np.linspace(0.0, game["endowment"], game["grid"])
    action = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
    synergy = game["gamma"] * np.sqrt(action.prod(-1))
    own_value = game["theta"] * np.log1p(action)
    payoffs = game["endowment"] - action + own_value + np.asarray(game["alpha"]) * synergy[..., None]
    integrated = payoffs + np.asarray(game["D"]) * payoffs[..., ::-1]
    match mode:
        case "private":
            return FiniteGame(payoffs, (grid, grid))
        case "integrated":
            return FiniteGame(integrated, (grid, grid))
        case "cooperative":
            shared = np.broadcast_to(integrated.mean(-1, keepdims=True), integrated.shape)
            return FiniteGame(shared, (grid, grid))
    raise ValueError(f"mode={mode!r}: expected 'private', 'integrated' or 'cooperative'")


def stage_cce(game: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Extreme equilibria, pure equilibria and social maximum of the worked stage game."""
    table = worked_stage_game(game, mode)
    bracket = welfare_bracket(table)
    return {
        "max_welfare_cce": bracket.best_coarse,
        "min_welfare_cce": bracket.worst_coarse,
        "max_welfare_ce": bracket.best_correlated,
        "pure_nash": table.profile(bracket.pure_nash).tolist(),
        "social_max": bracket.social_maximum,
        "social_argmax": table.profile(bracket.social_profile).tolist(),
    }


def hedge_cce(game: Mapping[str, Any], mode: str, eta: float, T: int) -> dict[str, Any]:
    """Hedge against Hedge in the worked stage game: averages and audited regrets."""
    table = worked_stage_game(game, mode)
    play = Hedge(rounds=T, rate=eta).play(table)
    return {
        "cce_regret": play.regrets.tolist(),
        "mean_action": [float(strategy @ table.actions[seat]) for seat, strategy in enumerate(play.strategies)],
        "welfare": float(expected_utilities(table, play.distribution).sum()),
        "bound": play.bounds.tolist(),
    }


def zero_sum(payoff: npt.ArrayLike, eta: float, T: int) -> dict[str, Any]:
    """Value and strategies of a zero-sum game by linear programming, and what Hedge against Hedge averages to."""
    matrix: FloatArray = checked_matrix(payoff)
    solution = minimax(matrix)
    play = Hedge(rounds=T, rate=eta).play(FiniteGame.bimatrix(matrix, -matrix))
    row, column = play.strategies
    return {
        "value": solution.value,
        "row": solution.row.tolist(),
        "col": solution.column.tolist(),
        "avg_row": row.tolist(),
        "avg_col": column.tolist(),
        "duality_gap": duality_gap(matrix, row, column),
        # Both regrets are bounded, and the duality gap is their sum.
        "gap_bound": float(play.bounds.sum()),
    }


def starc_stage(game: Mapping[str, Any]) -> dict[str, Any]:
    """STARC distances between what either seat of the worked stage game is paid under each mode."""
    modes = ("private", "integrated", "cooperative")
    tables = np.concatenate([np.moveaxis(worked_stage_game(game, mode).utilities, -1, 0) for mode in modes])
    return {
        "keys": [f"{mode}_{seat}" for mode in modes for seat in range(2)],
        "distance": stage_distance(tables[:, None], tables).tolist(),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {
    "stage-cce": stage_cce,
    "hedge-cce": hedge_cce,
    "minimax": zero_sum,
    "starc-stage": starc_stage,
}
"""Functions of named inputs by the ids of their worked examples."""
