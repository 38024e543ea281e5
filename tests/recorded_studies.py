"""Ids by study: the digest of the ids of all runs of every shipped study.

``tests/data/study_ids.json`` keeps it with the number of runs. Finished runs are found again by their ids, so these
stay unless a version is raised or a study asks for something else; then ``python -m tests.recorded_studies`` writes the
file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coopgym.benchmarks.study import expand, load_study
from coopgym.benchmarks.study.hashing import content_hash
from coopgym.benchmarks.study.study import shipped_studies

FILE = Path(__file__).parent / "data" / "study_ids.json"


def entry(study: str) -> dict[str, Any]:
    """Return what is kept of a study."""
    ids = [run.run_id for run in expand(load_study(study))]
    return {"runs": len(ids), "digest": content_hash(ids)}


def recorded() -> dict[str, dict[str, Any]]:
    """Return what was kept, by study."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps({study: entry(study) for study in shipped_studies()}, indent=1) + "\n", encoding="utf-8")
