"""What training with partners brings among strangers: a learner against the same one in self-play."""

from __future__ import annotations

import json
from typing import NamedTuple

import pyarrow as pa

from coopgym.benchmarks.score.paired import Comparison, comparisons
from coopgym.benchmarks.score.settings import LEARNER
from coopgym.benchmarks.score.stranger_scores import StrangersScores

PARTNERS = "partners"
"""The hyper-parameter of learners that names with whom they are trained."""


class _Trained(NamedTuple):
    """How a learner was trained, but for its partners."""

    learner: str
    """What its name begins with, as that of ``IPPO-strangers`` begins with IPPO."""
    settings: str
    env_steps: int | None


def gains_of_partners(table: StrangersScores, runs: pa.Table) -> tuple[Comparison, ...]:
    """Compare learners that were trained with partners to the same ones in self-play, paired, adjusted for one another.

    The same one has the same reward, budget and settings but for the partners, and a name that begins alike. Of
    learners without such a counterpart nothing is said: something else might have made the difference.

    Args:
        table: scores of both.
        runs: the runs that it was made from, or more; they tell who had partners.

    >>> from coopgym.benchmarks.score import strangers_table
    >>> runs = coopgym.load_corpus("learners-v1").runs
    >>> gains_of_partners(strangers_table(runs), runs)
    ()
    """
    taught, alone = _trainings(runs, with_partners=True), _trainings(runs, with_partners=False)
    pairs = [
        (agent.name, other.name)
        for agent in table.algorithms
        for other in table.algorithms
        if agent.reward == other.reward and taught.get(agent.algorithm, set()) & alone.get(other.algorithm, set())
    ]
    return comparisons(table, pairs)


def _trainings(runs: pa.Table, *, with_partners: bool) -> dict[str, set[_Trained]]:
    """How learners were trained that any partners were given to, or none, by their names."""
    columns = ("algorithm", "algorithm_kind", "hyperparameters", "env_steps")
    found: dict[str, set[_Trained]] = {}
    for name, kind, text, steps in zip(*(runs.column(each).to_pylist() for each in columns), strict=True):
        if kind == LEARNER and text:
            settings = json.loads(text)
            if bool(settings.pop(PARTNERS, None)) == with_partners:
                learner = name.partition("-")[0]
                found.setdefault(name, set()).add(_Trained(learner, json.dumps(settings, sort_keys=True), steps))
    return found
