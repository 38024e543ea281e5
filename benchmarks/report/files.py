"""The figures of a report as files of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report.content import charts
from benchmarks.report.evidence import Evidence
from benchmarks.report.ink import FileFormat, figure_file
from benchmarks.report.sections import sections
from coopgym.corpus.reader import Corpus
from coopgym.corpus.writer import write_atomically


def write_figures(corpus: Corpus, folder: Path, form: FileFormat = "svg") -> Iterator[Path]:
    """Write every figure of a corpus's report in light colours; the same corpus gives the same bytes.

    Args:
        corpus: what to draw.
        folder: where files go; it is made if it is missing, and files of the same names are replaced.
        form: kind of file.

    Yields:
        The place of each file, once it is written.

    Raises:
        CorpusError: a shard cannot be read.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: Counter[str] = Counter()
    for section in sections(Evidence(corpus)):
        for chart in charts(section.blocks):
            written[chart.name] += 1  # names of a corpus that differ in signs alone make one file name
            again = f"-{written[chart.name]}" if written[chart.name] > 1 else ""
            path = folder / f"{chart.name}{again}.{form}"
            write_atomically(path, figure_file(chart.draw(), chart.label, form))
            yield path
