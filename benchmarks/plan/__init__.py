"""From a study to the runs it consists of, and from runs to jobs that compute several of them together."""

from coopgym.benchmarks.plan.changes import COMPARED_COLUMNS, Superseded, in_words, place_of, superseded
from coopgym.benchmarks.plan.expansion import expand, matching
from coopgym.benchmarks.plan.grouping import Job, group, search_seconds
from coopgym.benchmarks.plan.hashing import canonical_json, content_hash, plain, seed_from
from coopgym.benchmarks.plan.run_key import RunKey
from coopgym.benchmarks.plan.specification import ALIKE, Auditing, Meeting, Player, RunSpec, Training

__all__ = [
    "ALIKE",
    "COMPARED_COLUMNS",
    "Auditing",
    "Job",
    "Meeting",
    "Player",
    "RunKey",
    "RunSpec",
    "Superseded",
    "Training",
    "canonical_json",
    "content_hash",
    "expand",
    "group",
    "in_words",
    "matching",
    "place_of",
    "plain",
    "search_seconds",
    "seed_from",
    "superseded",
]
