"""Make a released corpus from a folder of runs: tables, study, datasheet and Croissant file, together or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from coopgym.corpus.compaction import compact
from coopgym.corpus.croissant import croissant
from coopgym.corpus.datasheet import datasheet
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.reader import STUDY_FILE, load_corpus
from coopgym.corpus.release import Release
from coopgym.corpus.shards import CROISSANT_FILE
from coopgym.corpus.writer import whole_folder, write_atomically

DATASHEET_FILE = "DATASHEET.md"


def publish(source: Path, target: Path, release: Release) -> None:
    """Write a released corpus from a folder of runs; the folder of runs stays as it is.

    Raises:
        CorpusError: there is no corpus in ``source``, or ``target`` exists.
    """
    if target.exists():
        raise CorpusError(f"{target}: exists already; released data do not change, so choose another name or version")
    corpus = load_corpus(source)
    with whole_folder(target) as building:
        compact(corpus, building)
        if corpus.study is not None:
            write_atomically(building / STUDY_FILE, json.dumps(corpus.study, indent=1, ensure_ascii=False).encode())
        compacted = load_corpus(building)
        write_atomically(building / DATASHEET_FILE, datasheet(compacted, release).encode())
        description = croissant(building, compacted, release)
        write_atomically(building / CROISSANT_FILE, json.dumps(description, indent=1, ensure_ascii=False).encode())
