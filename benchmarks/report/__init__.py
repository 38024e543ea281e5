"""The report of a corpus: one HTML file that needs nothing else, and the summary as CSV."""

from benchmarks.report.page import SUMMARY_FILE, render, write_report

__all__ = ["SUMMARY_FILE", "render", "write_report"]
