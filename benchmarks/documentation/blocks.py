"""Every block of the documentation by the name in its mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks.documentation import catalogue, learners, teams
from coopgym.corpus.standard import describe_columns

BLOCKS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "columns of a corpus": describe_columns,
        "learners: the study": learners.study,
        "learners: the columns of all games": learners.everywhere_caption,
        "learners: all games": learners.everywhere_table,
        "learners: private equilibria": learners.equilibria_and_private_learners,
        "learners: the best constant": learners.cooperative_learners,
        "learners: the columns of all learners": learners.compared_caption,
        "learners: all learners": learners.compared_table,
        "table of games": catalogue.games_table,
        "table of learners": catalogue.learners_table,
        "table of methods": catalogue.methods_table,
        "teams and the best constant": teams.shares_table,
    }
)
