"""Equilibria, optima, best responses and other reference points of the games.

Importing this package is cheap: every name is imported when it is used, torch only by the planner.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coopgym.oracles.agents import applicable_oracles
    from coopgym.oracles.dynamic.bounds import certified_gap
    from coopgym.oracles.dynamic.deviation import best_deviation
    from coopgym.oracles.dynamic.exploitability import exploitability
    from coopgym.oracles.dynamic.grim import grim_equilibrium
    from coopgym.oracles.dynamic.optima import dynamic_optima
    from coopgym.oracles.dynamic.planner import plan, plan_modes
    from coopgym.oracles.finite.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium, welfare_bracket
    from coopgym.oracles.finite.discretised import FiniteGame, discretise
    from coopgym.oracles.finite.zero_sum import minimax
    from coopgym.oracles.games.basin_search import find_basins
    from coopgym.oracles.games.basins import Basins
    from coopgym.oracles.games.best_response import best_response, regret
    from coopgym.oracles.games.certificate import Certificate, certify
    from coopgym.oracles.games.certificate_record import certificate_record
    from coopgym.oracles.games.commitment import commitment, response_curves
    from coopgym.oracles.games.coopetitive_path import coopetitive_path
    from coopgym.oracles.games.dilemma import dilemma
    from coopgym.oracles.games.equilibrium import Equilibria, Equilibrium, find_equilibria
    from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm, StageGame
    from coopgym.oracles.games.optimum import Optimum, welfare_optimum
    from coopgym.oracles.games.rollout import initial_state
    from coopgym.oracles.games.stackelberg import sequential_outcome
    from coopgym.oracles.mechanism_design.herd import Herd, HerdPlanner
    from coopgym.oracles.mechanism_design.herd_games import herd_in
    from coopgym.oracles.mechanism_design.hidden_exploration import HiddenExploration
    from coopgym.oracles.mechanism_design.hiring import HiringPlanner, HiringProblem
    from coopgym.oracles.mechanism_design.survey import survey_before_play
    from coopgym.oracles.meta.alpha_rank import alpha_rank
    from coopgym.oracles.meta.nash_averaging import nash_averaging
    from coopgym.oracles.meta.replicator import replicate
    from coopgym.oracles.preferences.majority_cycles import majority_cycles
    from coopgym.oracles.preferences.minimax_winner import MinimaxWinner
    from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx
    from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
    from coopgym.oracles.preferences.self_play import SPO

_HOMES = {
    "Basins": "games.basins",
    "Certificate": "games.certificate",
    "CoarseCorrelatedEquilibrium": "finite.correlated",
    "CommitmentGame": "games.normal_form",
    "CorrelatedEquilibrium": "finite.correlated",
    "Equilibria": "games.equilibrium",
    "Equilibrium": "games.equilibrium",
    "FiniteGame": "finite.discretised",
    "MinimaxWinner": "preferences.minimax_winner",
    "NashMirrorProx": "preferences.nash_mirror_prox",
    "NormalForm": "games.normal_form",
    "Optimum": "games.optimum",
    "PreferenceMatrix": "preferences.preference_matrix",
    "SPO": "preferences.self_play",
    "StageGame": "games.normal_form",
    "alpha_rank": "meta.alpha_rank",
    "applicable_oracles": "agents",
    "best_deviation": "dynamic.deviation",
    "best_response": "games.best_response",
    "certificate_record": "games.certificate_record",
    "certified_gap": "dynamic.bounds",
    "certify": "games.certificate",
    "commitment": "games.commitment",
    "coopetitive_path": "games.coopetitive_path",
    "dilemma": "games.dilemma",
    "discretise": "finite.discretised",
    "dynamic_optima": "dynamic.optima",
    "exploitability": "dynamic.exploitability",
    "find_basins": "games.basin_search",
    "find_equilibria": "games.equilibrium",
    "grim_equilibrium": "dynamic.grim",
    "majority_cycles": "preferences.majority_cycles",
    "minimax": "finite.zero_sum",
    "nash_averaging": "meta.nash_averaging",
    "initial_state": "games.rollout",
    "plan": "dynamic.planner",
    "plan_modes": "dynamic.planner",
    "regret": "games.best_response",
    "replicate": "meta.replicator",
    "response_curves": "games.commitment",
    "sequential_outcome": "games.stackelberg",
    "welfare_bracket": "finite.correlated",
    "welfare_optimum": "games.optimum",
    "Herd": "mechanism_design.herd",
    "HerdPlanner": "mechanism_design.herd",
    "HiddenExploration": "mechanism_design.hidden_exploration",
    "HiringPlanner": "mechanism_design.hiring",
    "HiringProblem": "mechanism_design.hiring",
    "herd_in": "mechanism_design.herd_games",
    "survey_before_play": "mechanism_design.survey",
}

__all__ = [
    "SPO",
    "Basins",
    "Certificate",
    "CoarseCorrelatedEquilibrium",
    "CommitmentGame",
    "CorrelatedEquilibrium",
    "Equilibria",
    "Equilibrium",
    "FiniteGame",
    "Herd",
    "HerdPlanner",
    "HiddenExploration",
    "HiringPlanner",
    "HiringProblem",
    "MinimaxWinner",
    "NashMirrorProx",
    "NormalForm",
    "Optimum",
    "PreferenceMatrix",
    "StageGame",
    "alpha_rank",
    "applicable_oracles",
    "best_deviation",
    "best_response",
    "certificate_record",
    "certified_gap",
    "certify",
    "commitment",
    "coopetitive_path",
    "dilemma",
    "discretise",
    "dynamic_optima",
    "exploitability",
    "find_basins",
    "find_equilibria",
    "grim_equilibrium",
    "herd_in",
    "initial_state",
    "majority_cycles",
    "minimax",
    "nash_averaging",
    "plan",
    "plan_modes",
    "regret",
    "replicate",
    "response_curves",
    "sequential_outcome",
    "survey_before_play",
    "welfare_bracket",
    "welfare_optimum",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"coopgym.oracles.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'coopgym.oracles' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
