"""The report of a corpus: one HTML file that needs nothing else, its scores as CSV, and figures as files."""

from coopgym.benchmarks.report.files import write_figures
from coopgym.benchmarks.report.freshness import is_current
from coopgym.benchmarks.report.leaderboard import render_leaderboard, write_leaderboard
from coopgym.benchmarks.report.page import (
    FIRST_FILE,
    RANKING_FILE,
    SUMMARY_FILE,
    TABLE_FILES,
    PageHead,
    page_of,
    render,
    write_report,
)

__all__ = [
    "FIRST_FILE",
    "RANKING_FILE",
    "SUMMARY_FILE",
    "TABLE_FILES",
    "PageHead",
    "is_current",
    "page_of",
    "render",
    "render_leaderboard",
    "write_figures",
    "write_leaderboard",
    "write_report",
]
