"""Strangers: populations of partners to train with and to be tested on, and the scenarios in which they are met.

Which partners there are is data, ``data/strangers-v1``: one table of cards for all games, and per game the policies of
the trained ones. What scenarios are worth to a best response, and to the best single number, stands beside them; it is
computed by `coopgym.benchmarks.strangers`.
"""

from coopgym.strangers.anchors import EPISODES, SEED, Anchor, anchors_hash, read_anchors
from coopgym.strangers.partners import KINDS, Partner, Training, strangers_folder
from coopgym.strangers.populations import POPULATIONS, Population, population, populations_of
from coopgym.strangers.scenarios import StrangersScenario, scenarios

__all__ = [
    "EPISODES",
    "KINDS",
    "POPULATIONS",
    "SEED",
    "Anchor",
    "Partner",
    "Population",
    "StrangersScenario",
    "Training",
    "anchors_hash",
    "population",
    "populations_of",
    "read_anchors",
    "scenarios",
    "strangers_folder",
]
