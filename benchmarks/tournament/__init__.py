"""Tournaments: every agent alone among copies of every other one, and the game that their payoffs make.

```python
from coopgym.benchmarks.tournament import tournament

played = tournament("TrustDilemma-v1", ["TitForTat", "GrimTrigger", "Constant_10"])
played.payoffs, played.replicator(), played.alpha_rank(), played.nash_averaging()
```
"""

from coopgym.benchmarks.tournament.encounters import Counterpart, Encounters, encounters
from coopgym.benchmarks.tournament.kept import FailedMatchesError
from coopgym.benchmarks.tournament.league import League, compete, league
from coopgym.benchmarks.tournament.meta_game import MetaGame, Rating, Ratings
from coopgym.benchmarks.tournament.participants import CLASSICS, Participant, Participants
from coopgym.benchmarks.tournament.record import Tournament, tournament
from coopgym.benchmarks.tournament.tables import (
    encounter_tables,
    payoff_table,
    print_encounters,
    print_meta_game,
    rating_table,
)

__all__ = [
    "CLASSICS",
    "Counterpart",
    "Encounters",
    "FailedMatchesError",
    "League",
    "MetaGame",
    "Participant",
    "Participants",
    "Rating",
    "Ratings",
    "Tournament",
    "compete",
    "encounter_tables",
    "encounters",
    "league",
    "payoff_table",
    "print_encounters",
    "print_meta_game",
    "rating_table",
    "tournament",
]
