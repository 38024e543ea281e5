"""From a study to the runs it consists of, and from runs to jobs that compute several of them together."""

from coopgym.benchmarks.study.changes import COMPARED_COLUMNS, Superseded, in_words, place_of, superseded
from coopgym.benchmarks.study.expansion import expand, matching
from coopgym.benchmarks.study.grouping import Job, group, search_seconds
from coopgym.benchmarks.study.hashing import canonical_json, content_hash, plain, seed_from
from coopgym.benchmarks.study.run_key import RunKey
from coopgym.benchmarks.study.run_spec import ALIKE, Auditing, Meeting, Player, RunSpec, StrangersMeeting, Training
from coopgym.benchmarks.study.study import Block, Study, StudyError, load_study, shipped_studies

__all__ = [
    "ALIKE",
    "COMPARED_COLUMNS",
    "Auditing",
    "Block",
    "Job",
    "Meeting",
    "Player",
    "RunKey",
    "RunSpec",
    "StrangersMeeting",
    "Study",
    "StudyError",
    "Superseded",
    "Training",
    "canonical_json",
    "content_hash",
    "expand",
    "group",
    "in_words",
    "load_study",
    "matching",
    "place_of",
    "plain",
    "search_seconds",
    "seed_from",
    "shipped_studies",
    "superseded",
]
