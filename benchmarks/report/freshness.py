"""Whether a report shows the runs that are there.

The page says in its head which runs it shows, and vouches for the summary beside it by its SHA-256: the summary stays a
plain table that everything reads. The page is written last, so a kill between the two leaves a page that does not fit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.plan import content_hash
from benchmarks.provenance import package_version
from coopgym.corpus.export import encode
from coopgym.corpus.reader import Corpus

_RUNS, _SUMMARY = "coopgym-runs", "coopgym-summary"
_MARK = re.compile(r'<meta name="(coopgym-[a-z]+)" content="([0-9a-f]{64})">')
_HEAD = 4096
"""Characters of a page within which its marks lie."""


def marks(corpus: Corpus, summary: bytes) -> dict[str, str]:
    """Return what a page says of its origin, as names and contents of ``meta`` elements.

    Args:
        corpus: what the page shows.
        summary: content of the file that lies beside it.
    """
    return {_RUNS: fingerprint(corpus), _SUMMARY: hashlib.sha256(summary).hexdigest()}


def is_current(corpus: Corpus, page: Path, summary: Path) -> bool:
    """Whether a page and its summary are there and show a corpus as it is, written by this version of coopgym."""
    if not (page.is_file() and summary.is_file()):
        return False
    return _marks_of(page) == marks(corpus, summary.read_bytes())


def fingerprint(corpus: Corpus) -> str:
    """Return a hash of what a report is written from: rows, whatever their shards, the study, and this version."""
    runs = corpus.runs.sort_by("run_id").arrow.combine_chunks()
    return content_hash(
        {
            "written_by": package_version(),
            "study": corpus.study or {"name": corpus.path.name},
            "origin": {name: list(values) for name, values in corpus.metadata.items()},
            "rows": corpus.sizes(),
            "runs": hashlib.sha256(encode(runs, "parquet")).hexdigest(),
        }
    )


def _marks_of(page: Path) -> Mapping[str, str]:
    with page.open(encoding="utf-8", errors="replace") as file:
        return dict(_MARK.findall(file.read(_HEAD)))
