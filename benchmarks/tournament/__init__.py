"""Tournaments: every agent alone among copies of every other one, and the game that their payoffs make.

```python
from benchmarks.tournament import tournament

played = tournament("TrustDilemma-v1", ["TitForTat", "GrimTrigger", "Constant_10"])
played.payoffs, played.replicator(), played.alpha_rank(), played.nash_averaging()
```
"""

from benchmarks.tournament.entrants import CLASSICS, Entrant, Entrants
from benchmarks.tournament.league import League, compete, league
from benchmarks.tournament.meta_game import MetaGame, Rating, Ratings
from benchmarks.tournament.record import Tournament, tournament
from benchmarks.tournament.tables import payoff_table, print_meta_game, rating_table

__all__ = [
    "CLASSICS",
    "Entrant",
    "Entrants",
    "League",
    "MetaGame",
    "Rating",
    "Ratings",
    "Tournament",
    "compete",
    "league",
    "payoff_table",
    "print_meta_game",
    "rating_table",
    "tournament",
]
