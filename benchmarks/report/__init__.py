"""The report of a corpus: one HTML file that needs nothing else, the summary as CSV, and figures as files."""

from benchmarks.report.files import write_figures
from benchmarks.report.freshness import is_current
from benchmarks.report.page import SUMMARY_FILE, TABLE_FILES, render, write_report

__all__ = ["SUMMARY_FILE", "TABLE_FILES", "is_current", "render", "write_figures", "write_report"]
