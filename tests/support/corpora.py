"""What two corpora of the same study must share."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa

from coopgym.benchmarks.report import page
from coopgym.corpus import load_corpus
from coopgym.corpus.schema import REPEATABLE_COLUMNS


def content(folder: Path) -> pa.Table:
    """What must repeat: runs without provenance, sorted."""
    return load_corpus(folder).runs.select(list(REPEATABLE_COLUMNS)).sort_by("run_id")


def content_bytes(folder: Path) -> bytes:
    """The same as bytes, so that numbers differ if one bit of them does."""
    table = content(folder).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def told(folder: Path) -> tuple[list[bytes], str]:
    """Tables and the page, but for when and from which versions of the study the runs were computed."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    origin = r'<meta name="coopgym-runs" content="\w+">|<dt>(computing time|computed|study hash)</dt><dd>[^<]*</dd>'
    return [(folder / name).read_bytes() for name in page.TABLE_FILES], re.sub(origin, "", text)
