"""The page: sections of a corpus set in one HTML file, and its scores as CSV files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup, escape

from coopgym.benchmarks.drawing.series_style import kinds_shown
from coopgym.benchmarks.drawing.template import page_template
from coopgym.benchmarks.drawing.theme import svg
from coopgym.benchmarks.progress import duration
from coopgym.benchmarks.report.content.blocks import Chart, Section
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.freshness import marks
from coopgym.benchmarks.report.sections import sections
from coopgym.benchmarks.score import Leaderboards, cells_csv, first_table_csv, rankings_csv
from coopgym.corpus.reader import Corpus
from coopgym.corpus.writer import write_atomically
from coopgym.visible_text import visible

SUMMARY_FILE = "summary.csv"
RANKING_FILE = "ranking.csv"
FIRST_FILE = "table.csv"
TABLE_FILES = (FIRST_FILE, SUMMARY_FILE, RANKING_FILE)
"""What lies beside a page."""


def write_report(corpus: Corpus, path: Path) -> Path:
    """Write the report of a corpus, and before it its tables as CSV; return the place of the scores.

    Raises:
        CorpusError: a shard cannot be read.
        OSError: a file cannot be written.
    """
    leaderboards = Leaderboards(corpus.runs.arrow)
    texts = {FIRST_FILE: first_table_csv, SUMMARY_FILE: cells_csv, RANKING_FILE: rankings_csv}
    tables = {name: csv(leaderboards).encode() for name, csv in texts.items()}
    for name, content in tables.items():
        write_atomically(path.with_name(name), content)
    write_atomically(path, render(corpus, marks(corpus, tables)).encode())
    return path.with_name(SUMMARY_FILE)


def render(corpus: Corpus, origin: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the page. The same corpus gives the same bytes.

    Args:
        corpus: what it shows.
        origin: names and contents of ``meta`` elements that say what it was written from.
    """
    report_data = ReportData(corpus)
    study = corpus.study or {}
    head = PageHead("coopgym study", study.get("name") or corpus.path.name, study.get("description", ""))
    return page_of(sections(report_data), head, _facts(report_data), origin)


@dataclass(frozen=True)
class PageHead:
    """What stands above everything else."""

    kicker: str
    """What kind of page it is."""
    name: str
    description: str


def page_of(
    found: Sequence[Section],
    head: PageHead,
    facts: Mapping[str, str],
    origin: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Set sections in one HTML file that needs nothing else.

    Args:
        found: what it shows.
        head: what stands above.
        facts: numbers below the head, by name.
        origin: as for `render`.
    """
    page = page_template("report/page.html.j2", drawn=_drawn, verbatim=_verbatim).render(
        origin=origin,
        head=head,
        facts=facts,
        findings=[section for section in found if section.finding],
        sections=found,
        kinds_shown=kinds_shown,
    )
    return re.sub(r"\n\s*\n+", "\n", page)


def _drawn(chart: Chart) -> Markup:
    return Markup(svg(chart.draw(), chart.label))


def _verbatim(text: str) -> Markup:
    """Return a text with its blank lines, which the page has none of."""
    return Markup(escape(visible(text)).replace("\n", Markup("&#10;")))


def _facts(report_data: ReportData) -> Mapping[str, str]:
    rows = report_data.rows
    seconds = [row[name] or 0.0 for row in rows for name in ("wall_seconds_train", "wall_seconds_eval")]
    played = {row["algorithm"] for row in rows if row["algorithm_kind"] in ("heuristic", "oracle", "plugin")}
    learners = {row["algorithm"] for row in rows if row["algorithm_kind"] == "learner"}
    audits = {row["protocol"] for row in rows if row["protocol"] not in (None, "self_play", "scenario", "strangers")}
    counts = {
        "games": len({(row["environment"], row["env_parameters"]) for row in rows}),
        "reward modes": len(report_data.modes),
        "learners": len(learners),
        "agents": len(played),
        "constants": len({row["algorithm"] for row in rows if row["algorithm_kind"] == "constant"}),
        "audits": len(audits),
        "runs": len(rows),
        "diverged": sum(row["status"] == "diverged" for row in rows),
        "failed": sum(row["status"] == "failed" for row in rows),
    }
    facts = {name: f"{number:,}" for name, number in counts.items() if number}
    return facts | {"computing time": duration(sum(seconds))}
