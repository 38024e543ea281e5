"""Every block of the documentation by the name in its mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks.documentation import catalogue, teams
from coopgym.corpus.standard import describe_columns

BLOCKS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "columns of a corpus": describe_columns,
        "table of games": catalogue.games_table,
        "table of learners": catalogue.learners_table,
        "table of methods": catalogue.methods_table,
        "teams and the best constant": teams.shares_table,
    }
)
