"""The one place where time passes: draws, the unrolling of steps, totals, the engine, episodes, partners, scenarios."""

from coopgym.play.budget import WithinBudget
from coopgym.play.draws import NOMINAL, CommonRandomNumbers, Draws, Nominal, Seeded, Tape
from coopgym.play.engine import Engine
from coopgym.play.episodes import Episodes, Trajectory, play, seated
from coopgym.play.scenario import Scenario
from coopgym.play.unroll import Policy, Totals, counted, expected_step, open_loop, state_after, unroll

__all__ = [
    "NOMINAL",
    "CommonRandomNumbers",
    "Draws",
    "Engine",
    "Episodes",
    "Nominal",
    "Policy",
    "Scenario",
    "Seeded",
    "Tape",
    "Totals",
    "Trajectory",
    "WithinBudget",
    "counted",
    "expected_step",
    "open_loop",
    "play",
    "seated",
    "state_after",
    "unroll",
]
