"""The figures of a report as files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

from coopgym.benchmarks.drawing.theme import FileFormat, figure_file
from coopgym.benchmarks.report.content.blocks import charts
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections import sections
from coopgym.corpus.reader import Corpus
from coopgym.corpus.writer import write_atomically

LONGEST_NAME = 120
"""Characters of a file's name, without its number and ending; systems allow 255 bytes and little more for paths."""


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
    taken: set[str] = set()
    for section in sections(ReportData(corpus)):
        for chart in charts(section.blocks):
            path = folder / f"{_free_name(chart.name, taken)}.{form}"
            write_atomically(path, figure_file(chart.draw(), chart.label, form))
            yield path


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return a name that no file has yet, also where upper and lower case are one, and take it.

    Names of a corpus that differ in signs alone, or only after many characters, would make one file name.
    """
    short = wanted[:LONGEST_NAME]
    numbered = (f"{short}-{number}" for number in count(2))
    name = next(each for each in chain([short], numbered) if each.casefold() not in taken)
    taken.add(name.casefold())
    return name
