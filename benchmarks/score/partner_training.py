"""What training with partners brings among strangers: a learner against the same one in self-play."""

from __future__ import annotations

import json

import pyarrow as pa

from coopgym.benchmarks.score.paired import Comparison, comparisons
from coopgym.benchmarks.score.scored_agents import ScoredAgent
from coopgym.benchmarks.score.settings import LEARNER
from coopgym.benchmarks.score.stranger_scores import StrangersScores

PARTNERS = "partners"
"""The hyper-parameter of learners that names with whom they are trained."""


def gains_of_partners(table: StrangersScores, runs: pa.Table) -> tuple[Comparison, ...]:
    """Compare learners that were trained with partners to themselves in self-play, paired, adjusted for one another.

    A learner with partners is named after the one without, as ``IPPO-strangers`` is, and is compared to the one of the
    same reward of whose name most begins its own.

    Args:
        table: scores of both.
        runs: the runs that it was made from, or more; they tell who had partners.

    >>> from coopgym.benchmarks.score import strangers_table
    >>> runs = coopgym.load_corpus("learners-v1").runs
    >>> gains_of_partners(strangers_table(runs), runs)
    ()
    """
    taught = _with_partners(runs)
    alone = [each for each in table.algorithms if each.kind == LEARNER and each.algorithm not in taught]
    pairs = []
    for agent in (each for each in table.algorithms if each.algorithm in taught):
        named_after = [each for each in alone if _is_named_after(agent, each)]
        if named_after:
            pairs.append((agent.name, max(named_after, key=lambda each: len(each.algorithm)).name))
    return comparisons(table, pairs)


def _is_named_after(agent: ScoredAgent, other: ScoredAgent) -> bool:
    return agent.reward == other.reward and agent.algorithm.startswith(other.algorithm)


def _with_partners(runs: pa.Table) -> set[str]:
    """Names of the learners that any partners were given to."""
    columns = (runs.column(name).to_pylist() for name in ("algorithm", "algorithm_kind", "hyperparameters"))
    trained = {(name, settings) for name, kind, settings in zip(*columns, strict=True) if kind == LEARNER and settings}
    return {name for name, settings in trained if json.loads(settings).get(PARTNERS)}
