"""Whether a report shows the runs that are there.

The page says in its head which runs it shows, and vouches for the tables beside it by their SHA-256: they stay plain
tables that everything reads. The page is written last, so a kill in between leaves a page that does not fit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from coopgym.benchmarks.provenance import package_version
from coopgym.benchmarks.study import content_hash
from coopgym.corpus.export import encode
from coopgym.corpus.reader import Corpus

_RUNS = "coopgym-runs"
_MARK = re.compile(r'<meta name="(coopgym-[a-z.]+)" content="([0-9a-f]{64})">')
_HEAD = 4096
"""Characters of a page within which its marks lie."""


def marks(corpus: Corpus, tables: Mapping[str, bytes]) -> dict[str, str]:
    """Return what a page says of its origin, as names and contents of ``meta`` elements.

    Args:
        corpus: what the page shows.
        tables: the files that lie beside it, by name.
    """
    files = {f"coopgym-{name}": hashlib.sha256(content).hexdigest() for name, content in tables.items()}
    return {_RUNS: fingerprint(corpus), **files}


def is_current(corpus: Corpus, page: Path, tables: Iterable[str]) -> bool:
    """Whether a page and its tables are there and show a corpus as it is, written by this version of coopgym."""
    files = {name: page.with_name(name) for name in tables}
    if not all(file.is_file() for file in (page, *files.values())):
        return False
    return _marks_of(page) == marks(corpus, {name: file.read_bytes() for name, file in files.items()})


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


def _marks_of(page: Path) -> dict[str, str]:
    with page.open(encoding="utf-8", errors="replace") as file:
        return dict(_MARK.findall(file.read(_HEAD)))
